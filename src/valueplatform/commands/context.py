"""What all commands share: where the database is, how a command runs, and how it speaks.

Exit codes: 0 fine, 1 failed, 2 misused. Results go to standard output, everything else to standard error; with
`--json` both are JSON.
"""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import wraps
from io import StringIO
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import asyncpg
import msgspec
import rich_click as click
from alembic.util.exc import CommandError
from click.exceptions import Exit
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from valueplatform.core import migrate
from valueplatform.core.database import RETRY_AFTER_SECONDS, Database, Role
from valueplatform.core.embedded import running
from valueplatform.core.errors import InstallationError, ProblemError, UnavailableError
from valueplatform.core.settings import Settings, default_data_dir

P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., Any])

_DATA_DIR: Final = "valueplatform.data_dir"
_JSON: Final = "valueplatform.json"
_TERMINATED: Final = 128 + signal.SIGTERM

stderr: Final = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Databases:
    """One database in each role. `admin` is the login itself, for migrations and for looking at the installation.

    `url` is where the database is (for processes that a command starts), `embedded` the data folder if it is ours.
    """

    url: str
    settings: Settings
    embedded: Path | None
    admin: Database
    ingest: Database
    worker: Database
    web: Database

    async def dispose(self) -> None:
        for database in (self.admin, self.ingest, self.worker, self.web):
            await database.dispose()


def data_dir_option(command: F) -> F:
    """`--data-dir`, for every command that needs the database."""

    def remember(ctx: click.Context, _option: click.Parameter, value: Path | None) -> None:
        if value is not None:
            ctx.meta[_DATA_DIR] = value

    return click.option(
        "--data-dir",
        type=click.Path(file_okay=False, path_type=Path),
        expose_value=False,
        callback=remember,
        help=f"Folder of the embedded database, where DATABASE_URL is not set. "
        f"[VALUEPLATFORM_DATA_DIR; default: {default_data_dir()}]",
    )(command)


def json_option(command: F) -> F:
    """`--json`: the result, or the problem, as JSON."""

    def remember(ctx: click.Context, _option: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click calls it so
        ctx.meta[_JSON] = value

    return click.option(
        "--json", is_flag=True, is_eager=True, expose_value=False, callback=remember, help="Print JSON."
    )(command)


def help_block(title: str, *lines: str) -> Callable[[F], F]:
    """Adds lines to a command's help that are shown as they are."""

    def describe(command: F) -> F:
        text = (
            (command.__doc__ or "").rstrip(),
            "",
            "\b",
            f"{title}:",
            *(f"  {line}" for line in lines),
        )  # \b: do not wrap
        command.__doc__ = "\n    ".join(text)
        return command

    return describe


def examples(*lines: str) -> Callable[[F], F]:
    """Adds lines that may be copied to a command's help."""
    return help_block("Examples", *lines)


def wants_json(ctx: click.Context) -> bool:
    return bool(ctx.meta.get(_JSON))


def say(ctx: click.Context, result: object, text: str) -> None:
    """The result of a command: `result` as JSON where that is wanted, else `text`."""
    click.echo(msgspec.json.encode(result, order="sorted").decode() if wants_json(ctx) else text)


def table_text(table: Table) -> str:
    """A table as lines as wide as they need to be, so that a file or a pipe gets them whole."""
    table.box = None
    output = StringIO()
    Console(width=1000, file=output, color_system=None).print(table)
    return "\n".join(line.rstrip() for line in output.getvalue().splitlines())


@contextmanager
def counted_events(title: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal; what it gives is told how many events are done, and of how many."""
    columns = (SpinnerColumn(), TextColumn(title), BarColumn(), MofNCompleteColumn(), TextColumn("events"))
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def asynchronous(command: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Runs a command's coroutine; a problem becomes one line and exit code 1, SIGTERM an orderly end."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            asyncio.run(_until_told_to_stop(command(*args, **kwargs)))
        except ProblemError as problem:
            show_problem(problem)
            raise Exit(1) from problem
        except asyncio.CancelledError as stopped:
            raise Exit(_TERMINATED) from stopped

    return run


async def _until_told_to_stop(work: Coroutine[Any, Any, None]) -> None:
    """Without this SIGTERM would end the process on the spot, and leave the embedded database running."""
    task = asyncio.current_task()
    if task is not None and threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await work


def show_problem(problem: ProblemError) -> None:
    ctx = click.get_current_context(silent=True)
    if ctx is not None and wants_json(ctx):
        said = {"code": problem.code, "message": problem.message, "detail": problem.detail}
        click.echo(msgspec.json.encode(said).decode(), err=True)
    else:
        click.echo(f"Error: {problem.message}", err=True)


def settings_of(ctx: click.Context) -> Settings:
    """The settings of the environment, with what the command line says."""
    settings = Settings.from_environment()
    data_dir = ctx.meta.get(_DATA_DIR)
    if data_dir is None:
        return settings
    if settings.database_url is not None:
        click.echo("DATABASE_URL is set, so --data-dir is not used.", err=True)
    return replace(settings, data_dir=data_dir)


@asynccontextmanager
async def opened(ctx: click.Context, *, any_schema: bool = False) -> AsyncIterator[Databases]:
    """The database of this command. An embedded one is started or joined, and migrated; another must be up to date.

    `any_schema` leaves the schema as it is, for commands that look at it or mend it. Raises InstallationError and
    UnavailableError, each with the cure.
    """
    settings = settings_of(ctx)
    url = settings.database_url
    with running(settings.data_dir) if url is None else nullcontext(None) as server:
        databases = connect(settings, server.url if server is not None else str(url))
        try:
            if not any_schema:
                await _bring_up_to_date(databases)
            yield databases
        finally:
            await databases.dispose()


def connect(settings: Settings, url: str) -> Databases:
    """Every role's connections; none is made before it is needed. Raises InstallationError for no address at all."""

    def in_role(role: Role) -> Database:
        return Database(settings.role_urls.get(role.short, url), role)

    try:
        make_url(url)
        return Databases(
            url=url,
            settings=settings,
            embedded=settings.data_dir if settings.database_url is None else None,
            admin=Database(settings.role_urls.get(Role.OWNER.short, url), None),
            ingest=in_role(Role.INGEST),
            worker=in_role(Role.WORKER),
            web=in_role(Role.WEB),
        )
    except ArgumentError as error:
        raise InstallationError(
            "DATABASE_URL is no address of a database; write it as postgresql://user:password@host:5432/name."
        ) from error


async def _bring_up_to_date(databases: Databases) -> None:
    status = await schema_status(databases)
    if status.up_to_date:
        return
    if databases.embedded is None:
        raise InstallationError(
            f"The database has schema {status.current or 'none'}, this release needs {status.newest}. "
            "Run `valueplatform db upgrade`."
        )
    await upgrade_schema(databases)


async def schema_status(databases: Databases) -> migrate.SchemaStatus:
    """Raises UnavailableError where the database cannot be reached."""
    with _reaching(databases.url):
        return await migrate.status(databases.admin)


async def upgrade_schema(databases: Databases) -> migrate.SchemaStatus:
    """Raises InstallationError where a newer release has written the schema, or the login may not migrate."""
    try:
        with _reaching(databases.url):
            return await migrate.upgrade(databases.admin)
    except CommandError as error:
        raise InstallationError(
            f"This release does not know the schema of the database ({error}): a newer release has been here. Use that."
        ) from error


@contextmanager
def _reaching(url: str) -> Iterator[None]:
    try:
        yield
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError) as error:
        where = make_url(url).render_as_string(hide_password=True)
        raise UnavailableError(
            f"The database at {where} cannot be used: {error}. Check DATABASE_URL, and that the server runs.",
            retry_after=RETRY_AFTER_SECONDS,
        ) from error
