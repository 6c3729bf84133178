"""Erasing a person from what an account has sent: identifiers give way to a stand-in, numbers stay.

Who a person is, is said by a text: an id or an e-mail address. Where it stands for itself, as a subject, a value or a
key of data, it is replaced; an e-mail address is replaced inside longer texts too. That covers events in the database
and in the archive, conflicts, rejected events, what the catalog shows, and rollups, which are counted anew. The
stand-in is drawn, so that it leads back to nobody. Keys stay: what is sent again is a duplicate and brings nobody back.
"""

import asyncio
import json
import secrets
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
import polars as pl

from valueplatform.core.database import Database, Transaction, lock_model_exclusive
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.scope import Scope
from valueplatform.telemetry.archive_format import SCHEMA, bucket_of, events_frame, path_of
from valueplatform.telemetry.archive_reads import ArchivedPart, Wanted, archive_store, archived_parts
from valueplatform.telemetry.archive_store import ArchiveStore
from valueplatform.telemetry.archiving import forget_files, hold_moves, keep_file, retracted_in, tell_file
from valueplatform.telemetry.homes import homes_of
from valueplatform.telemetry.local_days import local_day_of
from valueplatform.telemetry.marks import Stretch, mark_days
from valueplatform.telemetry.meter_book import NO_MODEL, book_in_force
from valueplatform.telemetry.payload import decode, normal_form
from valueplatform.telemetry.rebuilding import count_again, count_days

CAUSE: Final = "erasure"
SHORTEST: Final = 3
"""Characters; what is shorter would be replaced where it means something else."""

_EVENTS: Final = """
    SELECT type, utc_day, event_key, time, subject, id, data::text AS data FROM event
    WHERE account_id = $1 AND (strpos(subject, $2) > 0 OR strpos(id, $2) > 0 OR strpos(data::text, $3) > 0)
"""
_REPLACE: Final = """
    UPDATE event SET subject = given.subject, id = given.id, data = given.data
    FROM unnest($2::text[], $3::date[], $4::uuid[], $5::text[], $6::text[], $7::jsonb[])
        AS given (type, utc_day, event_key, subject, id, data)
    WHERE event.account_id = $1 AND event.type = given.type AND event.utc_day = given.utc_day
        AND event.event_key = given.event_key
"""
_TEXTS: Final[Mapping[str, str]] = {
    "rejected": """
        UPDATE rejected_event SET body = replace(body, $2, $3), id = replace(id, $4, $5)
        WHERE account_id = ANY(ARRAY[$1, 0]) AND strpos(body, $2) > 0
    """,
    "conflicts": """
        UPDATE event_conflict SET body = replace(body::text, $2, $3)::jsonb, id = replace(id, $4, $5)
        WHERE account_id = $1 AND strpos(body::text, $2) > 0
    """,
    "catalog": """
        UPDATE catalog_day SET tally = replace(tally::text, $2, $3)::jsonb
        WHERE account_id = $1 AND strpos(tally::text, $2) > 0 AND $4::text IS NOT NULL AND $5::text IS NOT NULL
    """,
}
_SAMPLES: Final = """
    UPDATE catalog_property SET samples = array_replace(samples, $2, $3) WHERE account_id = $1 AND $2 = ANY(samples)
"""
_LEAVE_GROUPS: Final = "DELETE FROM group_member WHERE account_id = $1 AND event_key = ANY($2::uuid[])"


class Erased(msgspec.Struct, frozen=True):
    """How many events, archived events, rejected events and conflicts named the person."""

    events: int
    archived: int
    rejected: int
    conflicts: int


class _Person(msgspec.Struct, frozen=True):
    name: str
    stand_in: str

    @property
    def is_address(self) -> bool:
        return "@" in self.name

    def replaced(self, value: Any) -> Any:
        """The same without the person."""
        if isinstance(value, str):
            if value == self.name:
                return self.stand_in
            return value.replace(self.name, self.stand_in) if self.is_address else value
        if isinstance(value, dict):
            return {self.replaced(key): self.replaced(each) for key, each in value.items()}
        return [self.replaced(each) for each in value] if isinstance(value, list) else value

    def in_text(self, body: str | None) -> str | None:
        """JSON text in normal form, without the person."""
        return None if body is None else normal_form(self.replaced(decode(body))).decode()


async def erase_person(database: Database, scope: Scope, account_id: int, name: str) -> Erased:
    """Erase a person from an account (worker role), in one transaction, for which ingest waits.

    Archived files that named the person are deleted as soon as it has committed. Raises InvalidInputError for a name of
    fewer than three characters, UnavailableError where the archive cannot be read or written.
    """
    if len(name) < SHORTEST:
        raise InvalidInputError(
            f"{name!r} is too short to tell a person by; give the id or the e-mail address in full."
        )
    person = _Person(name, f"erased-{secrets.token_hex(8)}")
    async with database.transaction(scope) as tx:
        await lock_model_exclusive(tx)
        await hold_moves(tx)
        hot = await _erase_stored(tx, account_id, person)
        store = await archive_store(tx)
        archived, old = ([], []) if store is None else await _erase_archived(tx, store, account_id, person)
        texts = await _erase_texts(tx, account_id, person)
        days = [day for day, _ in (*hot, *archived)]
        if days:
            await _count_anew(tx, Stretch(account_id, min(days), max(days)), [key for _, key in (*hot, *archived)])
    if store is not None:
        await asyncio.to_thread(store.delete, old)
    return Erased(len(hot), len(archived), texts["rejected"], texts["conflicts"])


_Found = list[tuple[date, UUID]]
"""Local days and keys of events that named the person."""


async def _erase_stored(tx: Transaction, account_id: int, person: _Person) -> _Found:
    connection = await tx.driver()
    rows = await connection.fetch(_EVENTS, account_id, person.name, json.dumps(person.name, ensure_ascii=False)[1:-1])
    home = (await homes_of(connection, [account_id]))[account_id]
    changed, found = [], []
    for row in rows:
        held = row["subject"], row["id"], None if row["data"] is None else normal_form(decode(row["data"])).decode()
        now = person.replaced(held[0]), person.replaced(held[1]), person.in_text(held[2])
        if now != held:
            changed.append((row["type"], row["utc_day"], row["event_key"], *now))
            found.append((local_day_of(row["time"], home.timezone), row["event_key"]))
    if changed:
        await connection.execute(_REPLACE, account_id, *zip(*changed, strict=True))
    return found


async def _erase_archived(
    tx: Transaction, store: ArchiveStore, account_id: int, person: _Person
) -> tuple[_Found, list[str]]:
    """What named the person, and the files that are not to be kept."""
    found: _Found = []
    old: list[str] = []
    for part in await archived_parts(tx, Wanted([account_id])):
        gone = set(await retracted_in(tx, [part.path]))
        named, frame = await asyncio.to_thread(_without, store, part, account_id, person, gone)
        if not named:
            continue
        path = path_of(part.month, bucket_of(account_id), uuid4().hex)
        await asyncio.to_thread(keep_file, store, path, frame)
        await forget_files(tx, [part.path])
        await tell_file(tx, part.month, path, frame)
        found += named
        old.append(part.path)
    return found, old


def _without(
    store: ArchiveStore, part: ArchivedPart, account_id: int, person: _Person, gone: AbstractSet[bytes]
) -> tuple[_Found, pl.DataFrame]:
    """The events of a file that named the person, and the whole file without. Those retracted, of whatever account,
    `gone`, go too: nothing tells of them once the file is another."""
    days = dict(part.read(("event_key",)).select("event_key", "day").iter_rows())
    rows = store.read(part.path, list(SCHEMA)).iter_rows(named=True)
    found: _Found = []
    kept = []
    for row in rows:
        if row["event_key"] in gone:
            continue
        if row["account_id"] != account_id:
            kept.append(row)
        else:
            now = {**row, "subject": person.replaced(row["subject"]), "id": person.replaced(row["id"])}
            kept.append(now | {"data": person.in_text(row["data"])})
            if kept[-1] != row:
                found.append((days[row["event_key"]], UUID(bytes=row["event_key"])))
    return found, events_frame([[row[name] for name in SCHEMA] for row in kept])


async def _erase_texts(tx: Transaction, account_id: int, person: _Person) -> dict[str, int]:
    """Bodies as they were sent, and what the catalog has counted; how many of each."""
    connection = await tx.driver()
    old, new = (json.dumps(each, ensure_ascii=False) for each in (person.name, person.stand_in))
    if person.is_address:
        old, new = old[1:-1], new[1:-1]
    done = {}
    for name, statement in _TEXTS.items():
        said = await connection.execute(statement, account_id, old, new, person.name, person.stand_in)
        done[name] = int(said.rpartition(" ")[2])
    await connection.execute(_SAMPLES, account_id, person.name, person.stand_in)
    return done


async def _count_anew(tx: Transaction, stretch: Stretch, keys: Sequence[UUID]) -> None:
    connection = await tx.driver()
    book = await book_in_force(connection, NO_MODEL)
    home = (await homes_of(connection, [stretch.account_id]))[stretch.account_id]
    await count_days(tx, book.meters, stretch, home)
    await mark_days(connection, [stretch], CAUSE)
    await connection.execute(_LEAVE_GROUPS, stretch.account_id, list(keys))
    if book.counts:
        await count_again(tx, [stretch.around()])
