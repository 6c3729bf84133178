"""Providers."""

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from valueplatform.accounts.providers import ensure_providers, provider_names, slug_of
from valueplatform.core.scope import no_accounts


async def test_a_provider_that_has_a_name_keeps_it(databases: Databases) -> None:
    async with databases.worker.transaction(no_accounts()) as tx:
        await tx.execute(text("INSERT INTO provider VALUES ('tessera', 'Tessera GmbH')"))
        await ensure_providers(tx, ["tessera", "waypoint", "tessera"])
        await ensure_providers(tx, [])
        assert await provider_names(tx) == {"tessera": "Tessera GmbH", "waypoint": "waypoint"}


@pytest.mark.parametrize(
    ("name", "slug"), [("Tessera GmbH & Co.", "tessera-gmbh-co"), ("  x  ", "x"), ("***", "partner"), ("Ü", "partner")]
)
def test_a_slug_has_letters_digits_and_single_dashes(name: str, slug: str) -> None:
    assert slug_of(name) == slug
