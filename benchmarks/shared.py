"""Test data that lies beside the project and is never part of it."""

import gzip
import sys
from pathlib import Path


def data_folder(given: Path | None, name: str) -> Path:
    """The folder given on the command line, else the one of that name in `../shared/data`. Ends the program, with the
    cure, where there is none."""
    folder = given or Path(__file__).resolve().parents[2] / "shared" / "data" / name
    if not folder.is_dir():
        sys.exit(f"No data at {folder}. Say where it is with --data DIR.")
    return folder


def lines(path: Path) -> list[str]:
    """The lines of a text file, or of the one beside it that ends on `.gz`."""
    text = path.read_bytes() if path.exists() else gzip.decompress(path.with_name(f"{path.name}.gz").read_bytes())
    return text.decode("utf-8-sig").splitlines(keepends=True)
