"""The metadata with the tables of every room: importing a room's modules of tables declares them."""

from importlib import import_module
from pathlib import Path

import valueplatform
from valueplatform.core.schema import metadata

MODULES = sorted(Path(str(valueplatform.__file__)).parent.glob("*/*tables.py"))
ROOMS = sorted(path.parent.name for path in MODULES if path.stem == "tables")
for path in MODULES:
    import_module(f"valueplatform.{path.parent.name}.{path.stem}")

__all__ = ["ROOMS", "metadata"]
