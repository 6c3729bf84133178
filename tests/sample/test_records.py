"""Rows for import: exact columns, unique ids, believable contracts."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tests.sample.conftest import TODAY
from valueplatform.sample import SampleSupplier
from valueplatform.sample.inputs import EXCHANGE
from valueplatform.sample.records import Row, years_on

ROLES = {"sponsor", "economic-buyer", "champion", "validator", "admin", "user"}
STAGES = {"Audience", "Researcher", "Hand-Raiser", "Buyer", "Value Creator", "Adopter", "Advocate", "Champion"}


def rows_of(rows: tuple[Row, ...], account: str) -> list[Row]:
    return [row for row in rows if row["account"] == account]


def test_columns_are_those_of_the_contract(sample: SampleSupplier) -> None:
    columns = {
        "contracts": ["account", "id", "start", "end", "amount", "period", "kind", "provider"],
        "people": ["account", "email", "name", "role", "group", "need", "measure"],
        "milestones": ["account", "id", "kind", "time", "title"],
        "costs": ["account", "id", "kind", "month", "amount"],
    }
    for name, wanted in columns.items():
        assert all(list(row) == wanted for row in getattr(sample, name))
    required = {"key", "name", "currency", "timezone", "segment", "stage"}
    assert all(required <= row.keys() <= required | {"steward", "technicians"} for row in sample.accounts)


def test_every_cell_is_text(sample: SampleSupplier) -> None:
    tables = (sample.accounts, sample.contracts, sample.people, sample.milestones, sample.plans, sample.costs)
    for row in (row for table in tables for row in table):
        assert all(isinstance(cell, str) for cell in row.values())


@pytest.mark.parametrize("table", ["contracts", "milestones", "costs"])
def test_ids_are_unique(sample: SampleSupplier, table: str) -> None:
    ids = [row["id"] for row in getattr(sample, table)]
    assert len(ids) == len(set(ids)) > 30


def test_rows_belong_to_accounts(sample: SampleSupplier) -> None:
    keys = {row["key"] for row in sample.accounts}
    for table in (sample.contracts, sample.people, sample.milestones, sample.plans):
        assert {row["account"] for row in table} <= keys
    assert {row["account"] for row in sample.costs} <= keys | {""}


def test_zones_and_stages_exist(sample: SampleSupplier) -> None:
    for row in sample.accounts:
        ZoneInfo(row["timezone"])
        assert row["stage"] in STAGES
    assert next(row for row in sample.accounts if row["key"] == "bright-grid")["stage"] == "Researcher"


def test_a_year_costs_what_such_software_costs(sample: SampleSupplier) -> None:
    currencies = {row["key"]: row["currency"] for row in sample.accounts}
    for row in sample.contracts:
        if row["kind"] in {"new", "renewal", "contraction"}:
            yearly = float(row["amount"]) * (12 if row["period"] == "month" else 1)
            assert 55_000 <= yearly / EXCHANGE[currencies[row["account"]]] <= 1_300_000
            assert "E" not in row["amount"]


def test_terms_of_a_contract_join_without_gap_and_one_runs_today(sample: SampleSupplier) -> None:
    for account in {row["account"] for row in sample.contracts}:
        terms = [row for row in rows_of(sample.contracts, account) if "-term-" in row["id"]]
        assert all(one["end"] == other["start"] for one, other in pairwise(terms))
        running = [row for row in terms if row["start"] <= TODAY.isoformat() < row["end"]]
        assert len(running) == (0 if sample.situations[account] == "churned" else 1)


def test_one_contract_ends_within_sixty_days(sample: SampleSupplier) -> None:
    due = [truth for truth in sample.truths if truth.kind == "renewal_due"]
    assert [truth.account for truth in due] == ["summit-facilities"]
    ends = {row["end"] for row in rows_of(sample.contracts, "summit-facilities")}
    assert ends == {due[0].start.isoformat()}
    assert 0 < (due[0].start - TODAY).days <= 60


def test_kinds_of_contract_rows_all_occur(sample: SampleSupplier) -> None:
    kinds = {row["kind"] for row in sample.contracts}
    assert kinds == {"new", "renewal", "expansion", "contraction", "churn"}
    assert {row["provider"] for row in sample.contracts} == {"supplier", "tessera", "waypoint"}


def test_people_have_roles_mail_and_a_need_and_each_customer_a_validator(sample: SampleSupplier) -> None:
    emails = [row["email"] for row in sample.people]
    assert len(emails) == len(set(emails))
    for row in sample.people:
        assert re.fullmatch(r"[a-z]+(\.[a-z]+)+@[a-z-]+\.example", row["email"])
        assert row["role"] in ROLES
        assert row["need"]
        assert row["measure"]
    for account in {row["account"] for row in sample.contracts}:
        assert {"sponsor", "validator"} & {row["role"] for row in rows_of(sample.people, account)}
        assert "validator" in {row["role"] for row in rows_of(sample.people, account)}


def test_mail_addresses_follow_from_names_of_many_scripts(sample: SampleSupplier) -> None:
    mails = {row["name"]: row["email"].split("@", maxsplit=1)[0] for row in sample.people}
    assert mails["Søren Kjær"] == "soren.kjaer"
    assert mails["Tobias Weiß"] == "tobias.weiss"
    assert mails["Siobhán Ní Bhriain"] == "siobhan.ni.bhriain"
    assert mails["佐藤 健一"] == "kenichi.sato"


def test_milestones_carry_their_zone_and_lie_in_the_past(sample: SampleSupplier) -> None:
    for row in sample.milestones:
        at = datetime.fromisoformat(row["time"])
        assert at.utcoffset() is not None
        assert at < sample.until.astimezone(UTC)


def test_every_live_account_has_gone_live_once_on_its_own_day(sample: SampleSupplier) -> None:
    live = {a.key: a.live for a in sample.cast if a.live is not None}
    went = {r["account"]: datetime.fromisoformat(r["time"]).date() for r in sample.milestones if r["kind"] == "go-live"}
    assert went == live
    assert len(set(live.values())) > 25


def test_costs_are_positive_and_some_are_shared(sample: SampleSupplier) -> None:
    assert {row["kind"] for row in sample.costs} == {"acquisition", "service", "implementation", "internal"}
    assert all(Decimal(row["amount"]) > 0 for row in sample.costs)
    assert sum(row["account"] == "" for row in sample.costs) >= 18


def test_a_year_after_a_leap_day_is_the_28th() -> None:
    assert years_on(date(2028, 2, 29), 1) == date(2029, 2, 28)
    assert years_on(date(2028, 2, 29), 4) == date(2032, 2, 29)
