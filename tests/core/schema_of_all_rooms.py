"""The metadata with the tables of every room: importing a room's `tables` module declares them."""

from importlib import import_module
from pathlib import Path

import valueplatform
from valueplatform.core.schema import metadata

ROOMS = sorted(path.parent.name for path in Path(str(valueplatform.__file__)).parent.glob("*/tables.py"))
for room in ROOMS:
    import_module(f"valueplatform.{room}.tables")

__all__ = ["ROOMS", "metadata"]
