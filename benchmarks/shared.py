"""Test data that lies beside the project and is never part of it."""

import sys
from pathlib import Path


def data_folder(given: Path | None, name: str) -> Path:
    """The folder given on the command line, else the one of that name in `../shared/data`. Ends the program, with the
    cure, where there is none."""
    folder = given or Path(__file__).resolve().parents[2] / "shared" / "data" / name
    if not folder.is_dir():
        sys.exit(f"No data at {folder}. Say where it is with --data DIR.")
    return folder
