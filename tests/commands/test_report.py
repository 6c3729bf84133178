from pathlib import Path

import msgspec
import pytest

from tests.api.world import HARBOR, a_world
from tests.commands.factories import run
from tests.conftest import Server
from valueplatform.core.clock import system_clock

REPORT = f"/api/v1/accounts/{HARBOR}/report"
MAY = {"from": "2026-05-01", "to": "2026-06-01"}
FLAGS = ("--from", "2026-05-01", "--to", "2026-06-01")


@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize("who", ["admin", "tessera"])
async def test_command_and_api_give_the_same_bytes(server: Server, tmp_path: Path, form: str, who: str) -> None:
    async with a_world(server) as world:
        provider = () if who == "admin" else ("--provider", who)
        file = tmp_path / f"report.{form}"
        ran = await run(world.databases, "report", HARBOR, "--format", form, "-o", str(file), *FLAGS, *provider)
        assert (ran.code, ran.out) == (0, ""), ran.err
        world.clock.now = system_clock()
        answer = await world.get(REPORT, who, format=form, **MAY)
        assert _timeless(file.read_bytes()) == _timeless(answer.content)


def _timeless(report: bytes) -> bytes:
    """A partner's story is composed when it is asked for, so its time is another."""
    if not report.startswith(b"{"):
        return report
    told = msgspec.json.decode(report)
    return msgspec.json.encode(told | {"story": {n: v for n, v in told["story"].items() if n != "composed_at"}})


async def test_without_a_file_it_goes_to_standard_output(server: Server) -> None:
    async with a_world(server) as world:
        ran = await run(world.databases, "report", HARBOR, "--format", "csv", *FLAGS)
    assert ran.out.splitlines()[0].startswith("account,window_start,driver,")
    assert "dispatch_time" in ran.out


async def test_misuse_and_what_is_not_there(server: Server) -> None:
    async with a_world(server, filled=False) as world:
        assert (await run(world.databases, "report", HARBOR)).code == 2
        assert (await run(world.databases, "report", HARBOR, "--format", "pdf")).code == 2
        assert (await run(world.databases, "report", "nobody", "--format", "csv")).code == 1
        backwards = await run(
            world.databases, "report", HARBOR, "--format", "csv", "--from", "2026-06-01", "--to", "2026-05-01"
        )
    assert (backwards.code, "must be after" in backwards.err) == (1, True)
