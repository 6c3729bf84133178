"""The disk of the database is full: of its data, then of its log. `benchmarks.full_disk` does it under load."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks.full_disk import LOG_SETTINGS, CannotMountError, SmallDisk, small_disks
from tests.telemetry.factories import NOW, cloud_event, request_of
from valueplatform.commands.context import Databases, connect, upgrade_schema
from valueplatform.core.authorization import operator_scope
from valueplatform.core.embedded import running
from valueplatform.core.errors import UnavailableError
from valueplatform.core.settings import Settings
from valueplatform.telemetry.group_commit import commit_requests
from valueplatform.telemetry.storing import Ledger

BATCH, MOST = 500, 400
"""Events at a time; and times, after which a disk of this size must be full."""


@pytest.fixture
def disks() -> Iterator[tuple[Path, dict[str, SmallDisk]]]:
    try:
        with small_disks(160, 64) as found:
            yield found
    except CannotMountError as error:
        pytest.skip(f"no file system of its own can be mounted here: {error}")


class Sender:
    """Sends batches of new events; the one that was refused is the next."""

    def __init__(self, databases: Databases) -> None:
        self.databases = databases
        self.taken = 0

    async def send(self) -> None:
        ids = range(self.taken * BATCH, (self.taken + 1) * BATCH)
        request = request_of([cloud_event(id=str(number), data={"text": "x" * 200}) for number in ids], now=NOW)
        await commit_requests(self.databases.ingest, [request], Ledger())
        self.taken += 1

    async def send_until_refused(self, disk: SmallDisk) -> None:
        for _ in range(MOST):
            disk.fill()
            await self.send()

    async def send_until_taken(self) -> None:
        before = self.taken
        while self.taken == before:
            try:
                await self.send()
            except UnavailableError:
                continue


async def test_a_full_disk_refuses_for_the_time_being_and_loses_nothing(
    disks: tuple[Path, dict[str, SmallDisk]],
) -> None:
    folder, by_name = disks
    with running(folder / "data", settings={**LOG_SETTINGS, "fsync": "off"}) as server:
        databases = connect(Settings(None, folder), server.url)
        await upgrade_schema(databases)
        sender = Sender(databases)
        for disk in by_name.values():
            with pytest.raises(UnavailableError):
                await sender.send_until_refused(disk)
            disk.free()
            await sender.send_until_taken()
        await databases.dispose()  # of connections to the server before
        async with databases.admin.transaction(operator_scope()) as tx:
            counted = text("SELECT count(*) AS stored, count(DISTINCT id) AS ids FROM event")
            row = await tx.row(counted)
        await databases.dispose()
    assert row is not None
    assert (row.stored, row.ids) == (sender.taken * BATCH, sender.taken * BATCH)
