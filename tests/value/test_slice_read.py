"""Value cut by dimensions of meters: against the events put together again, and what is refused and hidden."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import NOW
from tests.value.test_feature_worth_read import MODEL, WORLD
from tests.value.worth_worlds import Sent, install, put_sent, work
from valueplatform.accounts.accounts import account_by_id
from valueplatform.core.errors import UnprocessableError
from valueplatform.core.periods import Window, month_of
from valueplatform.core.scope import grant_accounts
from valueplatform.value.answer import value_answer
from valueplatform.value.model import ValueModel
from valueplatform.value.model_file import read_model
from valueplatform.value.postings import close_month
from valueplatform.value.proof_record import read_source
from valueplatform.value.reading import Question, ValueRead, read_value
from valueplatform.value.slice_read import names_persons
from valueplatform.value.slice_verify import verify_slices
from valueplatform.value.verify import Discrepancy

START, END = date(2026, 4, 1), date(2026, 6, 1)
EVER = date(1, 1, 2)
TEAMS = """
supplier = { name = "Fieldnote", currency = "USD", timezone = "UTC" }

[[meter]]
slug = "jobs"
event = "job.done"
aggregation = "COUNT"
dimensions = ["team", "feature"]

[[meter]]
slug = "minutes"
event = "job.done"
aggregation = "SUM"
property = "minutes"
dimensions = ["team", "feature", "technician"]

[[meter]]
slug = "logins"
event = "login"
aggregation = "COUNT"

[[assumption]]
slug = "per_minute"
unit = "USD/minute"
default = { low = "1", expected = "1.7773", high = "3" }

[[assumption]]
slug = "desk"
unit = "USD"
default = "60"

[[pool]]
slug = "hours"
unit = "USD"
cap = "desk"

[[driver]]
slug = "time"
unit = "USD"
pool = "hours"
formula = "(jobs * 10 - minutes) * per_minute / 3"

[[driver]]
slug = "seen"
unit = "USD"
formula = "logins * per_minute"
"""


def jobs(team: str | None, minutes: int, days: int = 8, **more: Any) -> list[Sent]:
    tag = {"team": team} if team else {}
    return [(START + timedelta(5 * at), "job.done", {"minutes": minutes + at, **tag, **more}) for at in range(days)]


async def ask(databases: Databases, account_id: int, *by: str, drivers: str = "", **more: Any) -> ValueRead:
    own = tuple(drivers.split(",")) if drivers else ()
    question = Question(**{"start": START, "end": END, "group_by": by, "drivers": own, **more})
    async with databases.web.transaction(grant_accounts([account_id]), steady=True) as tx:
        return await read_value(tx, await account_by_id(tx, account_id), question, NOW)


async def verified(databases: Databases, account_id: int) -> tuple[int, list[Discrepancy]]:
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        source = await read_source(tx, account_id)
        assert source is not None
        return await verify_slices(tx, source, await account_by_id(tx, account_id), NOW, EVER)


@pytest.fixture
async def harbor(databases: Databases) -> int:
    """Teams of unlike size and worth, events without a team, and a cap that binds in April."""
    sent = [*jobs("north", 1), *jobs("north", 3), *jobs("south", 8), *jobs(None, 2)]
    return (await install(databases, {"harbor": sent}, model_of_teams()))["harbor"]


def model_of_teams() -> ValueModel:
    return read_model(TEAMS, "model.toml")


async def test_a_driver_of_several_features_is_divided_and_adds_up(databases: Databases) -> None:
    ids = await install(databases, WORLD, MODEL)
    read = await ask(databases, ids["a"], "feature", drivers="repeats,sold")
    exact: dict[str, Fraction] = {}
    for day, kind, data in WORLD["a"]:
        if kind == "visit.done" and START <= day < END:
            worth = (data["visits"] * Fraction(3, 10) - data["again"]) * Fraction("133.3333")
            exact[data.get("feature", "")] = exact.get(data.get("feature", ""), Fraction(0)) + worth
    found = {row.groups["feature"]: row.realized for row in read.rows}
    whole = await ask(databases, ids["a"], "driver", drivers="repeats,sold")
    assert sum(found.values()) == read.totals.realized == whole.totals.realized
    for name, worth in exact.items():
        assert abs(Fraction(found[name]) - worth) < Fraction(1, 100)
    by_feature = {row.groups["feature"]: row for row in read.rows}
    assert by_feature["reports"].realized_low is None
    assert by_feature["quotes"].realized_low is not None


async def test_days_add_up_to_months_and_members_to_the_whole(databases: Databases, harbor: int) -> None:
    whole = await ask(databases, harbor, "driver", drivers="time")
    for window in (Window.DAY, Window.MONTH, Window.TOTAL):
        read = await ask(databases, harbor, "team", drivers="time", window=window)
        assert sum(row.realized for row in read.rows) == whole.totals.realized
        by_team = {name: sum(r.realized for r in read.rows if r.groups["team"] == name) for name in ("north", "south")}
        assert by_team == {
            row.groups["team"]: row.realized
            for row in (await ask(databases, harbor, "team", drivers="time")).rows if row.groups["team"]
        }  # fmt: skip
    assert by_team["north"] > by_team["south"]


async def test_the_answer_has_the_dimension_beside_the_other_groups(databases: Databases, harbor: int) -> None:
    answer = value_answer(await ask(databases, harbor, "driver", "team", drivers="time"))
    rows = msgspec.to_builtins(answer)["rows"]
    assert [(row["driver"], row["team"]) for row in rows] == [("time", None), ("time", "north"), ("time", "south")]
    assert all(row["realized_low"] is None for row in rows)


@pytest.mark.parametrize(
    ("by", "drivers", "says"),
    [
        ("team", "", "for driver 'seen', since its meter 'logins' is not kept by 'team'. Ask for those that can: driver=time"),  # noqa: E501 - one sentence
        ("crew", "", "a dimension of the meters (feature, team, technician)"),
        ("technician", "time", "names single persons"),
        ("driver", "none", "There is no driver 'none'"),
    ],
)  # fmt: skip
async def test_a_cut_that_is_not_allowed_says_why(
    databases: Databases, harbor: int, by: str, drivers: str, says: str
) -> None:
    sent: list[Sent] = [(START, "login", {})]
    await put_sent(databases, harbor, sent)
    await work(databases, [harbor])
    with pytest.raises(UnprocessableError) as raised:
        await ask(databases, harbor, by, drivers=drivers)
    assert says in str(raised.value)


async def test_as_of_a_day_meters_are_not_known(databases: Databases, harbor: int) -> None:
    async with databases.worker.transaction(grant_accounts([harbor])) as tx:
        await close_month(tx, harbor, "UTC", month_of(START), NOW)
    with pytest.raises(UnprocessableError, match="Leave out `as_of`"):
        await ask(databases, harbor, "team", drivers="time", as_of=date(2026, 6, 15))


async def test_a_group_of_fewer_than_five_persons_is_never_shown(databases: Databases) -> None:
    sent = [one for number in range(6) for one in jobs("large", 1, 2, user=f"u{number}")]
    sent += [one for number in range(5) for one in jobs("five", 2, 2, user=f"v{number}")]
    sent += [one for number in range(2) for one in jobs("pair", 0, 2, user={"id": f"w{number}"})]
    sent += jobs("machine", 5, 2)
    account_id = (await install(databases, {"harbor": sent}, model_of_teams()))["harbor"]
    read = await ask(databases, account_id, "team", drivers="time")
    assert {row.groups["team"] for row in read.rows} == {"", "large", "machine"}
    assert sum(row.realized for row in read.rows) == read.totals.realized
    assert (await verified(databases, account_id))[1] == []


@pytest.mark.parametrize(
    ("path", "is_one"),
    [("technician", True), ("user.id", True), ("assigneeEmail", True), ("team", False), ("technician_minutes", False)],
)
def test_paths_of_persons_are_known_by_their_last_word(path: str, *, is_one: bool) -> None:
    assert names_persons(path) is is_one


async def test_closed_months_late_events_and_caps_agree_with_raw_events(databases: Databases, harbor: int) -> None:
    count, wrong = await verified(databases, harbor)
    assert (count > 0, wrong) == (True, [])
    async with databases.worker.transaction(grant_accounts([harbor])) as tx:
        await close_month(tx, harbor, "UTC", month_of(START), datetime(2026, 5, 10, 12, tzinfo=UTC))
    await put_sent(databases, harbor, jobs("west", 4, 3))
    await work(databases, [harbor], datetime(2026, 5, 20, 12, tzinfo=UTC))
    assert (await verified(databases, harbor))[1] == []
    read = await ask(databases, harbor, "team", drivers="time")
    assert sum(row.realized for row in read.rows) == (await ask(databases, harbor, drivers="time")).totals.realized


@pytest.mark.parametrize(
    "fault",
    [
        "total = total + 9 WHERE meter = 'minutes' AND dimensions[1] = 'south' AND day = '2026-05-01'",
        "dimensions = ARRAY['east', NULL] WHERE meter = 'jobs' AND dimensions[1] = 'north' AND day = '2026-05-06'",
    ],
)
async def test_a_rollup_that_is_off_is_found(databases: Databases, harbor: int, fault: str) -> None:
    async with databases.admin.transaction(grant_accounts([])) as tx:
        await tx.execute(text(f"UPDATE rollup SET {fault}"))
    _, found = await verified(databases, harbor)
    assert {one.what for one in found} == {"cut"}
    assert all(Decimal(one.stated.split(",")[0]) != Decimal(one.recomputed.split(",")[0]) for one in found)
