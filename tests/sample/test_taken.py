"""The platform's own readers take everything in the sample: no row and no event is rejected."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from valueplatform.accounts.account_import import AccountImport
from valueplatform.accounts.accounts import EVER, Account
from valueplatform.accounts.contract_import import ContractImport
from valueplatform.accounts.costs import CostImport
from valueplatform.accounts.fields import Fields
from valueplatform.accounts.imports import Defaults, Surroundings
from valueplatform.accounts.milestones import KINDS, MilestoneImport
from valueplatform.accounts.people import PeopleImport
from valueplatform.core.database import Transaction
from valueplatform.sample import SampleSupplier
from valueplatform.sample.events import Event
from valueplatform.sample.fieldnote import model_toml
from valueplatform.telemetry.cloudevents import parse_json
from valueplatform.value.model_file import read_model
from valueplatform.value.plan_import import PlanImport

DEFAULTS = Defaults("America/New_York", "USD")
DRIVERS = frozenset(driver.slug for driver in read_model(model_toml(), "fieldnote.toml").drivers)


async def no_look(_tx: Transaction, _accounts: Sequence[int]) -> set[int]:
    raise AssertionError("reading a row looks for no events")


@pytest.fixture(scope="module")
def around(sample: SampleSupplier) -> Surroundings:
    accounts = {
        row["key"]: Account(
            account_id=number,
            key=row["key"],
            name=row["name"],
            timezone=row["timezone"],
            currencies=((EVER, row["currency"]),),
        )
        for number, row in enumerate(sample.accounts, 1)
    }
    return Surroundings(accounts, DEFAULTS)


@pytest.mark.parametrize(
    "kind",
    [
        AccountImport(DEFAULTS, no_look),
        ContractImport(),
        PeopleImport(),
        MilestoneImport(),
        PlanImport(DRIVERS),
        CostImport(),
    ],
    ids=lambda kind: kind.name,
)
def test_every_row_is_read_and_none_speaks_of_what_another_does(
    sample: SampleSupplier, around: Surroundings, kind: Any
) -> None:
    rows = getattr(sample, kind.name)
    read = [kind.read(Fields(row), around) for row in rows]
    assert len({kind.identity(value) for value in read}) == len(rows) > 30


def test_milestones_are_of_the_kinds_that_the_platform_knows(sample: SampleSupplier) -> None:
    assert {row["kind"] for row in sample.milestones} == set(KINDS)


def test_every_event_is_read_with_its_time_account_and_exact_numbers(
    sample: SampleSupplier, events: list[Event]
) -> None:
    encoder = msgspec.json.Encoder(decimal_format="number")
    zero = timedelta(0)
    for start in range(0, len(events), 1000):
        batch = events[start : start + 1000]
        parsed = parse_json(encoder.encode(batch), sample.until)
        assert parsed.rejections == []
        for event, sent in zip(parsed.events, batch, strict=True):
            assert (event.id, event.account, event.data) == (sent["id"], sent["account"], sent["data"])
            assert event.provider == sent.get("provider")
            assert event.time - datetime.fromisoformat(str(sent["time"])).astimezone(UTC) == zero
