"""The command line. A command's module is loaded when the command is asked for, so that `--help` answers at once."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final

import rich_click as click

from valueplatform.commands.context import data_dir_option

COMMANDS: Final[Mapping[str, str]] = {
    "demo": "valueplatform.commands.demo:demo",
    "serve": "valueplatform.commands.serve:serve",
    "worker": "valueplatform.commands.worker:worker",
    "db": "valueplatform.commands.db:db",
    "doctor": "valueplatform.commands.doctor:doctor",
    "model": "valueplatform.commands.model:model",
    "import": "valueplatform.commands.imports:import_command",
    "rates": "valueplatform.commands.rates:rates",
    "key": "valueplatform.commands.keys:key",
    "user": "valueplatform.commands.users:user",
    "story": "valueplatform.commands.story:story",
    "report": "valueplatform.commands.report:report",
    "verify": "valueplatform.commands.verify:verify",
    "close": "valueplatform.commands.verify:close",
    "meters": "valueplatform.commands.meters:meters",
    "archive": "valueplatform.commands.archive:archive",
    "erase": "valueplatform.commands.erase:erase",
    "train": "valueplatform.commands.suggestions:train_command",
    "suggest": "valueplatform.commands.suggestions:suggest",
}
"""Every command by name, as module:attribute, in the order of the help."""


class LazyGroup(click.RichGroup):
    """A group whose commands are named in `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click asks with a context
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name]} is no command")
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="valueplatform")
@data_dir_option
def main() -> None:
    """Shows every customer of a B2B supplier the value they really get.

    Every command finds its database by DATABASE_URL, else embedded in the data folder.
    """
