"""Providers: the supplier itself and its partners, by slug."""

import re
from collections.abc import Iterable
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from valueplatform.accounts.tables import provider
from valueplatform.core.database import Transaction

_NOT_IN_SLUG: Final = re.compile(r"[^a-z0-9]+")


def slug_of(name: str) -> str:
    """The name in lower case, with single dashes for all that is no letter or digit; 'partner' where none is left."""
    return _NOT_IN_SLUG.sub("-", name.lower()).strip("-") or "partner"


async def ensure_providers(tx: Transaction, slugs: Iterable[str]) -> None:
    """Make the providers that are not there yet; a new one is called by its slug until it gets a name."""
    new = [{"slug": slug, "name": slug} for slug in sorted(set(slugs))]
    if new:
        await tx.execute(insert(provider).values(new).on_conflict_do_nothing())


async def provider_names(tx: Transaction) -> dict[str, str]:
    """The name of every provider by its slug."""
    rows = await tx.rows(select(provider.c.slug, provider.c.name).order_by(provider.c.slug))
    return {row.slug: row.name for row in rows}
