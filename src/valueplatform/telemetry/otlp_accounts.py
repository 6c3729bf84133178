"""Which attribute of OpenTelemetry names the account: the `[otlp]` table of the value model."""

from collections.abc import Mapping
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction

_IN_FORCE: Final = text("SELECT (document -> 'otlp')::text FROM model_revision ORDER BY revision DESC LIMIT 1")

ACCOUNT_ATTRIBUTES: Final = ("account.id", "account", "customer.id", "tenant.id")


class OtlpSection(msgspec.Struct, frozen=True):
    """`account`: names of attributes, the first that is set wins; each is looked for on the point or record, then on
    its scope, then on its resource. `service.namespace` is no default: it mostly names the supplier's own product,
    which would become an account."""

    account: tuple[str, ...] = ACCOUNT_ATTRIBUTES


DEFAULT_SECTION: Final = OtlpSection()


async def section_in_force(tx: Transaction) -> OtlpSection:
    """That of the newest model; the default before there is one, and where it does not say."""
    found = await tx.scalar(_IN_FORCE)
    return DEFAULT_SECTION if found is None else msgspec.json.decode(found, type=OtlpSection)


def account_of(names: tuple[str, ...], attributes: Mapping[str, object]) -> str | None:
    """The account that the attributes name; None where they name none. A number is its digits."""
    for name in names:
        value = attributes.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return str(value)
    return None
