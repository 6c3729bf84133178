"""J2: contribution analysis of the RobustSpot incidents, whose truth is the slice that made value / cnt change.

Top-1 and top-3 accuracy, the slice exactly. The baseline ranks slices of one and two dimensions by their excess over
their own earlier rate times the log of how the rate changed. Only what was known at the time stamp is read. Run:
`python -m benchmarks.contribution --data DIR [--quick]`, DIR with `incidents.yaml` and a CSV (or .csv.gz) each.
"""

import argparse
import csv
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import yaml

from benchmarks.figures import Measured, figure
from benchmarks.shared import data_folder, lines
from valueplatform.narrative.judgment.root_cause import Row, causes

Slice = frozenset[tuple[str, str]]


class Incident(NamedTuple):
    dimensions: Sequence[str]
    rows: Sequence[Row]
    at: int
    cause: Slice


def read(folder: Path) -> Iterator[Incident]:
    for entry in yaml.safe_load((folder / "incidents.yaml").read_text(encoding="utf-8")):
        reader = csv.DictReader(lines(folder / f"{entry['data']}.csv"))
        dimensions = [name for name in reader.fieldnames or () if name not in {"min", "value", "cnt"}]
        rows = [
            Row(int(row["min"]), tuple(row[d] for d in dimensions), float(row["value"]), float(row["cnt"]))
            for row in reader
        ]
        cause = frozenset((str(name), str(value)) for name, value in entry["cause"].items())
        yield Incident(dimensions, rows, int(entry["timestamp"]), cause)


def ours(incident: Incident) -> list[Slice]:
    return [frozenset(each.slice) for each in causes(incident.dimensions, incident.rows, incident.at)]


def naive(incident: Incident) -> list[Slice]:
    """Excess over the slice's own earlier rate, times the log of the change of rate."""
    scores: dict[Slice, float] = {}
    for size in (1, 2):
        for chosen in combinations(range(len(incident.dimensions)), size):
            sums: defaultdict[Slice, list[float]] = defaultdict(lambda: [0.0] * 4)
            for row in incident.rows:
                if row.period <= incident.at:
                    own = sums[frozenset((incident.dimensions[i], row.labels[i]) for i in chosen)]
                    offset = 2 if row.period == incident.at else 0
                    own[offset] += row.value
                    own[offset + 1] += row.weight
            for name, (value, weight, value_now, weight_now) in sums.items():
                if value > 0 and weight_now > 0 and value_now / weight_now > value / weight:
                    rate, rate_now = value / weight, value_now / weight_now
                    scores[name] = (value_now - rate * weight_now) * math.log(rate_now / rate)
    return sorted(scores, key=lambda name: -scores[name])[:3]


def main(folder: Path, *, quick: bool) -> None:
    incidents = list(read(folder))[:: 5 if quick else 1]
    n = len(incidents)
    answers = [(each.cause, ours(each), naive(each)) for each in incidents]
    for top, target in ((1, 0.75), (3, 0.92)):
        right = sum(cause in found[:top] for cause, found, _ in answers) / n
        simple = sum(cause in found[:top] for cause, _, found in answers) / n
        name = f"true cause among the top {top} (baseline: naive slices)"
        figure("J2", name, Measured(right, simple), target=target, unit="share", n=n)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="every fifth incident")
    parser.add_argument("--data", type=Path, help="the folder of incidents")
    arguments = parser.parse_args()
    main(data_folder(arguments.data, "contribution-incidents"), quick=arguments.quick)
