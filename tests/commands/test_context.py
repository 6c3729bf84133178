"""How commands run and speak."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import rich_click as click
from click.testing import CliRunner
from rich.table import Table

from tests.commands.factories import run
from tests.conftest import Databases
from valueplatform.commands.context import asynchronous, examples, help_block, json_option, say, table_text
from valueplatform.core.errors import ConflictError


@click.command()
@json_option
@click.pass_context
@asynchronous
async def conflicting(ctx: click.Context) -> None:
    raise ConflictError("Row 3 says something else; take it out.", {"row": 3})


@click.command()
@json_option
@click.pass_context
@asynchronous
async def fine(ctx: click.Context) -> None:
    say(ctx, {"b": 1, "a": None}, "All is fine.")


def test_a_problem_is_one_line_on_standard_error_and_exit_code_1() -> None:
    result = CliRunner().invoke(conflicting)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: Row 3 says something else; take it out.\n"


def test_a_problem_is_json_where_that_is_wanted() -> None:
    result = CliRunner().invoke(conflicting, ["--json"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert msgspec.json.decode(result.stderr) == {
        "code": "conflict",
        "message": "Row 3 says something else; take it out.",
        "detail": {"row": 3},
    }


def test_a_result_is_text_or_json() -> None:
    assert CliRunner().invoke(fine).stdout == "All is fine.\n"
    assert CliRunner().invoke(fine, ["--json"]).stdout == '{"a":null,"b":1}\n'


async def test_misuse_is_exit_code_2(databases: Databases) -> None:
    for arguments in (["user", "create"], ["no-such-command"], ["user", "list", "--no-such-option"]):
        ran = await run(databases, *arguments)
        assert (ran.code, ran.out) == (2, "")
        assert "Usage:" in ran.err


def test_lines_of_help_are_shown_as_they_are() -> None:
    def command() -> None:
        """Does it.

        Twice.
        """

    help_block("Words", "one  two")(command)
    examples("run this")(command)
    text = CliRunner().invoke(click.command()(command), ["--help"]).output
    assert "one  two" in text
    assert text.index("Twice.") < text.index("Words:") < text.index("Examples:") < text.index("run this")


def test_a_table_is_never_cut() -> None:
    table = Table("a", "b")
    table.add_row("x" * 300, "y")
    assert "x" * 300 + "  y" in table_text(table)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_command_that_is_told_to_stop_takes_its_database_with_it(tmp_path: Path, number: signal.Signals) -> None:
    program = """
import asyncio, os, signal, sys
import rich_click as click
from valueplatform.commands.context import asynchronous, opened

@click.command()
@click.pass_context
@asynchronous
async def wait(ctx):
    async with opened(ctx):
        print("open", flush=True)
        await asyncio.Event().wait()

wait()
"""
    env = {**os.environ, "VALUEPLATFORM_DATA_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    env.pop("DATABASE_URL", None)
    with subprocess.Popen([sys.executable, "-c", program], env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        assert (tmp_path / "postgres" / "postmaster.pid").exists()
        process.send_signal(number)
        assert process.wait(timeout=30) in {1, 143}
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()
