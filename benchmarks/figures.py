"""One JSON line a figure, as `checks.md` asks."""

import json
import sys
from typing import NamedTuple


class Measured(NamedTuple):
    """A value, and the limit or peer that ran beside it."""

    value: float
    baseline: float


def figure(key: str, name: str, measured: Measured, *, target: float, unit: str, n: int) -> None:
    """Print a figure: the value beside the baseline measured in the same run, and the target for it."""
    line = {"id": key, "name": name, "value": round(measured.value, 4), "baseline": round(measured.baseline, 4)}
    sys.stdout.write(json.dumps({**line, "target": target, "unit": unit, "n": n}) + "\n")
    sys.stdout.flush()
