"""The way of a row through any import, shown on people: the simplest kind."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.accounts.factories import DEFAULTS, NOW, Kept, an_account, imported
from tests.conftest import Databases
from valueplatform.accounts.fields import Row
from valueplatform.accounts.imports import NO_ACCOUNT, Importer, ImportReport, Outcome, Ports, outcome_of
from valueplatform.accounts.people import PeopleImport, people_of
from valueplatform.core.authorization import operator_scope

ANNA = {"account": "acme", "email": "anna@acme.example", "name": "Anna", "role": "sponsor"}
BEN = {"account": "acme", "email": "ben@acme.example", "name": "Ben", "role": "user"}


async def test_bad_rows_are_kept_whole_with_the_reason_and_the_rest_goes_in(databases: Databases) -> None:
    account, kept = await an_account(databases), Kept()
    rows: list[Row] = [
        ANNA,
        {**BEN, "role": "king"},
        {**BEN, "account": "never-was"},
        {"account": "acme", "email": None},
        BEN,
    ]
    report = await imported(databases, PeopleImport(), rows, kept)
    assert report == ImportReport(
        received=5, created=2, rejected=3, reasons={"invalid_value": 1, "missing_value": 1, "unknown_account": 1}
    )
    assert kept.origins == ["import:people"]
    wrong_role, unknown, empty = kept.rejections
    assert "use one of sponsor, economic-buyer" in wrong_role.message
    assert wrong_role.account_id == empty.account_id == account.account_id
    assert unknown.account_id == NO_ACCOUNT
    assert (wrong_role.row_id, empty.row_id) == ("ben@acme.example", None)
    assert msgspec.json.decode(unknown.body) == {**BEN, "account": "never-was"}


async def test_the_same_input_twice_changes_nothing(databases: Databases) -> None:
    await an_account(databases)
    rows = [ANNA, BEN, {**BEN, "role": "king"}]
    await imported(databases, PeopleImport(), rows)
    again = await imported(databases, PeopleImport(), rows)
    assert again == ImportReport(received=3, unchanged=2, rejected=1, reasons={"invalid_value": 1})


async def test_what_an_input_says_differently_is_a_change(databases: Databases) -> None:
    account = await an_account(databases)
    await imported(databases, PeopleImport(), [ANNA, BEN])
    report = await imported(databases, PeopleImport(), [{**ANNA, "name": "Anna K."}, BEN])
    assert report == ImportReport(received=2, changed=1, unchanged=1)
    async with databases.worker.transaction(operator_scope()) as tx:
        assert [person.name for person in await people_of(tx, account.account_id)] == ["Anna K.", "Ben"]


async def test_of_two_rows_with_one_identity_the_first_holds(databases: Databases) -> None:
    account, kept = await an_account(databases), Kept()
    rows = [ANNA, {**ANNA, "name": "Not Anna"}, {**ANNA, "email": " ANNA@acme.example "}]
    first = await imported(databases, PeopleImport(), rows, kept)
    assert first == ImportReport(received=3, created=1, unchanged=1, rejected=1, reasons={"duplicate_id": 1})
    second = await imported(databases, PeopleImport(), rows, kept)
    assert second == ImportReport(received=3, unchanged=2, rejected=1, reasons={"duplicate_id": 1})
    async with databases.worker.transaction(operator_scope()) as tx:
        assert [person.name for person in await people_of(tx, account.account_id)] == ["Anna"]


async def test_the_first_row_holds_over_batches_too(databases: Databases) -> None:
    await an_account(databases)
    kept = Kept()
    importer = Importer(PeopleImport(), DEFAULTS, Ports(kept.keep, kept.mark))
    total = ImportReport()
    for row in (ANNA, {**ANNA, "name": "Not Anna"}, BEN):
        async with databases.worker.transaction(operator_scope()) as tx:
            total += await importer.take(tx, [row], NOW)
    assert total == ImportReport(received=3, created=2, rejected=1, reasons={"duplicate_id": 1})


async def test_a_row_that_cannot_be_text_in_the_database_is_kept_as_json(databases: Databases) -> None:
    kept = Kept()
    rows: list[Row] = [{"account": "a\0b", "email": "x"}, {"account": ["acme"], "email": "x"}, {}]
    report = await imported(databases, PeopleImport(), rows, kept)
    assert report.rejected == 3
    assert all("\0" not in one.body for one in kept.rejections)
    assert {one.account_id for one in kept.rejections} == {NO_ACCOUNT}


@st.composite
def reports(draw: st.DrawFn) -> ImportReport:
    created, changed, unchanged, rejected = draw(st.tuples(*[st.integers(0, 5)] * 4))
    reasons = {draw(st.sampled_from(["a", "b"])): rejected}
    return ImportReport(created + changed + unchanged + rejected, created, changed, unchanged, rejected, reasons)


@given(reports(), reports())
def test_reports_add_and_always_account_for_every_row(one: ImportReport, two: ImportReport) -> None:
    both = one + two
    assert both.received == both.created + both.changed + both.unchanged + both.rejected
    assert sum(both.reasons.values()) == both.rejected
    assert both == two + one


@pytest.mark.parametrize(("before", "outcome"), [(None, Outcome.CREATED), (1, Outcome.UNCHANGED), (2, Outcome.CHANGED)])
def test_outcomes(before: int | None, outcome: Outcome) -> None:
    assert outcome_of(before, 1) is outcome
