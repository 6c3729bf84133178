"""R1 to R5, R7: what goes wrong around ingest, and what is left of the events afterward.

R1 kills server and database again and again under load; its control runs with `synchronous_commit=off` and must be
caught losing. R2 counts mixed events, and compares what a shuffled half-doubled history leaves with what the plain one
does. R3 sends one event many times at once. R4 stops the database, and R4-disk fills its disk (`benchmarks.full_disk`).
R5 attacks the server while others send. R7 is `benchmarks.time_bounds`.
Run: `python -m benchmarks.faults [--quick] [--only R3 R7]`.
"""

import argparse
import asyncio
import gzip
import random
import resource
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from benchmarks.figures import Measured, figure
from benchmarks.full_disk import disk_full
from benchmarks.ingest import DIFFERENT_ROLLUPS, MODEL, events
from benchmarks.load import HEADER_END, request
from benchmarks.machine import HOST, Machine, machine
from benchmarks.time_bounds import bounds_of_time

BATCH = 500
SENDERS = 8
CONNECTIONS = 4096
PAUSE = 0.05  # seconds before a batch that was not acknowledged is sent again
NOT_DURABLE = {"synchronous_commit": "off", "wal_writer_delay": "10s", "wal_writer_flush_after": "1GB"}
CONTENT = """
    SELECT md5(string_agg(line, '|' ORDER BY line)) FROM (
        SELECT concat_ws(',', a.key, e.event_key, e.source, e.id, e.type, e.time, e.utc_day, e.provider, e.data) AS line
        FROM event e JOIN account a USING (account_id)
        UNION ALL
        SELECT concat_ws(',', a.key, r.meter, r.day, r.provider, r.dimensions, r.events, r.total)
        FROM rollup r JOIN account a USING (account_id)
        UNION ALL
        SELECT concat_ws(',', a.key, m.meter, m.day, m.provider, m.dimensions, m.member)
        FROM rollup_member m JOIN account a USING (account_id)
    ) content
"""


def _posts(running: Machine, batches: Iterator[Sequence[dict[str, Any]]]) -> deque[bytes]:
    headers = {"Authorization": f"Bearer {running.key}", "Content-Type": "application/json"}
    return deque(request("/api/v1/events", msgspec.json.encode(batch), headers=headers) for batch in batches)


def _cut(given: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    return (given[start : start + BATCH] for start in range(0, len(given), BATCH))


async def _send_until_taken(running: Machine, waiting: deque[bytes], taken: Callable[[], None]) -> None:
    """Send each batch until it is acknowledged, as clients do."""
    while waiting:
        payload = waiting.popleft()
        while True:
            try:
                status = await running.post(payload)
            except OSError:
                status = 0
            if 200 <= status < 300:
                break
            assert status in {0, 429, 503}, status
            await asyncio.sleep(PAUSE)
        taken()


async def kills(count: int, times: int, settings: Mapping[str, str], *, servers: bool) -> tuple[int, int]:
    """Events that are missing or doubled, and rollup rows that differ, after `times` kills."""
    async with machine(MODEL, settings) as running:
        waiting = _posts(running, _cut(list(events(count, 11))))
        batches, done = len(waiting), 0
        turns = [asyncio.Event() for _ in range(times)]

        def taken() -> None:
            nonlocal done
            done += 1
            for turn in turns[: done * (times + 1) // batches]:
                turn.set()

        async with asyncio.TaskGroup() as senders:
            for _ in range(SENDERS):
                senders.create_task(_send_until_taken(running, waiting, taken))
            for number, turn in enumerate(turns):
                await turn.wait()
                if servers and number % 2:
                    running.kill_server()
                    await running.start_server()
                else:
                    running.kill_database()
                    await asyncio.to_thread(running.start_database)
        ((stored, keys),) = await running.rows(
            "SELECT (SELECT count(*) FROM event), (SELECT count(DISTINCT event_key) FROM event)"
        )
        ((different,),) = await running.rows(DIFFERENT_ROLLUPS)
    return abs(count - keys) + stored - keys, different


async def killed(*, quick: bool) -> None:
    count, times = (20_000, 3) if quick else (500_000, 20)
    lost, different = await kills(count, times, {}, servers=True)
    control, _ = await kills(count // 5, 3, NOT_DURABLE, servers=False)
    name = f"acknowledged events missing or doubled after {times} kills of server and database; control that must lose"
    figure("R1", name, Measured(lost, control), target=0, unit="events", n=count)
    figure("R1", "rollups that differ from a recount", Measured(different, 0), target=0, unit="rows", n=times)
    if lost or different or not control:
        raise SystemExit(1)


def _mixed(count: int) -> list[dict[str, Any]]:
    """New events, repeats, the same keys with other bodies, and events that cannot be taken."""
    draw = random.Random(7)
    found: list[dict[str, Any]] = []
    for event in events(count, 12):
        fate = draw.random()
        if fate < 0.2 and found:
            found.append(draw.choice(found))
        elif fate < 0.25 and found:
            found.append(draw.choice(found) | {"data": {"minutes": "other"}})
        elif fate < 0.3:
            found.append(event | {"time": "tomorrow"})
        else:
            found.append(event)
    return found


async def counted(*, quick: bool) -> None:
    count = 30_000 if quick else 1_000_000
    async with machine(MODEL) as running:
        await _all_taken(running, _mixed(count))
        ((received, added),) = await running.rows(
            "SELECT sum(received), sum(stored + duplicates + conflicts + rejected) FROM ingest_tally"
        )
        ((stored, tallied),) = await running.rows(
            "SELECT (SELECT count(*) FROM event), (SELECT sum(stored) FROM ingest_tally)"
        )
    off = abs(count - int(received)) + abs(count - int(added)) + abs(stored - int(tallied))
    figure("R2", "events unaccounted for among mixed ones", Measured(off, 0), target=0, unit="events", n=count)
    plain = list(events(count, 13))
    draw = random.Random(8)
    shuffled = plain + draw.sample(plain, int(0.3 * count))
    draw.shuffle(shuffled)
    contents = []
    for given in (plain, shuffled, plain[:-1]):
        async with machine(MODEL) as running:
            await _all_taken(running, given)
            contents.append((await running.rows(CONTENT))[0][0])
    same, told = contents[0] == contents[1], contents[0] != contents[2]
    name = "shuffled with 30 % duplicates leaves the same content; control: one event less is told apart"
    figure("R2", name, Measured(same, told), target=1, unit="boolean", n=count)
    if off or not same or not told:
        raise SystemExit(1)


async def _all_taken(running: Machine, given: Sequence[dict[str, Any]]) -> None:
    waiting = _posts(running, _cut(given))
    await asyncio.gather(*(_send_until_taken(running, waiting, lambda: None) for _ in range(SENDERS)))


async def repeated(*, quick: bool) -> None:
    """One id, sent at once by many: with one body, with two, and again by senders who never heard the answer."""
    sends = 200 if quick else 1_000
    one, other, *lost = events(sends + 2, 18)
    async with machine(MODEL) as running:
        await _all_at_once(running, [one] * sends)
        same = await _count(running, "event")
        await _all_at_once(running, [other | {"data": {"minutes": number % 2}} for number in range(sends)])
        two = await _count(running, "event") - same, await _count(running, "event_conflict")
        await asyncio.gather(*(running.post_and_hang_up(post) for post in _posts(running, ([each] for each in lost))))
        await _all_at_once(running, lost)
        ((stored, ids),) = await running.rows("SELECT count(*), count(DISTINCT id) FROM event")
        ((received, added),) = await running.rows(
            "SELECT sum(received), sum(stored + duplicates + conflicts + rejected) FROM ingest_tally"
        )
    wrong = abs(stored - sends - 2) + stored - ids + int(abs(received - added))
    name = "copies of one event beyond the first, sent many times at once; control: as many ids"
    figure("R3", name, Measured(same - 1, stored - 2), target=0, unit="events", n=sends)
    name = "events and conflicts kept of one id with two bodies, beyond one of each"
    figure("R3", name, Measured(abs(two[0] - 1) + abs(two[1] - 1), 0), target=0, unit="events", n=sends)
    name = "events missing or doubled after senders who lost the answer came again"
    figure("R3", name, Measured(wrong, 0), target=0, unit="events", n=sends)
    if same != 1 or two != (1, 1) or wrong:
        raise SystemExit(1)


async def _all_at_once(running: Machine, given: Sequence[dict[str, Any]]) -> None:
    """Each in a request and over a connection of its own, until it is acknowledged."""
    waiting = [deque([post]) for post in _posts(running, ([event] for event in given))]
    await asyncio.gather(*(_send_until_taken(running, one, lambda: None) for one in waiting))


async def _count(running: Machine, table: str) -> int:
    ((count,),) = await running.rows(f"SELECT count(*) FROM {table}")
    return int(count)


async def stopped(*, quick: bool) -> None:
    """The database is away for 30 seconds: senders are told at once, and served soon after it is back."""
    away, count = (3, 5_000) if quick else (30, 50_000)
    async with machine(MODEL) as running:
        await _all_taken(running, list(events(count, 14)))
        (probe,) = _posts(running, iter([list(events(1, 15))]))
        slowest = 0.0
        with running.stopped_database():
            until = time.monotonic() + away
            while time.monotonic() < until:
                begun = time.monotonic()
                status = await running.post(probe)
                slowest = max(slowest, time.monotonic() - begun)
                assert status == 503, status
        begun = time.monotonic()
        await _send_until_taken(running, deque([probe]), lambda: None)
        back = time.monotonic() - begun
        ((stored,),) = await running.rows("SELECT count(*) FROM event")
    figure("R4", "longest wait for 503 while the database is away", Measured(slowest, 0), target=5, unit="s", n=away)
    figure("R4", "from its return to the first success", Measured(back, 0), target=5, unit="s", n=1)
    figure("R4", "events missing afterward", Measured(count + 1 - stored, 0), target=0, unit="events", n=count + 1)


class Attacks:
    """What hostile or broken clients send; each ends with the status, or 0 where the connection was dropped."""

    def __init__(self, running: Machine) -> None:
        self.running = running
        self.head = {"Authorization": f"Bearer {running.key}", "Content-Type": "application/json"}

    async def slow(self) -> int:
        """A body that is announced and never comes whole."""
        async with self._connection(request("/api/v1/events", b"", headers=self.head).replace(
            b"Content-Length: 0", b"Content-Length: 1000"
        ) + b"[") as reader:  # fmt: skip
            return await _status(reader)

    async def endless(self) -> int:
        """A gigabyte in chunks, without its length."""
        start = request("/api/v1/events", b"", headers=self.head | {"Transfer-Encoding": "chunked"})
        chunk = b"%x\r\n" % 65536 + b" " * 65536 + b"\r\n"
        reader, writer = await asyncio.open_connection(HOST, self.running.port)
        writer.write(start.replace(b"Content-Length: 0\r\n", b""))
        answer = asyncio.create_task(_status(reader))
        try:
            for _ in range(16_384):
                if answer.done():
                    break
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
        return await answer

    async def bomb(self) -> int:
        """A thousand bytes unpack from each that is sent."""
        body = gzip.compress(b" " * (200 * 1024 * 1024))
        return await self._whole(body, self.head | {"Content-Encoding": "gzip"})

    async def deep(self) -> int:
        return await self._whole(b'{"data":' + b"[" * 10_000 + b"]" * 10_000 + b"}", self.head)

    async def _whole(self, body: bytes, headers: dict[str, str]) -> int:
        async with self._connection(request("/api/v1/events", body, headers=headers)) as reader:
            return await _status(reader)

    @asynccontextmanager
    async def _connection(self, payload: bytes) -> AsyncIterator[asyncio.StreamReader]:
        reader, writer = await asyncio.open_connection(HOST, self.running.port)
        try:
            writer.write(payload)
            yield reader
        finally:
            writer.close()


async def _status(reader: asyncio.StreamReader) -> int:
    try:
        return int((await reader.readuntil(HEADER_END)).split(b" ", 2)[1])
    except (OSError, asyncio.IncompleteReadError):
        return 0


async def attacked(*, quick: bool) -> None:
    """Attackers are refused in time and cost no memory, and others are served meanwhile."""
    slow = 50 if quick else 500
    async with machine(MODEL) as running:
        await _all_taken(running, list(events(20_000, 16)))
        attacks = Attacks(running)
        before, highest, waits = running.memory(), 0, []
        (probe,) = _posts(running, iter([list(events(1, 17))]))
        each = [attacks.endless, attacks.bomb, attacks.deep]
        begun = time.monotonic()
        under_way = asyncio.gather(
            *(attacks.slow() for _ in range(slow)), *(attack() for attack in each for _ in range(4))
        )
        while not under_way.done():
            asked = time.monotonic()
            assert await running.post(probe) == 204
            waits.append(time.monotonic() - asked)
            highest = max(highest, running.memory())
            await asyncio.sleep(0.02)
        took = time.monotonic() - begun
    refused = sum(status == 0 or 400 <= status < 500 for status in under_way.result())
    attacks_made = len(under_way.result())
    p99 = sorted(waits)[int(len(waits) * 0.99)]
    figure("R5", "attacks refused", Measured(refused, attacks_made), target=attacks_made, unit="requests", n=slow)
    figure("R5", "until the last attack was refused", Measured(took, 0), target=15, unit="s", n=slow)
    growth = (highest - before) / 2**20
    figure("R5", "memory of the server meanwhile", Measured(growth, before / 2**20), target=64, unit="MiB", n=slow)
    figure("R5", "p99 of others meanwhile", Measured(p99, min(waits)), target=1, unit="s", n=len(waits))


RUNS = {
    "R1": killed,
    "R2": counted,
    "R3": repeated,
    "R4": stopped,
    "R4-disk": disk_full,
    "R5": attacked,
    "R7": bounds_of_time,
}


def _allow_connections() -> None:
    """As many files as a thousand connections need, on either side."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < CONNECTIONS:
        resource.setrlimit(resource.RLIMIT_NOFILE, (CONNECTIONS if hard < 0 else min(CONNECTIONS, hard), hard))


async def main(*, quick: bool, only: Sequence[str]) -> None:
    _allow_connections()
    for name, run in RUNS.items():
        if not only or name in only:
            await run(quick=quick)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer events and kills")
    parser.add_argument("--only", nargs="*", default=(), help=", ".join(RUNS))
    parser.add_argument("--data", help="taken for the sake of one form; this benchmark makes its own data")
    given = parser.parse_args()
    asyncio.run(main(quick=given.quick, only=given.only))
