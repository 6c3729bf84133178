"""What partners report: under consent, once, beside realized value and in no total of it."""

import asyncio
from typing import Any

import pytest

from tests.api.world import HARBOR, World

SEND = "/api/v1/contributions"
VALUE = f"/api/v1/accounts/{HARBOR}/value"


async def consent(world: World, what: str = "contribute", *, granted: bool = True, provider: str = "tessera") -> None:
    body = {"provider": provider, "what": what, "granted": granted, "reason": "r"}
    assert (await world.send("POST", f"/api/v1/accounts/{HARBOR}/consents", "validator", body)).status_code == 201


async def report(world: World, who: str = "tessera", **given: Any) -> tuple[int, Any]:
    body = {
        "account": HARBOR, "id": "may", "title": "Audits saved", "amount": "40", "period": "2026-05", "evidence": "e",
        **given,
    }  # fmt: skip
    answer = await world.send("POST", SEND, who, body)
    return answer.status_code, answer.json()


async def listed(world: World, who: str = "admin") -> list[Any]:
    return list((await world.get(SEND, who, account=HARBOR)).json()["items"])


async def answered(world: World, number: int, verb: str, who: str = "validator") -> tuple[int, Any]:
    path = f"/api/v1/accounts/{HARBOR}/contributions/{number}/{verb}"
    answer = await world.send("POST", path, who, {"reason": "Seen."})
    return answer.status_code, answer.json()


async def test_without_consent_nothing_is_taken_and_after_its_withdrawal_nothing_more(bare_world: World) -> None:
    status, problem = await report(bare_world)
    assert (status, problem["missing"]) == (403, "consent:contribute")
    await consent(bare_world)
    assert (await report(bare_world))[0] == 201
    await consent(bare_world, granted=False)
    assert (await report(bare_world, id="later"))[0] == 403
    assert len(await listed(bare_world)) == 1


async def test_consent_of_another_partner_and_for_another_account_is_none(bare_world: World) -> None:
    await consent(bare_world, provider="waypoint")
    assert (await report(bare_world))[0] == 403
    await consent(bare_world)
    assert (await report(bare_world, "other"))[0] == 404


async def test_who_may_not_see_the_account_cannot_send_either(bare_world: World) -> None:
    await consent(bare_world)
    await consent(bare_world, "see", granted=False)
    assert (await report(bare_world))[0] == 404


async def test_the_same_is_taken_once_even_at_once_and_another_under_its_id_is_a_conflict(bare_world: World) -> None:
    await consent(bare_world)
    sent = await asyncio.gather(*(report(bare_world, amount=amount) for amount in ("40", "40.00000", "41", "41")))
    first = [body for status, body in sent if status == 201]
    assert sorted(status for status, _ in sent) == [201, 201, 409, 409]
    assert len({one["contribution_id"] for one in first}) == 1
    assert [one["amount"] for one in await listed(bare_world)] == [first[0]["amount"]]


async def test_two_partners_may_use_one_id(bare_world: World) -> None:
    for who in ("tessera", "waypoint"):
        await consent(bare_world, provider=who)
        assert (await report(bare_world, who, amount="7"))[0] == 201
    assert [one["provider"] for one in await listed(bare_world)] == ["tessera", "waypoint"]
    assert [one["provider"] for one in await listed(bare_world, "tessera")] == ["tessera"]


async def test_what_is_withdrawn_stays_on_record_and_its_id_is_used_up(bare_world: World) -> None:
    await consent(bare_world)
    await report(bare_world)
    for _ in range(2):
        gone = await bare_world.client.request(
            "DELETE", SEND, params={"account": HARBOR, "id": "may", "reason": "wrong month"},
            headers=bare_world.keys["tessera"],
        )  # fmt: skip
        assert (gone.status_code, gone.json()["state"], gone.json()["reason"]) == (200, "withdrawn", "wrong month")
    assert (await report(bare_world))[1]["state"] == "withdrawn"
    assert (await report(bare_world, amount="1"))[0] == 409
    (kept,) = await listed(bare_world)
    assert (kept["state"], kept["answered_by"]) == ("withdrawn", "key tessera")
    assert (await answered(bare_world, kept["contribution_id"], "corroborate"))[0] == 409
    assert (await bare_world.get(VALUE)).json()["contributions"] == []


async def test_nobody_withdraws_what_another_partner_sent(bare_world: World) -> None:
    await consent(bare_world)
    await report(bare_world)
    gone = await bare_world.client.request(
        "DELETE", SEND, params={"account": HARBOR, "id": "may"}, headers=bare_world.keys["waypoint"]
    )
    assert gone.status_code == 404


async def test_it_stands_beside_realized_value_and_changes_no_number_of_it(world: World) -> None:
    before = {who: (await world.get(VALUE, who)).json() for who in ("admin", "tessera", "waypoint")}
    await consent(world)
    _, sent = await report(world, amount="1000")
    await answered(world, sent["contribution_id"], "corroborate")
    sums = [{"provider": "tessera", "unit": "USD", "state": "corroborated", "count": 1, "amount": "1000.0000"}]
    for who, shown in (("admin", sums), ("tessera", sums), ("waypoint", [])):
        after = (await world.get(VALUE, who)).json()
        assert after == before[who] | {"contributions": shown}
    told = (await world.get(f"/api/v1/accounts/{HARBOR}/report", "tessera")).json()
    assert told["contributions"] == sums


async def test_measured_value_of_the_driver_corroborates(world: World) -> None:
    await consent(world)
    _, enough = await report(world, driver="invoices_synced", title=None, amount="60")
    _, more = await report(world, driver="invoices_synced", id="more", amount="0.0001")
    assert (enough["state"], enough["corroborated_by"], enough["title"]) == (
        "corroborated", "telemetry", "Invoices synced",
    )  # fmt: skip
    assert (more["state"], more["corroborated_by"]) == ("partner-reported", None)


async def test_a_validator_corroborates_and_the_partner_is_not_told_who(bare_world: World) -> None:
    await consent(bare_world)
    _, sent = await report(bare_world, amount="-5")
    status, said = await answered(bare_world, sent["contribution_id"], "corroborate")
    assert (status, said["state"], said["corroborated_by"], said["answered_by"]) == (
        201, "corroborated", "validator", "vera@harbor.example",
    )  # fmt: skip
    (own,) = await listed(bare_world, "tessera")
    assert (own["state"], own["answered_by"], own["reason"]) == ("corroborated", None, None)


async def test_the_customer_disputes_and_the_partner_is_not_told(bare_world: World) -> None:
    await consent(bare_world)
    _, sent = await report(bare_world)
    status, said = await answered(bare_world, sent["contribution_id"], "dispute", "champion")
    assert (status, said["state"], said["answered_by"]) == (201, "disputed", "carl@harbor.example")
    assert [(one["state"], one["reason"]) for one in await listed(bare_world, "tessera")] == [
        ("partner-reported", None)
    ]
    assert (await answered(bare_world, sent["contribution_id"], "dispute", "admin"))[0] == 403
    assert (await answered(bare_world, sent["contribution_id"], "corroborate", "champion"))[0] == 403
    assert (await answered(bare_world, 99, "corroborate"))[0] == 404


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"amount": "0"}, 400),
        ({"amount": "0.00001"}, 400),
        ({"amount": "NaN"}, 400),
        ({"amount": "1e40"}, 400),
        ({"period": "2026-13"}, 400),
        ({"period": "2026"}, 400),
        ({"period": "2026-07"}, 400),
        ({"period": "0000-01"}, 400),
        ({"title": None}, 400),
        ({"evidence": " "}, 400),
        ({"id": "a\0"}, 400),
        ({"driver": "arrivals_told"}, 404),
        ({"driver": "dispatch_time"}, 404),
        ({"account": "nobody"}, 404),
    ],
)
async def test_what_cannot_be_is_refused(bare_world: World, given: dict[str, Any], status: int) -> None:
    await consent(bare_world)
    assert (await report(bare_world, **given))[0] == status


async def test_another_currency_is_kept_in_it(bare_world: World) -> None:
    await consent(bare_world)
    assert (await report(bare_world, unit="EUR", period="2026-05-04"))[1]["unit"] == "EUR"
    (shown,) = (await bare_world.get(VALUE, **{"from": "2026-05-01"})).json()["contributions"]
    assert (shown["unit"], shown["amount"]) == ("EUR", "40.0000")
