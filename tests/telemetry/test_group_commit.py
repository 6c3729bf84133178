"""Many senders at once, bad data, and a database that goes away."""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from tests.conftest import Databases
from tests.telemetry.factories import (
    apply_meters,
    cloud_event,
    execute,
    recounted,
    request_of,
    rows,
    scalar,
    stored_rollups,
)
from tests.telemetry.pouring import EVENTS
from valueplatform.core import migrate
from valueplatform.core.authorization import KeyKind
from valueplatform.core.database import Database, Role
from valueplatform.core.embedded import running
from valueplatform.core.errors import OverloadedError, UnavailableError, UnprocessableError
from valueplatform.core.keys import KeyGrant, Quota, create_key
from valueplatform.core.scope import no_accounts
from valueplatform.telemetry.fair_queue import MOST_WAITING, TURN
from valueplatform.telemetry.group_commit import MOST_IN_GROUP, GroupCommitter, commit_requests
from valueplatform.telemetry.quotas import QuotaError
from valueplatform.telemetry.requests import IngestRequest, NotAllTakenError, Report, Sender, merged
from valueplatform.telemetry.storing import Ledger

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def committer(databases: Databases, **options: Any) -> AsyncIterator[GroupCommitter]:
    async with GroupCommitter(databases.ingest, **{"patience": 60, **options}).running() as running_committer:
        yield running_committer


async def poison(databases: Databases) -> None:
    """From now on the database refuses every event called *poison*, as it refuses data that it cannot keep."""
    await execute(
        databases,
        """
        CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.id LIKE 'poison%' THEN RAISE EXCEPTION 'no poison here' USING ERRCODE = 'data_exception'; END IF;
            RETURN NEW;
        END $$
        """,
    )
    await execute(databases, "CREATE TRIGGER p BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION refuse_poison()")


async def test_a_thousand_sends_of_one_id_at_once_store_it_once(databases: Databases) -> None:
    await apply_meters(databases)
    request = request_of([cloud_event(id="1")])
    async with committer(databases, lanes=4) as taking:
        reports = await asyncio.gather(*(taking.commit(request) for _ in range(1000)))
    whole = merged(reports)
    assert (whole.received, whole.stored, whole.duplicates, whole.conflicts) == (1000, 1, 999, 0)
    assert await scalar(databases, "SELECT sum(events) FROM rollup WHERE meter = 'jobs'") == 1


async def test_two_processes_at_once_neither_deadlock_nor_count_twice(databases: Databases) -> None:
    await apply_meters(databases, timezone="America/New_York")
    told = await asyncio.gather(*(poured(databases, seed) for seed in (1, 2)))
    assert sum(stored for _, stored, *_ in told) == await scalar(databases, "SELECT count(*) FROM event")
    assert [received for received, *_ in told] == [EVENTS, EVENTS]
    for received, *parts in told:
        assert received == sum(parts)
    assert sum(conflicts for *_, conflicts, _ in told) > 0
    assert await stored_rollups(databases) == await recounted(databases)


async def poured(databases: Databases, seed: int) -> Sequence[int]:
    command = (sys.executable, "-m", "tests.telemetry.pouring", databases.url, str(seed))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
    output, _ = await process.communicate()
    assert process.returncode == 0
    return list(json.loads(output))


async def test_an_event_that_the_database_cannot_keep_is_rejected_alone(databases: Databases) -> None:
    await apply_meters(databases)
    await poison(databases)
    good = [cloud_event(id=f"good {number}") for number in range(60)]
    bad = [cloud_event(id=f"poison {number}") for number in range(3)]
    requests = [
        request_of([*good[:20], bad[0], *good[20:40]]),
        request_of(good[40:]),
        request_of([bad[1]]),
        request_of([cloud_event(id=None), bad[2], good[0]]),
    ]
    reports = await commit_requests(databases.ingest, requests, Ledger())
    assert [(r.received, r.stored, r.duplicates, len(r.rejections)) for r in reports] == [
        (41, 40, 0, 1),
        (20, 20, 0, 0),
        (1, 0, 0, 1),
        (3, 0, 1, 2),
    ]
    assert [(r.index, r.code) for r in reports[0].rejections] == [(20, "unstorable")]
    assert "no poison here" in reports[0].rejections[0].message
    kept = await rows(databases, "SELECT id, body FROM rejected_event WHERE code = 'unstorable' ORDER BY id")
    assert [row["id"] for row in kept] == ["poison 0", "poison 1", "poison 2"]
    assert json.loads(kept[0]["body"])["data"] == bad[0]["data"]
    assert await stored_rollups(databases) == await recounted(databases)
    (tally,) = await rows(databases, "SELECT sum(received) AS received, sum(stored) AS stored FROM ingest_tally")
    assert (tally["received"], tally["stored"]) == (65, 60)
    # Nothing was claimed for what was not stored: mended, it can be sent again.
    await execute(databases, "DROP TRIGGER p ON event")
    (again,) = await commit_requests(databases.ingest, [request_of(bad)], Ledger())
    assert again.stored == 3


async def test_a_strict_request_with_such_an_event_is_refused_whole(databases: Databases) -> None:
    await poison(databases)
    async with committer(databases) as taking:
        with pytest.raises(UnprocessableError, match="no poison here"):
            await taking.commit(request_of([cloud_event(), cloud_event(id="poison")], strict=True))
    assert await scalar(databases, "SELECT count(*) FROM event") == 0


async def test_a_strict_request_shares_its_fate_with_no_other(databases: Databases) -> None:
    async with committer(databases, lanes=1) as taking:
        outcomes = await asyncio.gather(
            taking.commit(request_of([cloud_event(id="1")])),
            taking.commit(request_of([cloud_event(id="2"), cloud_event(id="1", data={})], strict=True)),
            taking.commit(request_of([cloud_event(id="3")])),
            return_exceptions=True,
        )
    assert isinstance(outcomes[1], NotAllTakenError)
    assert [outcome.stored for outcome in (outcomes[0], outcomes[2]) if isinstance(outcome, Report)] == [1, 1]


async def test_senders_are_told_to_come_back_when_too_much_waits(databases: Databases) -> None:
    event = request_of([cloud_event()]).events[0]
    large = msgspec.structs.replace(request_of([]), events=[event] * (MOST_WAITING // 2))
    async with committer(databases) as taking:
        first = asyncio.create_task(taking.commit(large))
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError) as caught:
            await taking.commit(large)
        assert caught.value.retry_after > 0
        assert not isinstance(caught.value, UnavailableError)
        assert (await first).stored == 1
        assert (await taking.commit(request_of([cloud_event()]))).stored == 1
        heavy = msgspec.structs.replace(request_of([cloud_event()]), size=10**9)
        with pytest.raises(OverloadedError):
            await taking.commit(heavy)


def sender(**changes: Any) -> Sender:
    return Sender("http", "supplier", uuid4(), **changes)


class Answers:
    """Who was answered, in order, and how many were refused."""

    def __init__(self, taking: GroupCommitter) -> None:
        self.taking = taking
        self.order: list[str] = []
        self.refused = 0

    async def ask(self, name: str, request: IngestRequest) -> None:
        try:
            await self.taking.commit(request)
        except OverloadedError:
            self.refused += 1
        else:
            self.order.append(name)


async def test_a_key_that_floods_does_not_keep_a_quiet_one_waiting(databases: Databases) -> None:
    loud, quiet = sender(), sender()
    event = request_of([cloud_event()]).events[0]
    full = msgspec.structs.replace(request_of([], loud), events=[event] * TURN)
    async with committer(databases, lanes=1) as taking:
        answers = Answers(taking)
        asked = [asyncio.create_task(answers.ask("loud", full)) for _ in range(40)]
        await asyncio.sleep(0)
        asked += [asyncio.create_task(answers.ask("quiet", request_of([cloud_event()], quiet))) for _ in range(20)]
        await asyncio.gather(*asked)
    assert answers.order.count("quiet") == 20
    assert answers.refused == 40 - answers.order.count("loud") > 0  # who fills the queue is refused, and nobody else
    # The first group may have been taken before the quiet one came; in the next, its turn comes after one of the loud.
    assert answers.order.index("quiet") <= MOST_IN_GROUP // TURN + 1


async def test_strict_requests_of_one_key_do_not_hold_up_another(databases: Databases) -> None:
    loud, quiet = sender(), sender()
    async with committer(databases, lanes=1) as taking:
        answers = Answers(taking)
        strict = [request_of([cloud_event()], loud, strict=True) for _ in range(12)]
        asked = [asyncio.create_task(answers.ask("loud", request)) for request in strict]
        await asyncio.sleep(0)
        asked.append(asyncio.create_task(answers.ask("quiet", request_of([cloud_event()], quiet))))
        await asyncio.gather(*asked)
    assert answers.order.index("quiet") <= 2


async def limited(databases: Databases, **quota: int) -> Sender:
    """The sender of a key with such a quota."""
    async with databases.worker.transaction(no_accounts()) as tx:
        made = await create_key(tx, KeyGrant(KeyKind.INGEST, "limited", quota=Quota(**quota)))
    return Sender("http", "supplier", made.key_id, limited=True)


async def test_of_what_waits_together_only_what_is_over_its_quota_is_refused(databases: Databases) -> None:
    some, free = await limited(databases, daily_quota=3), sender()
    async with committer(databases, lanes=1) as taking:
        outcomes = await asyncio.gather(
            *(taking.commit(request_of([cloud_event()], one)) for one in (some, free, some, free, some, some, some)),
            return_exceptions=True,
        )
    kinds = [type(outcome).__name__ for outcome in outcomes]
    assert kinds == ["Report", "Report", "Report", "Report", "Report", "QuotaError", "QuotaError"]
    assert await scalar(databases, "SELECT count(*) FROM event") == 5
    assert await scalar(databases, "SELECT used FROM key_usage") == 3


async def test_two_committers_share_one_quota(databases: Databases) -> None:
    some = await limited(databases, daily_quota=50)
    async with committer(databases) as one, committer(databases) as other:
        outcomes = await asyncio.gather(
            *(each.commit(request_of([cloud_event()], some)) for _ in range(40) for each in (one, other)),
            return_exceptions=True,
        )
    assert sum(isinstance(outcome, Report) for outcome in outcomes) == 50
    assert sum(isinstance(outcome, QuotaError) for outcome in outcomes) == 30
    assert await scalar(databases, "SELECT count(*) FROM event") == 50


async def test_a_strict_request_over_quota_stores_nothing_and_costs_nothing(databases: Databases) -> None:
    some = await limited(databases, daily_quota=3)
    async with committer(databases) as taking:
        assert (await taking.commit(request_of([cloud_event(), cloud_event()], some, strict=True))).stored == 2
        with pytest.raises(QuotaError):
            await taking.commit(request_of([cloud_event(), cloud_event()], some, strict=True))
        with pytest.raises(NotAllTakenError):
            await taking.commit(request_of([cloud_event(id=None)], some, strict=True))
        assert (await taking.commit(request_of([cloud_event()], some, strict=True))).stored == 1
    assert await scalar(databases, "SELECT used FROM key_usage") == 3


async def test_events_that_the_database_cannot_keep_are_charged_once(databases: Databases) -> None:
    await poison(databases)
    some = await limited(databases, daily_quota=4)
    events = [cloud_event(id=name) for name in ("a", "poison", "b", "c")]
    async with committer(databases) as taking:
        report = await taking.commit(request_of(events, some))
        assert (report.stored, len(report.rejections)) == (3, 1)
        with pytest.raises(QuotaError):
            await taking.commit(request_of([cloud_event()], some))
    assert await scalar(databases, "SELECT used FROM key_usage") == 4


async def test_a_sender_that_goes_away_does_not_disturb_the_others(databases: Databases) -> None:
    async with committer(databases, lanes=1) as taking:
        gone = asyncio.create_task(taking.commit(request_of([cloud_event(id="1")])))
        stays = asyncio.create_task(taking.commit(request_of([cloud_event(id="2")])))
        await asyncio.sleep(0)
        gone.cancel()
        assert (await stays).stored == 1
        report = await taking.commit(request_of([cloud_event(id="1")]))
        assert report.stored + report.duplicates == 1


async def test_nothing_is_taken_before_it_runs_or_after(databases: Databases) -> None:
    taking = GroupCommitter(databases.ingest)
    with pytest.raises(UnavailableError):
        await taking.commit(request_of([cloud_event()]))
    async with taking.running():
        last = asyncio.create_task(taking.commit(request_of([cloud_event()])))
        await asyncio.sleep(0)
    assert (await last).stored == 1  # what was taken before the end is stored
    with pytest.raises(UnavailableError):
        await taking.commit(request_of([cloud_event()]))


async def test_a_fault_of_ours_reaches_the_sender_and_the_next_request_is_served(databases: Databases) -> None:
    await execute(databases, "ALTER TABLE ingest_tally RENAME TO gone")
    async with committer(databases) as taking:
        with pytest.raises(Exception, match="ingest_tally"):
            await taking.commit(request_of([cloud_event()]))
        await execute(databases, "ALTER TABLE gone RENAME TO ingest_tally")
        assert (await taking.commit(request_of([cloud_event()]))).stored == 1


async def test_a_database_that_does_not_answer_is_unavailable_in_time(databases: Databases) -> None:
    # Long enough for the second send, which is to be stored, on a busy machine too.
    async with databases.admin.engine.connect() as connection, committer(databases, patience=1.5) as taking:
        await connection.exec_driver_sql("LOCK TABLE event_key")
        with pytest.raises(UnavailableError) as caught:
            await taking.commit(request_of([cloud_event(id="1")]))
        assert caught.value.retry_after > 0
        await connection.rollback()
        # It may have been stored all the same: sent again, it counts once.
        report = await taking.commit(request_of([cloud_event(id="1")]))
        assert report.stored + report.duplicates == 1
    assert await scalar(databases, "SELECT count(*) FROM event") == 1


async def test_events_go_in_again_as_soon_as_the_database_is_back() -> None:
    with tempfile.TemporaryDirectory(prefix="vp-") as folder:
        with running(Path(folder)) as server:
            admin = Database(server.url, None)
            await migrate.upgrade(admin)
            await admin.dispose()
            url = server.url
        database = Database(url, Role.INGEST)
        async with GroupCommitter(database).running() as taking:
            with pytest.raises(UnavailableError):
                await taking.commit(request_of([cloud_event(id="1")]))
            for number in (1, 2):
                with running(Path(folder)):
                    report = await patient(taking, str(number))
                    assert report.stored == 1
        await database.dispose()


async def patient(taking: GroupCommitter, event_id: str) -> Report:
    """As a sender that comes back: a connection from before the stop fails once, at most."""
    try:
        return await taking.commit(request_of([cloud_event(id=event_id)]))
    except UnavailableError:
        return await taking.commit(request_of([cloud_event(id=event_id)]))
