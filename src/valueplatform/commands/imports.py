"""`valueplatform import`: any files, named as tables, mapped by one SQL query."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

import rich_click as click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from valueplatform.commands.context import (
    asynchronous,
    data_dir_option,
    examples,
    help_block,
    json_option,
    opened,
    say,
    stderr,
    wants_json,
)
from valueplatform.commands.importing import KINDS, import_files
from valueplatform.core.clock import system_clock
from valueplatform.core.errors import InvalidInputError
from valueplatform.telemetry.importing import import_events
from valueplatform.telemetry.requests import Report

EVENTS: Final = "events"
COLUMNS: Final = {
    "accounts": "key, name, currency, timezone, segment, stage; rest: attributes",
    "contracts": "account, id, start, end, amount, period, kind, provider",
    "people": "account, email, name, role, group, need, measure",
    "milestones": "account, id, kind, time, title",
    "plans": "account, id, objective, driver, month, low, expected, high",
    "costs": "account (empty = shared), id, kind, month, amount",
    "rates": "currency, day, rate (one unit in the supplier's currency), source",
    "events": "id, source, type, account, time, subject, provider; rest: data",
}


@click.command(name="import")
@click.argument("kind", type=click.Choice([*KINDS, EVENTS]), metavar="KIND")
@click.argument("tables", nargs=-1, required=True, metavar="NAME=FILE…")
@click.option(
    "--sql",
    "query",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with one SQL query over the tables (Polars SQL). Without it, the only table as it is.",
)
@json_option
@data_dir_option
@examples(
    "valueplatform import accounts a=accounts.csv --sql accounts.sql",
    "valueplatform import events u=usage.csv.gz s=subs.csv --sql usage.sql",
    "valueplatform import people people=people.ndjson --json",
)
@help_block("Columns", *(f"{kind:<10}  {columns}" for kind, columns in COLUMNS.items()))
@click.pass_context
@asynchronous
async def import_command(ctx: click.Context, kind: str, tables: tuple[str, ...], query: Path | None) -> None:
    """Import files: CSV, NDJSON or Parquet, gzip or not.

    Each file becomes a table; one SQL query maps them to the columns of KIND. Importing the same again changes
    nothing. Rows that cannot be taken are kept with the reason, the rest goes in. Where accounts get another time
    zone, their events are counted by its days first, while events come in, and all switch over at once.
    """
    named = _named(tables)
    sql = _query(named, query)
    async with opened(ctx) as databases:
        with progress_bars(shown=not wants_json(ctx)) as bar:
            if kind == EVENTS:
                counts = counts_of(await import_events(databases.ingest, named, sql, system_clock, bar(kind)))
            else:
                heard = bar(kind), bar("events of changed zones")
                report = await import_files(
                    databases.worker, kind, named, sql, system_clock, *heard, copier=databases.ingest
                )
                if report.ignored:
                    stderr.print(f"{kind} have no column {', '.join(report.ignored)}: not used.")
                counts = asdict(report)
    say(ctx, {"kind": kind, **counts}, summary(kind, counts))


def _named(tables: Sequence[str]) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for table in tables:
        name, equals, file = table.partition("=")
        if not (name and equals and file):
            raise click.UsageError(f"{table!r} names no table; write NAME=FILE, such as accounts=accounts.csv.")
        if name in named:
            raise click.UsageError(f"Two files are named {name!r}; give each table a name of its own.")
        named[name] = Path(file)
    return named


def _query(named: Mapping[str, Path], query: Path | None) -> str:
    if query is None:
        if len(named) > 1:
            raise click.UsageError("Several tables need a query; give it with --sql FILE.")
        name = next(iter(named)).replace('"', '""')
        return f'SELECT * FROM "{name}"'  # noqa: S608 - the caller's own query over the caller's own file
    try:
        return query.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"The query {query} cannot be read: {error}. Save it as UTF-8 text.") from error


def counts_of(report: Report) -> dict[str, object]:
    """What became of events; `reasons` counts the rejected by code."""
    codes = sorted(rejection.code for rejection in report.rejections)
    return {
        "received": report.received,
        "stored": report.stored,
        "duplicates": report.duplicates,
        "conflicts": report.conflicts,
        "rejected": len(report.rejections),
        "reasons": {code: codes.count(code) for code in dict.fromkeys(codes)},
    }


def summary(kind: str, counts: Mapping[str, object]) -> str:
    """One line: `accounts: 500 received, 498 created, 2 rejected (invalid_value 2)`."""
    parts = [
        f"{count:,} {name}"
        for name, count in counts.items()
        if isinstance(count, int) and (count or name == "received")
    ]
    reasons = counts["reasons"]
    why = ", ".join(f"{code} {count}" for code, count in reasons.items()) if isinstance(reasons, Mapping) else ""
    return f"{kind}: {', '.join(parts)}{f' ({why})' if why else ''}"


Bar = Callable[[int, int], None]
"""Called with how many are done, and of how many."""


@contextmanager
def progress_bars(*, shown: bool) -> Iterator[Callable[[str], Bar]]:
    """Makes bars on standard error by their titles; each appears when it is first called."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr, disable=not (shown and stderr.is_terminal)) as progress:
        tasks: dict[str, TaskID] = {}

        def bar(title: str) -> Bar:
            def told(done: int, total: int) -> None:
                if title not in tasks:
                    tasks[title] = progress.add_task(title, total=None)
                progress.update(tasks[title], completed=done, total=total)

            return told

        yield bar
