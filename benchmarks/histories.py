"""R8: histories drawn at random (late, corrected, duplicated, retracted, erased, archived; accounts that move to other
zones, assumptions that are stated, validated and disputed, months that close) against independent recomputation.

Every rollup, accrual and posting of every account is compared with what `value.verify` makes of the raw events. Then
bugs are planted into the product one at a time (`planted_bugs`), and the same comparison must see them. Run:
`python -m benchmarks.histories [--quick] [--histories N] [--processes N]`.
"""

import argparse
import asyncio
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, nullcontext
from pathlib import Path

import msgspec

from benchmarks.figures import Measured, figure
from benchmarks.planted_bugs import BUGS, planted
from tests.conftest import FAST, Databases, Operator, Server, _migrated
from tests.value.factories import put_model
from tests.value.histories import Crowd
from tests.value.seven_meters import LIVED
from valueplatform.core.embedded import running

CROWD = 50
"""Histories in one database."""
STEPS = 20
BUGGED = 25, 24
"""Histories, and steps of each, that a planted bug has to show itself in."""
TEMPLATE = "valueplatform_histories"


class Verdict(msgspec.Struct, frozen=True):
    """What was lived through and compared, and how many rows differ; of `examples` the first are told."""

    histories: int = 0
    rows: dict[str, int] = {}
    acts: dict[str, int] = {}
    different: int = 0
    examples: tuple[str, ...] = ()


async def _lived(server: Server, seed: int, size: int, steps: int) -> Verdict:
    async with server.clone(TEMPLATE) as databases:
        with tempfile.TemporaryDirectory(prefix="vp-bench-") as archive:
            crowd = await Crowd.gather(databases, size, seed, Path(archive))
            await crowd.live(steps)
            checked = (await crowd.verified()).values()
            found = [one for each in checked for one in each.discrepancies] + await crowd.intake()
    kinds = ("rollups", "accruals", "postings", "events")
    rows = {kind: sum(getattr(each, kind) for each in checked) for kind in kinds}
    waiting = sum(each.waiting for each in checked)
    examples = tuple(f"{one.what} {one.where}: {one.stated}, recomputed {one.recomputed}" for one in found[:2])
    return Verdict(size, rows, dict(crowd.done), len(found) + waiting, examples)


def _run(job: tuple[str, int, int, int, str | None]) -> tuple[str | None, Verdict]:
    """In a process of its own: one crowd, or one bug."""
    url, seed, size, steps, bug = job
    with closing(Server(url, Operator(url), {TEMPLATE: None})) as server, planted(bug) if bug else nullcontext():
        try:
            return bug, asyncio.run(_lived(server, seed, size, steps))
        except Exception as error:
            if bug is None:
                raise
            # The product stopped by itself; that is something else than the comparison seeing it.
            return bug, Verdict(examples=(f"stopped: {type(error).__name__}: {str(error)[:80]}",))


async def _fill(databases: Databases) -> None:
    await put_model(databases, LIVED)


def _added(verdicts: Iterable[Verdict]) -> Verdict:
    rows: Counter[str] = Counter()
    acts: Counter[str] = Counter()
    histories = different = 0
    for each in verdicts:
        rows.update(each.rows)
        acts.update(each.acts)
        histories, different = histories + each.histories, different + each.different
    return Verdict(histories, dict(rows), dict(acts), different)


def _told(line: str) -> None:
    sys.stderr.write(line + "\n")


def main(*, histories: int, processes: int, quick: bool) -> None:
    bugs = list(BUGS)[:: 6 if quick else 1]
    with (
        tempfile.TemporaryDirectory(prefix="vp-bench-", dir=_memory()) as folder,
        running(Path(folder), settings=FAST) as database,
    ):
        with closing(asyncio.run(_migrated(database.url))) as server:
            asyncio.run(server.template(TEMPLATE, _fill))
            url = server.url
        with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=20) as pool:
            begun = time.perf_counter()
            crowds = [(url, seed, CROWD, STEPS, None) for seed in range(histories // CROWD)]
            lived = _added(_each(pool.imap_unordered(_run, crowds)))
            _told(f"{lived.histories} histories in {time.perf_counter() - begun:.0f} s: {lived.rows}; {lived.acts}")
            watched = dict(pool.imap_unordered(_run, [(url, 7, *BUGGED, bug) for bug in (None, *bugs)]))
    control = watched.pop(None)
    _report(lived, control, {bug: verdict for bug, verdict in watched.items() if bug is not None})


def _each(verdicts: Iterable[tuple[str | None, Verdict]]) -> Iterator[Verdict]:
    lived = 0
    for _, verdict in verdicts:
        for example in verdict.examples:
            _told(example)
        lived += verdict.histories
        if lived % 500 == 0:
            _told(f"{lived} histories so far")
        yield verdict


def _report(lived: Verdict, control: Verdict, bugs: Mapping[str, Verdict]) -> None:
    """A bug is caught by rows that differ with it and do not without."""
    for bug, verdict in bugs.items():
        word = "caught" if verdict.different else "MISSED"
        _told(f"{word}: {bug}: {verdict.different} differences {verdict.examples[:1]}")
    compared = sum(lived.rows[kind] for kind in ("rollups", "accruals", "postings"))
    name = f"rows of {lived.histories} histories that differ from recomputation; compared beside it"
    different = lived.different + control.different
    figure("R8", name, Measured(different, compared), target=0, unit="rows", n=lived.histories)
    caught = sum(verdict.different > 0 for verdict in bugs.values())
    wanted = -(-19 * len(bugs) // 20)
    name = "planted bugs caught by the same comparison; planted beside it"
    figure("R8", name, Measured(caught, len(bugs)), target=wanted, unit="bugs", n=len(bugs))
    if different or caught < wanted:
        raise SystemExit(1)


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of our own is made in it


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few histories, some of the bugs")
    parser.add_argument("--histories", type=int, help="how many, in hundreds")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--data", help="taken for the sake of one form; this benchmark makes its own data")
    asked = parser.parse_args()
    main(histories=asked.histories or (100 if asked.quick else 10_000), processes=asked.processes, quick=asked.quick)
