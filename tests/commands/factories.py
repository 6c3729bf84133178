"""Commands as a person would run them, on the database of a test."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from click.testing import CliRunner

from tests.conftest import Databases
from valueplatform.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit code, and what it said where."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.out)


async def run(where: Databases | Path | str, *arguments: str) -> Ran:
    """`valueplatform …` on a database, an address, or a data folder. A bug raises, as it would print a traceback."""
    names = ("DATABASE_URL", "VALUEPLATFORM_DATA_DIR")
    env: dict[str, str | None] = {name: None for name in os.environ if name.startswith(names)}
    match where:
        case Databases():
            env["DATABASE_URL"] = where.url
        case Path():
            env["VALUEPLATFORM_DATA_DIR"] = str(where)
        case _:
            env["DATABASE_URL"] = where
    # In a thread of its own, since a command runs an event loop of its own.
    result = await asyncio.to_thread(CliRunner(env=env, catch_exceptions=False).invoke, main, list(arguments))
    return Ran(result.exit_code, result.stdout, result.stderr)
