"""The command line as a whole."""

import subprocess
import sys

import pytest
import rich_click as click
from click.testing import CliRunner

from valueplatform.cli import COMMANDS, main


def leaves(name: str) -> list[list[str]]:
    """The commands under a name as they are typed, such as ["db", "upgrade"]."""
    command = main.get_command(click.Context(main), name)
    return [[name, part] for part in command.commands] if isinstance(command, click.Group) else [[name]]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    for command in leaves(name):
        result = CliRunner().invoke(main, [*command, "--help"])
        assert result.exit_code == 0
        assert "Examples:" in result.output
        assert f"valueplatform {name}" in result.output


def test_the_help_names_every_command() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert all(f" {name} " in result.output for name in COMMANDS)


def test_a_command_loads_only_what_it_needs() -> None:
    program = "import sys, valueplatform.cli; sys.exit('polars' in sys.modules or 'litestar' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": ":".join(sys.path)})
