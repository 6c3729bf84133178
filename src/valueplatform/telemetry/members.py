"""Members of UNIQUE_COUNT meters: a row says that a member was seen in a rollup row's day, provider and dimensions.

Most events name a member that was seen before. A process remembers members that are committed, so that it need not
write them again, and forgets them all as soon as anybody has removed one, in whatever process:

- Removing members advances the sequence `member_removal`; a trigger does, so nobody can forget to. Sequences do not
  wait for the commit, so an advance is seen as soon as it is made.
- Who adds events to a rollup row holds that row's lock until the commit, and so does who takes some away. The
  sequence is read under that lock: either the removal has been committed, and is seen; or it comes later, and finds
  the events that are added now.
- Members are remembered only once their transaction has committed, and only as long as the database server is the same
  one, started once: another may have been restored from a moment before.
"""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import asyncpg
import msgspec

from valueplatform.telemetry.increments import CellKey, Dimensions

MOST_REMEMBERED: Final = 200_000
"""Members, of some 100 bytes each."""

_STATE: Final = "SELECT last_value, pg_postmaster_start_time() FROM member_removal"
_ADD: Final = """
    INSERT INTO rollup_member (account_id, meter, day, provider, dimensions, member)
    SELECT account_id, meter, day, provider, dimensions, unnest(members)
    FROM json_to_recordset($1::json) AS seen (account_id bigint, meter text, day date, provider text,
        dimensions text[], members text[])
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT DO NOTHING
"""
_DROP: Final = """
    DELETE FROM rollup_member USING json_to_recordset($1::json) AS gone (account_id bigint, meter text, day date,
        provider text, dimensions text[], members text[])
    WHERE (rollup_member.account_id, rollup_member.meter, rollup_member.day, rollup_member.provider)
            = (gone.account_id, gone.meter, gone.day, gone.provider)
        AND rollup_member.dimensions = gone.dimensions AND rollup_member.member = ANY(gone.members)
"""
_ENCODER: Final = msgspec.json.Encoder()


class _Members(msgspec.Struct, gc=False):
    account_id: int
    meter: str
    day: date
    provider: str
    dimensions: Dimensions
    members: set[str]


class Sighting(msgspec.Struct, frozen=True):
    """Members that a transaction has seen to be there. `state` is that of the removals that it knew of."""

    state: tuple[object, ...]
    members: Mapping[CellKey, set[str]]


NOTHING_SEEN: Final = Sighting((), {})


class KnownMembers:
    """Members that are committed, by rollup row; those of the rows that were asked for longest ago go first."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._state: tuple[object, ...] = ()
        self._cells: OrderedDict[CellKey, set[str]] = OrderedDict()
        self._held = 0

    def unknown(self, seen: Sighting) -> dict[CellKey, set[str]]:
        """Those that may not be there yet."""
        if seen.state != self._state:
            self._state = seen.state
            self._cells.clear()
            self._held = 0
        return {key: rest for key, members in seen.members.items() if (rest := members - self._known(key))}

    def _known(self, key: CellKey) -> set[str]:
        known = self._cells.get(key)
        if known is None:
            return set()
        self._cells.move_to_end(key)
        return known

    def remember(self, seen: Sighting) -> None:
        """Call it once the transaction that saw them has committed. Who knew of other removals is not believed."""
        if seen.state != self._state:
            return
        for key, members in seen.members.items():
            known = self._cells.setdefault(key, set())
            before = len(known)
            known |= members
            self._held += len(known) - before
        while self._held > self._most:
            _, oldest = self._cells.popitem(last=False)
            self._held -= len(oldest)


async def add_members(
    connection: "asyncpg.Connection[Any]", members: Mapping[CellKey, set[str]], known: KnownMembers | None = None
) -> Sighting:
    """Write the members that are not known to be there. The caller holds the locks of their rollup rows."""
    if not members:
        return NOTHING_SEEN
    seen = Sighting(tuple(await connection.fetchrow(_STATE)), members)
    unknown = members if known is None else known.unknown(seen)
    if unknown:
        await connection.execute(_ADD, _as_rows(unknown))
    return seen


async def drop_members(connection: "asyncpg.Connection[Any]", members: Mapping[CellKey, set[str]]) -> None:
    """Remove members that no event is behind any more. The caller holds the locks of their rollup rows."""
    if any(members.values()):
        await connection.execute(_DROP, _as_rows(members))


def _as_rows(members: Mapping[CellKey, set[str]]) -> str:
    return _ENCODER.encode([_Members(*key, seen) for key, seen in members.items()]).decode()
