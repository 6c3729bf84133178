"""J1: change points in the Turing Change Point Dataset, by the metrics of its paper, with one setting for all series.

F1 with a margin of five (index 0 is always a change) and the covering metric, each against the marks of several people
and averaged over the series (van den Burg and Williams 2020). The baseline says there is no change. Beside them, the
time that a year of days takes. Run: `python -m benchmarks.change_points --data DIR [--quick]`, DIR with
`annotations.json` and `datasets/*.json`."""

import argparse
import json
import math
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.figures import Measured, figure
from benchmarks.shared import data_folder
from valueplatform.narrative.judgment.change_points import change_points
from valueplatform.narrative.judgment.shifts import shifts

MARGIN = 5
SEASON = (1.0, 1.1, 1.05, 1.0, 0.9, 0.4, 0.2)

Marks = Mapping[str, Sequence[int]]


def f_measure(marks: Marks, found: Iterable[int]) -> float:
    """Precision against the marks of all people together, recall as the mean over people."""
    predicted = {*found, 0}
    people = [{*given, 0} for given in marks.values()]
    precision = _matched(set().union(*people), predicted) / len(predicted)
    recall = statistics.fmean(_matched(given, predicted) / len(given) for given in people)
    return 2 * precision * recall / (precision + recall)


def _matched(marks: Iterable[int], found: set[int]) -> int:
    """Marks with a found change within the margin, each change used once."""
    left = set(found)
    matched = 0
    for mark in sorted(marks):
        near = sorted((abs(mark - each), each) for each in left if abs(mark - each) <= MARGIN)
        if near:
            matched += 1
            left.remove(near[0][1])
    return matched


def covering(marks: Marks, found: Iterable[int], length: int) -> float:
    """How well each marked stretch is covered by its best found one, weighed by length, as the mean over people."""
    predicted = _stretches(found, length)
    return statistics.fmean(
        sum(len(each) * max(_overlap(each, other) for other in predicted) for each in _stretches(given, length))
        / length
        for given in marks.values()
    )


def _stretches(changes: Iterable[int], length: int) -> list[range]:
    bounds = [0, *sorted({each for each in changes if 0 < each < length}), length]
    return [range(*pair) for pair in pairwise(bounds)]


def _overlap(one: range, other: range) -> float:
    shared = max(0, min(one.stop, other.stop) - max(one.start, other.start))
    return shared / (len(one) + len(other) - shared)


def read(folder: Path) -> dict[str, tuple[list[float], Marks]]:
    """Series of one dimension and their marks, by name. What has several dimensions or no marks is left out, and
    named."""
    marks = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))
    found = {}
    for path in sorted((folder / "datasets").rglob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        if len(document["series"]) != 1 or document["name"] not in marks:
            sys.stderr.write(f"{document['name']} has several dimensions or no marks, and is left out.\n")
            continue
        values = [math.nan if value is None else float(value) for value in document["series"][0]["raw"]]
        found[document["name"]] = (values, marks[document["name"]])
    return found


def milliseconds(judge: Callable[[list[float]], object], repeats: int) -> float:
    """Processor time of one daily series of a year."""
    rng = random.Random(7)
    years = [[100 * SEASON[i % 7] * rng.gauss(1, 0.2) for i in range(365)] for _ in range(repeats)]
    began = time.process_time()
    for year in years:
        judge(year)
    return (time.process_time() - began) / repeats * 1000


def main(folder: Path, *, quick: bool) -> None:
    given = read(folder)
    found = {name: change_points(values) for name, (values, _) in given.items()}
    n = len(given)
    f1 = statistics.fmean(f_measure(marks, found[name]) for name, (_, marks) in given.items())
    none = statistics.fmean(f_measure(marks, ()) for _, marks in given.values())
    figure("J1", "change points, F1 (baseline: no change)", Measured(f1, none), target=0.74, unit="F1", n=n)
    cover = statistics.fmean(covering(marks, found[name], len(values)) for name, (values, marks) in given.items())
    none = statistics.fmean(covering(marks, (), len(values)) for values, marks in given.values())
    figure("J1", "change points, covering (baseline: no change)", Measured(cover, none), target=0.70, unit="cover", n=n)
    repeats = 5 if quick else 50
    for name, judge in (("change points", change_points), ("confirmed shifts", shifts)):
        took = Measured(milliseconds(judge, repeats), 10)
        figure("J1-speed", f"{name} of a year of days (baseline: limit)", took, target=10, unit="ms", n=repeats)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="time fewer series")
    parser.add_argument("--data", type=Path, help="the Turing Change Point Dataset, or a part of it")
    arguments = parser.parse_args()
    main(data_folder(arguments.data, "tcpd"), quick=arguments.quick)
