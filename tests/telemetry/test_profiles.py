import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Databases
from tests.telemetry.factories import NOW, execute, make_account, rows, scalar
from valueplatform.telemetry.group_commit import commit_requests
from valueplatform.telemetry.profiles import LONGEST_NAME, Profile, account_profile, person_profile
from valueplatform.telemetry.requests import IngestRequest, Report, Sender
from valueplatform.telemetry.segment import BATCH, ORIGIN, parse_segment
from valueplatform.telemetry.storing import Ledger

SEGMENT = Sender(ORIGIN, "supplier")


def group(message_id: str, account: str = "acme", **traits: Any) -> dict[str, Any]:
    return {"type": "group", "messageId": message_id, "groupId": account, "userId": "kim", "traits": traits}


def identify(message_id: str, account: str = "acme", **traits: Any) -> dict[str, Any]:
    return {
        "type": "identify",
        "messageId": message_id,
        "userId": "kim",
        "context": {"groupId": account},
        "traits": traits,
    }


def request_of(messages: Sequence[object], sender: Sender = SEGMENT) -> IngestRequest:
    parsed = parse_segment(BATCH, msgspec.json.encode({"batch": messages}), NOW).parsed
    return IngestRequest(sender, NOW, parsed.events, parsed.rejections)


async def tell(databases: Databases, *messages: object, sender: Sender = SEGMENT) -> Report:
    (report,) = await commit_requests(databases.ingest, [request_of(messages, sender)], Ledger())
    return report


async def account_of(databases: Databases, key: str = "acme") -> tuple[str, str, int]:
    found = await rows(databases, "SELECT name, attributes::text, revision FROM account WHERE key = :key", key=key)
    (account,) = found
    return account["name"], account["attributes"], account["revision"]


async def people(databases: Databases) -> list[tuple[str, str, str]]:
    found = await rows(databases, "SELECT email, name, role FROM person ORDER BY account_id, email")
    return [(row["email"], row["name"], row["role"]) for row in found]


async def test_a_group_call_names_the_account_and_merges_its_attributes(databases: Databases) -> None:
    await make_account(databases, "acme")
    await execute(databases, """UPDATE account SET attributes = '{"region": "west", "seats": 1}'""")
    await tell(databases, group("1", name="Acme Inc.", seats=5, price=12.50))
    assert await account_of(databases) == ("Acme Inc.", '{"price": 12.5, "seats": 5, "region": "west"}', 1)
    await tell(databases, group("2", seats=None, region="east"))
    assert await account_of(databases) == ("Acme Inc.", '{"price": 12.5, "seats": 5, "region": "east"}', 2)


async def test_an_account_that_is_new_has_the_name_from_the_start(databases: Databases) -> None:
    await tell(databases, group("1", name="Acme Inc."))
    assert (await account_of(databases))[0] == "Acme Inc."
    await tell(databases, group("2", "plain"))
    assert await account_of(databases, "plain") == ("plain", "{}", 0)


async def test_of_several_calls_the_last_received_counts(databases: Databases) -> None:
    said: list[dict[str, Any]] = [{"name": f"Acme {number}", f"at{number % 3}": number} for number in range(9)]
    calls = [group(str(number), **traits) for number, traits in enumerate(said)]
    await tell(databases, *calls)
    assert await account_of(databases) == ("Acme 8", '{"at0": 6, "at1": 7, "at2": 8}', 1)


async def test_what_says_the_same_again_changes_nothing(databases: Databases) -> None:
    await tell(databases, group("1", name="Acme Inc.", seats=5))
    before = await account_of(databases)
    await tell(databases, group("2", name="Acme Inc.", seats=5.0))
    assert await account_of(databases) == before


async def test_a_person_with_an_address_becomes_a_user_of_the_account(databases: Databases) -> None:
    await tell(
        databases,
        identify("1", email="Kim@Acme.example", name="Kim Lee"),
        identify("2", email="pat@acme.example"),
        identify("3", name="Nobody"),
        identify("4", email="not an address", name="Nobody"),
    )
    assert await people(databases) == [
        ("kim@acme.example", "Kim Lee", "user"),
        ("pat@acme.example", "pat", "user"),
    ]
    await tell(databases, identify("5", email="kim@acme.example", firstName="Kim", lastName="Li"))
    await tell(databases, identify("6", email="kim@acme.example"))
    assert (await people(databases))[0] == ("kim@acme.example", "Kim Li", "user")


async def test_an_address_is_a_person_of_each_account_that_names_it(databases: Databases) -> None:
    await tell(
        databases, identify("1", "a", email="kim@x.example", name="K"), identify("2", "b", email="kim@x.example")
    )
    assert await people(databases) == [("kim@x.example", "K", "user"), ("kim@x.example", "kim", "user")]


async def test_no_call_changes_the_role_of_a_person(databases: Databases) -> None:
    acme = await make_account(databases, "acme")
    await execute(
        databases,
        "INSERT INTO person (account_id, email, name, role, need)"
        f" VALUES ({acme}, 'kim@acme.example', 'Kim', 'validator', 'proof')",
    )
    await tell(databases, identify("1", email="kim@acme.example", name="Kim Lee", role="admin"))
    assert await people(databases) == [("kim@acme.example", "Kim Lee", "validator")]
    assert await scalar(databases, "SELECT need FROM person") == "proof"


async def test_duplicates_conflicts_and_rejected_events_change_nobody(databases: Databases) -> None:
    await tell(databases, group("1", name="Acme"), identify("2", email="kim@acme.example", name="Kim"))
    await execute(databases, "UPDATE account SET name = 'Ours'")
    await execute(databases, "UPDATE person SET name = 'Hers'")
    report = await tell(
        databases,
        group("1", name="Acme"),
        identify("2", email="kim@acme.example", name="Kim"),
        group("1", name="Other"),
        {**group("3", name="Future"), "timestamp": "2027-01-01T00:00:00Z"},
    )
    assert (report.duplicates, report.conflicts, len(report.rejections)) == (2, 1, 1)
    assert (await account_of(databases))[0] == "Ours"
    assert await people(databases) == [("kim@acme.example", "Hers", "user")]


async def test_a_key_changes_only_accounts_within_its_reach(databases: Databases) -> None:
    acme, other = await make_account(databases, "acme"), await make_account(databases, "other")
    limited = Sender(ORIGIN, "supplier", account_ids=frozenset({acme}))
    report = await tell(databases, group("1", "other", name="Taken"), group("2", name="Acme Inc."), sender=limited)
    assert [rejection.code for rejection in report.rejections] == ["unknown_account"]
    assert (await account_of(databases, "other"))[0] == "other"
    assert (await account_of(databases))[0] == "Acme Inc."
    assert other


async def test_many_senders_at_once_leave_every_name_and_lose_no_event(databases: Databases) -> None:
    accounts = [f"a{number}" for number in range(6)]

    async def sender(number: int) -> Report:
        order = accounts if number % 2 else accounts[::-1]
        traits: dict[str, Any] = {"name": f"n{number}", f"by{number}": 1}
        calls = [group(f"{number} {key}", key, **traits) for key in order]
        calls += [
            identify(f"{number} {key} i", key, email=f"{number % 3}@x.example", name=f"n{number}") for key in order
        ]
        return await tell(databases, *calls)

    reports = await asyncio.gather(*map(sender, range(8)))
    assert sum(report.stored for report in reports) == 8 * 12
    attributes = await rows(databases, "SELECT attributes FROM account ORDER BY key")
    assert [row["attributes"] for row in attributes] == [{f"by{number}": 1 for number in range(8)}] * 6
    assert len(await people(databases)) == 18


@pytest.mark.parametrize("nothing", [None, [], "x", {}, {"name": ""}, {"name": " \n"}, {"name": 5, "gone": None}])
def test_traits_that_say_nothing_are_nothing(nothing: object) -> None:
    assert account_profile(nothing) is None
    assert person_profile(nothing) is None


def test_a_name_is_one_line_of_bounded_length() -> None:
    assert account_profile({"name": " Acme\n\u202eInc.\0 "}) == Profile(account_name="Acme Inc.")
    long = account_profile({"name": "x" * 999})
    assert long is not None
    assert long.account_name == "x" * LONGEST_NAME


@given(st.dictionaries(st.sampled_from(["email", "name", "firstName", "lastName"]), st.text() | st.integers()))
def test_any_traits_can_be_read(traits: dict[str, object]) -> None:
    account_profile(traits)
    profile = person_profile(traits)
    assert profile is None or profile.email
