"""`valueplatform doctor`: what is wrong with this installation, and how to mend it."""

import os
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import available_timezones

import asyncpg
import rich_click as click
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from valueplatform.commands.context import (
    Databases,
    asynchronous,
    data_dir_option,
    examples,
    json_option,
    opened,
    say,
    schema_status,
)
from valueplatform.core.authorization import operator_scope
from valueplatform.core.clock import system_clock
from valueplatform.core.database import Database, Role
from valueplatform.core.errors import InstallationError, ProblemError
from valueplatform.core.isolation import isolation_faults, role_faults
from valueplatform.core.smtp import DeliveryError, check_smtp, smtp_settings
from valueplatform.telemetry.quality import FAILURE, WARNING

OLDEST_VERSION: Final = 150000
CLOCKS_MAY_DIFFER: Final = timedelta(seconds=2)
GIB: Final = 1 << 30
_OPEN_FINDINGS: Final = """
    SELECT count(*) OVER () AS found, what, place, coalesce(key, 'all accounts') AS key, stated, recomputed
    FROM quality_finding LEFT JOIN account USING (account_id)
    WHERE ended_at IS NULL AND severity = ANY(CAST(:severities AS text[])) ORDER BY found_at, finding_id LIMIT 1
"""
DURABLE: Final = ("fsync", "full_page_writes", "synchronous_commit")


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `cure` says what to do; empty where all is well."""

    name: str
    level: Level
    says: str
    cure: str = ""

    @property
    def line(self) -> str:
        mended = f"\n         → {self.cure}" if self.cure else ""
        return f"{self.level.value:<8} {self.name}: {self.says}{mended}"


Check = Callable[[Databases], AsyncIterator[Finding]]


@click.command()
@json_option
@data_dir_option
@examples("valueplatform doctor", "valueplatform doctor --json")
@click.pass_context
@asynchronous
async def doctor(ctx: click.Context) -> None:
    """Look at the installation: what is wrong, and how to mend it. Exit code 1 where something is."""
    async with opened(ctx, any_schema=True) as databases:
        findings = [finding async for finding in examine(databases)]
    say(ctx, [asdict(finding) for finding in findings], "\n".join(finding.line for finding in findings))
    if any(finding.level is Level.FAILED for finding in findings):
        ctx.exit(1)


async def examine(databases: Databases) -> AsyncIterator[Finding]:
    """Every finding; what rests on a schema is left out where there is none that fits."""
    try:
        status = await schema_status(databases)
    except ProblemError as problem:
        yield Finding("database", Level.FAILED, problem.message, "start the server, or set DATABASE_URL right")
        return
    says = f"at {status.current or 'nothing yet'}, this release has {status.newest}"
    level = Level.OK if status.up_to_date else Level.FAILED
    yield Finding("schema", level, says, "" if status.up_to_date else "valueplatform db upgrade")
    for check in (_server, _durability, _clock, _disk, _zones, _mail):
        async for finding in check(databases):
            yield finding
    for check in (_isolation, _logins, _ingest, _model, _reconciliation) if status.up_to_date else (_roles,):
        async for finding in check(databases):
            yield finding


async def _value(database: Database, query: str, **parameters: str) -> object:
    async with database.engine.connect() as connection:
        return await connection.scalar(text(query), parameters)


async def _server(databases: Databases) -> AsyncIterator[Finding]:
    number = int(str(await _value(databases.admin, "SELECT current_setting('server_version_num')")))
    version = await _value(databases.admin, "SELECT current_setting('server_version')")
    where = f"embedded in {databases.embedded}" if databases.embedded else "at DATABASE_URL"
    if number < OLDEST_VERSION:
        yield Finding("server", Level.FAILED, f"PostgreSQL {version} {where}", "use PostgreSQL 15 or later")
    else:
        yield Finding("server", Level.OK, f"PostgreSQL {version} {where}")


async def _durability(databases: Databases) -> AsyncIterator[Finding]:
    """An acknowledged event must survive a crash."""
    off = [name for name in DURABLE if await _value(databases.admin, f"SELECT current_setting('{name}')") == "off"]
    if off:
        says = f"{', '.join(off)} is off: a crash loses what was acknowledged"
        yield Finding("durability", Level.FAILED, says, f"set {', '.join(f'{name} = on' for name in off)}")
    else:
        yield Finding("durability", Level.OK, "what is acknowledged survives a crash")


async def _clock(databases: Databases) -> AsyncIterator[Finding]:
    before = system_clock()
    there = await _value(databases.admin, "SELECT extract(epoch FROM clock_timestamp())::text")
    middle = before + (system_clock() - before) / 2
    apart = abs(timedelta(seconds=float(str(there)) - middle.timestamp()))
    if apart > CLOCKS_MAY_DIFFER:
        says = f"this machine and the database are {apart.total_seconds():.0f} s apart"
        yield Finding("clock", Level.FAILED, says, "keep both by NTP: days and sessions go by the clock")
    else:
        yield Finding("clock", Level.OK, "this machine and the database agree")


async def _disk(databases: Databases) -> AsyncIterator[Finding]:
    size = await _value(databases.admin, "SELECT pg_size_pretty(pg_database_size(current_database()))")
    if databases.embedded is None:
        yield Finding("disk", Level.OK, f"the database takes {size}; the room on its server cannot be seen from here")
        return
    free = shutil.disk_usage(databases.embedded).free
    says = f"the database takes {size}, {free / GIB:.1f} GiB are free"
    level = Level.OK if free > 2 * GIB else Level.WARNING if free > GIB // 4 else Level.FAILED
    yield Finding("disk", level, says, "" if level is Level.OK else f"make room beside {databases.embedded}")


async def _zones(databases: Databases) -> AsyncIterator[Finding]:
    """Days are counted here and in the database, so both must know the zones."""
    known = "SELECT count(*) FROM pg_timezone_names WHERE name IN ('America/New_York', 'Europe/Berlin', 'Asia/Tokyo')"
    if await _value(databases.admin, known) == 3 and "Europe/Berlin" in available_timezones():
        yield Finding("time zones", Level.OK, "known here and in the database")
    else:
        yield Finding("time zones", Level.FAILED, "the zone data is missing", "install tzdata here and on the server")


async def _mail(_databases: Databases) -> AsyncIterator[Finding]:
    """Connects and logs in, and sends nothing."""
    try:
        given = smtp_settings(os.environ)
    except InstallationError as error:
        yield Finding("mail", Level.FAILED, error.message, "set it right, or unset VALUEPLATFORM_SMTP_HOST")
        return
    if given is None:
        says = "no mail server is set, so readers are not offered digests by e-mail"
        yield Finding("mail", Level.OK, says, "VALUEPLATFORM_SMTP_HOST and VALUEPLATFORM_SMTP_FROM name one")
        return
    where = f"{given.host}:{given.port} ({given.tls})"
    try:
        await check_smtp(given)
    except DeliveryError as error:
        cure = "check VALUEPLATFORM_SMTP_HOST, _PORT, _TLS, _USER and _PASSWORD; docs/digests.md says what they mean"
        yield Finding("mail", Level.FAILED, f"{where}: {error}", cure)
    else:
        yield Finding("mail", Level.OK, f"{where} takes messages from {given.sender}")


async def _isolation(databases: Databases) -> AsyncIterator[Finding]:
    async with databases.admin.engine.connect() as connection:
        faults = await isolation_faults(connection)
    for fault in faults:
        yield Finding(f"isolation of {fault.where}", Level.FAILED, fault.says, fault.cure)
    if not faults:
        yield Finding("isolation", Level.OK, "row security is forced on every table of accounts, roles are apart")


async def _roles(databases: Databases) -> AsyncIterator[Finding]:
    """Before there is a schema: what `db upgrade` will make, or an administrator where the login may not."""
    async with databases.admin.engine.connect() as connection:
        for fault in await role_faults(connection):
            yield Finding(f"role {fault.where}", Level.WARNING, fault.says, fault.cure)


async def _logins(databases: Databases) -> AsyncIterator[Finding]:
    """Each role can be taken; and whoever talks to browsers should not be able to take another."""
    for database in (databases.ingest, databases.worker, databases.web):
        try:
            await _value(database, "SELECT count(*) FROM model_revision")
        except (OSError, asyncpg.PostgresError, SQLAlchemyError) as error:
            role = database.role.value if database.role is not None else ""
            cure = f"GRANT {role} to the login of this process, or give DATABASE_URL_{role.rpartition('_')[2].upper()}"
            yield Finding(f"login as {role}", Level.FAILED, f"{error}".splitlines()[0], cure)
            return
    others = ", ".join(f"pg_has_role(session_user, '{role}', 'MEMBER')" for role in Role if role is not Role.WEB)
    if databases.embedded is None and await _value(databases.web, f"SELECT true IN ({others})"):
        says = "the web process logs in as one that may take every role; row security then rests on our code alone"
        cure = f"make a login that is a member of {Role.WEB} only, and set DATABASE_URL_WEB"
        yield Finding("logins", Level.WARNING, says, cure)
    else:
        yield Finding("logins", Level.OK, "every role can be taken")


async def _ingest(databases: Databases) -> AsyncIterator[Finding]:
    bypasses = "SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = :role"
    if not await _value(databases.admin, bypasses, role=Role.INGEST.value):
        says = "the ingest role may not bypass row security, so events go in by INSERT, at about half the speed"
        cure = f"as a superuser: ALTER ROLE {Role.INGEST} BYPASSRLS"
        yield Finding("ingest", Level.WARNING, says, cure)


async def _reconciliation(databases: Databases) -> AsyncIterator[Finding]:
    """What the worker found when it last compared accounts with their raw events, and looked at what comes in."""
    async with databases.worker.transaction(operator_scope()) as tx:
        row = await tx.row(text(_OPEN_FINDINGS), {"severities": [FAILURE]})
        doubt = await tx.row(text(_OPEN_FINDINGS), {"severities": [WARNING]})
    if doubt is not None:
        says = f"{doubt.found} findings open, first {doubt.what} of {doubt.place} in {doubt.key}: {doubt.recomputed}"
        yield Finding("data quality", Level.WARNING, says, "the page /data-quality lists them all")
    if row is not None:
        says = f"{row.found} stated numbers differ from their raw events, first {row.what} {row.place} of {row.key}"
        yield Finding("reconciliation", Level.FAILED, says, "valueplatform verify lists them all")
    else:
        yield Finding("reconciliation", Level.OK, "nothing that the worker compared differs from its raw events")


async def _model(databases: Databases) -> AsyncIterator[Finding]:
    async with databases.worker.transaction(operator_scope()) as tx:
        revision = await tx.scalar(text("SELECT max(revision) FROM model_revision"))
    if revision is None:
        yield Finding("model", Level.WARNING, "no value model is applied", "valueplatform model apply FILE.toml")
    else:
        yield Finding("model", Level.OK, f"revision {revision} is in force")
