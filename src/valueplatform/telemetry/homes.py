"""What telemetry knows of accounts: in which zone their days are, and under which names their rollups are kept."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import asyncpg
import msgspec

_HOMES: Final = """
    SELECT account_id, timezone, edition FROM account WHERE $1::bigint[] IS NULL OR account_id = ANY($1)
"""

NAMES_IN_FORCE: Final = """ARRAY(
        SELECT kept || edition FROM account, unnest(CAST(:meters AS text[])) AS kept WHERE account_id = :account)"""
"""For queries of an account's rollups: the names under which those of `:meters` are kept. `NAME` takes the edition off
again."""
NAME: Final = "split_part(meter, '#', 1)"


class Home(msgspec.Struct, frozen=True, gc=False):
    """An account's zone, and the edition of its rollups that is counted by the days of that zone.

    The edition is put after the name of each meter's rollups: '' at first, '#' and a number since the zone was changed.
    """

    account_id: int
    timezone: str
    edition: str = ""


async def homes_of(connection: "asyncpg.Connection[Any]", account_ids: Sequence[int] | None = None) -> dict[int, Home]:
    """By account id; of all accounts, or of some."""
    return {row[0]: Home(*row) for row in await connection.fetch(_HOMES, account_ids)}


def editions_of(homes: Iterable[Home]) -> Mapping[int, str]:
    """Those that are not the first, by account id."""
    return {home.account_id: home.edition for home in homes if home.edition}
