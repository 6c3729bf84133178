"""R4, the second half: the disk of the database is full while events come in.

Data and write-ahead log each stand on a small file system of their own, and each is filled in turn. Full data refuses
statements; a full log ends the server, which cannot come back before there is room. Run:
`python -m benchmarks.faults --only R4-disk [--quick]` as root, or behind `unshare -Urm`: it has to mount.
"""

import asyncio
import itertools
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from benchmarks.figures import Measured, figure
from benchmarks.ingest import DIFFERENT_ROLLUPS, MODEL, events
from benchmarks.load import request
from benchmarks.machine import Machine, machine
from valueplatform.core.embedded import running

CHUNK = 64 * 1024
DATA, LOG = 512, 96  # mebibytes
BATCH = 500
SENDERS = 4
PAUSE = 0.05  # seconds before what was refused is sent again, and between two looks whether there is room
LOG_SETTINGS = {"max_wal_size": "64MB", "min_wal_size": "32MB", "checkpoint_timeout": "30s"}


class CannotMountError(Exception):
    """No file system of its own may be mounted here."""


@dataclass
class SmallDisk:
    """A file system of limited size. Whatever is left is taken by `fill`, and given back by `free`."""

    path: Path

    @property
    def _filler(self) -> Path:
        return self.path / "filler"

    def fill(self) -> None:
        """To the last byte, again and again: what the database gives back meanwhile is taken too."""
        with self._filler.open("ab", buffering=0) as filler:
            for size in (CHUNK, 4096, 1):
                try:
                    while filler.write(bytes(size)):
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(mebibytes: int) -> Iterator[SmallDisk]:
    """Raises CannotMountError."""
    folder = Path(tempfile.mkdtemp(prefix="vp-disk-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0711", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        if mounted.returncode:
            raise CannotMountError(mounted.stderr.strip())
        yield SmallDisk(folder)
    finally:
        if not mounted.returncode:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


@contextmanager
def small_disks(data: int, log: int) -> Iterator[tuple[Path, dict[str, SmallDisk]]]:
    """A data folder with an empty database, its log on a disk of its own; both sizes in mebibytes."""
    with small_disk(data) as first, small_disk(log) as second:
        folder = first.path / "folder"
        with running(folder / "data", settings=LOG_SETTINGS):
            pass
        kept = folder / "data/postgres/pg_wal"
        shutil.move(kept, second.path / "pg_wal")
        kept.symlink_to(second.path / "pg_wal")
        yield folder, {"data": first, "log": second}


@dataclass
class Load:
    """Senders who send each batch until it is acknowledged. `answers` by status, 503 without Retry-After as -503, none
    at all as 0."""

    machine: Machine
    answers: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    acknowledged: int = 0
    taken: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False

    async def send(self, batches: Iterator[bytes]) -> None:
        for payload in batches:
            taken = await self._took(payload)
            while not taken:
                await asyncio.sleep(PAUSE)
                taken = await self._took(payload)
            self.acknowledged += BATCH
            self.taken.set()
            if self.over:
                return

    async def _took(self, payload: bytes) -> bool:
        begun = time.monotonic()
        try:
            head = (await self.machine.head_of(payload)).lower()
        except OSError:
            status = 0
        else:
            status = int(head.split(b" ", 2)[1])
            status = -status if status == 503 and b"\r\nretry-after: " not in head else status
        self.slowest = max(self.slowest, time.monotonic() - begun)
        self.answers[status] += 1
        return status in {200, 204}


def _batches(key: str) -> Iterator[bytes]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    given = events(10**9, 19)
    while True:
        yield request("/api/v1/events", msgspec.json.encode(list(itertools.islice(given, BATCH))), headers=headers)


async def _while_full(load: Load, disk: SmallDisk, seconds: float) -> float:
    """Keep a disk full for a time; how long after that the first batch was taken."""
    load.answers.clear()
    load.slowest = 0.0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await asyncio.to_thread(disk.fill)
        await asyncio.sleep(PAUSE)
    disk.free()
    load.taken.clear()
    freed = time.monotonic()
    await load.taken.wait()
    return time.monotonic() - freed


async def disk_full(*, quick: bool) -> None:
    away = 3 if quick else 30
    try:
        with small_disks(DATA, LOG) as (folder, disks):
            await _tried(folder, disks, away)
    except CannotMountError as error:
        sys.stderr.write(f"R4-disk was not tried: no file system may be mounted here ({error}).\n")


async def _tried(folder: Path, disks: dict[str, SmallDisk], away: float) -> None:
    async with machine(MODEL, LOG_SETTINGS, folder) as product:
        load, batches = Load(product), _batches(product.key)
        wrong = 0
        async with asyncio.TaskGroup() as senders:
            for _ in range(SENDERS):
                senders.create_task(load.send(batches))
            await load.taken.wait()
            for name, disk in disks.items():
                back = await _while_full(load, disk, away)
                wrong += _told(name, load, back, away)
            load.over = True
        missing, different = await _lost(product, load.acknowledged)
        await product.rows("DELETE FROM event WHERE id = (SELECT min(id) FROM event) RETURNING 1")
        control = await _lost(product, load.acknowledged)
    name = "acknowledged events missing or doubled afterward; control: one is taken out"
    figure("R4-disk", name, Measured(missing, control[0]), target=0, unit="events", n=load.acknowledged)
    name = "rollups that a recount contradicts; control: the same"
    figure("R4-disk", name, Measured(different, control[1]), target=0, unit="rows", n=load.acknowledged)
    if missing or different or wrong or not all(control):
        raise SystemExit(1)


async def _lost(product: Machine, acknowledged: int) -> tuple[int, int]:
    """Events missing or doubled, and rollups that differ from a recount."""
    ((stored, keys),) = await product.rows("SELECT count(*), count(DISTINCT event_key) FROM event")
    ((different,),) = await product.rows(DIFFERENT_ROLLUPS)
    return abs(acknowledged - stored) + stored - keys, different


def _told(name: str, load: Load, back: float, away: float) -> int:
    """How many answers were neither a success nor a 503 with Retry-After."""
    refused = load.answers[503]
    other = sum(count for status, count in load.answers.items() if status not in {200, 204, 503})
    what = f"answers but success and 503 with Retry-After while the disk of the {name} is full; beside: such 503"
    figure("R4-disk", what, Measured(other, refused), target=0, unit="answers", n=sum(load.answers.values()))
    what = f"longest wait for an answer while the disk of the {name} is full"
    figure("R4-disk", what, Measured(load.slowest, 0), target=5, unit="s", n=int(away))
    figure("R4-disk", f"from room for the {name} to the first success", Measured(back, 0), target=5, unit="s", n=1)
    return other + (not refused)
