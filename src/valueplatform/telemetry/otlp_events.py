"""What OTLP data points and log records have in common on their way to events."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from valueplatform.accounts.accounts import LONGEST_KEY
from valueplatform.telemetry.event import Effect, Event
from valueplatform.telemetry.otlp_accounts import OtlpSection, account_of
from valueplatform.telemetry.otlp_wire import Item, Surroundings
from valueplatform.telemetry.payload import RefusedEventError

PERSON_ATTRIBUTES: Final = ("user.id", "enduser.id")
_SOURCE: Final = "otlp"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Reader(msgspec.Struct, frozen=True):
    """How the items of a request are read: by which attributes, and as of when."""

    section: OtlpSection
    received_at: datetime

    def account(self, attributes: Mapping[str, object]) -> str:
        """Raises RefusedEventError where no attribute names it."""
        account = account_of(self.section.account, attributes)
        if account is None:
            names = ", ".join(self.section.account)
            raise RefusedEventError(
                "missing_account",
                f"No attribute names the account: none of {names} is set. Set one on the point, the record or the "
                "resource, or name another in the value model: [otlp] account = […].",
            )
        return account

    def seeming_account(self, item: Item) -> str | None:
        """What a refused item seems to be of, fit to be looked for; None where that cannot be told."""
        try:
            attributes = flat(item.surroundings(), item.attributes(), frozenset())
        except RefusedEventError:
            return None
        account = account_of(self.section.account, attributes)
        return account if account and len(account) <= LONGEST_KEY and account.isprintable() else None

    def person(self, attributes: Mapping[str, object]) -> str | None:
        return account_of(PERSON_ATTRIBUTES, attributes)


def flat(around: Surroundings, own: Mapping[str, object], taken: AbstractSet[str]) -> dict[str, object]:
    """The attributes of resource, scope and item, the narrower one wins; those with a name that is `taken` moved."""
    scope = {"otel.scope.name": around.scope_name, "otel.scope.version": around.scope_version}
    named = {name: value for name, value in scope.items() if value}
    found = {**around.resource, **named, **around.scope, **own}
    return {f"attribute.{name}" if name in taken else name: value for name, value in found.items()}


def source_of(around: Surroundings) -> str:
    name = around.resource.get("service.name")
    return f"{_SOURCE}/{name}" if isinstance(name, str) and name else _SOURCE


def moment(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def with_effect(event: Event, effect: Effect) -> Event:
    return msgspec.structs.replace(event, effect=effect)
