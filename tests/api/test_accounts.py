import pytest

from tests.api.world import GLOBEX, HARBOR, World
from valueplatform.core.authorization import KeyKind

VALUE = f"/api/v1/accounts/{HARBOR}/value"


@pytest.fixture
def world(read_only_world: World) -> World:
    return read_only_world


async def test_an_account_out_of_scope_is_answered_as_one_that_is_not_there(world: World) -> None:
    hidden = (await world.get(f"/api/v1/accounts/{GLOBEX}", "tessera")).json()
    absent = (await world.get("/api/v1/accounts/nobody", "tessera")).json()
    assert hidden["status"] == absent["status"] == 404
    assert hidden | {"detail": ""} == absent | {"detail": ""}
    assert hidden["detail"].replace(GLOBEX, "nobody") == absent["detail"]


async def test_a_key_lists_its_own_accounts_page_by_page(world: World) -> None:
    first = (await world.get("/api/v1/accounts", limit=1)).json()
    assert [one["key"] for one in first["items"]] == [GLOBEX]
    second = (await world.get("/api/v1/accounts", limit=1, cursor=first["next_cursor"])).json()
    assert ([one["key"] for one in second["items"]], second["next_cursor"]) == ([HARBOR], None)
    own = (await world.get("/api/v1/accounts", "tessera")).json()
    assert [one["key"] for one in own["items"]] == [HARBOR]


@pytest.mark.parametrize(
    "params", [{"limit": 0}, {"limit": 501}, {"limit": "many"}, {"cursor": "x"}, {"cursor": "IlwwIg"}]
)
async def test_a_page_that_cannot_be_is_refused(world: World, params: dict[str, str]) -> None:
    answer = await world.get("/api/v1/accounts", **params)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_partner_is_not_shown_attributes(world: World) -> None:
    assert (await world.get(f"/api/v1/accounts/{HARBOR}", "tessera")).json()["attributes"] == {}
    assert (await world.get(f"/api/v1/accounts/{HARBOR}", "validator")).status_code == 200


async def test_a_right_that_the_key_lacks_is_named(world: World) -> None:
    problem = (await world.get(f"/api/v1/accounts/{HARBOR}", "value-only")).json()
    assert (problem["status"], problem["code"], problem["missing"]) == (403, "forbidden", "accounts:read")


async def test_the_supplier_reads_everything_and_amounts_are_text(world: World) -> None:
    answer = (await world.get(VALUE)).json()
    assert (answer["from"], answer["to"]) == ("2026-05-04", "2026-06-16")
    assert {row["driver"]: row["realized"] for row in answer["rows"]} == {
        "arrivals_told": "20.0000",
        "crews_reached": "2.0000",
        "dispatch_time": "180.0000",
        "invoices_synced": "60.0000",
    }
    assert (answer["totals"]["realized"], answer["totals"]["counted"]) == ("260.0000", "260.0000")
    assert "combined" not in answer["totals"]


async def test_a_partner_reads_its_own_rows_its_share_and_the_combined_total(world: World) -> None:
    answer = (await world.get(VALUE, "tessera", to="2026-05-05", group_by="provider,driver")).json()
    assert [(row["provider"], row["driver"]) for row in answer["rows"]] == [("tessera", "invoices_synced")]
    totals = answer["totals"]
    assert (totals["realized"], totals["paid"]) == ("60.0000", None)
    assert totals["combined"] == {"realized": "150.0000", "counted": "150.0000", "share": "0.4000"}


async def test_a_person_s_key_reads_as_the_customer_does(world: World) -> None:
    answer = (await world.get(VALUE, "validator")).json()
    assert answer["totals"]["realized"] == "260.0000"
    assert "combined" not in answer["totals"]


async def test_a_person_who_left_the_account_has_a_key_that_is_good_for_nothing(own_world: World) -> None:
    key = await own_world.make_key(KeyKind.PARTNER, "left", [own_world.harbor], person="gone@harbor.example")
    answer = await own_world.client.get(VALUE, headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 403


async def test_value_is_cut_by_window_and_group(world: World) -> None:
    answer = (await world.get(VALUE, window="DAY", group_by="benefit_class")).json()
    assert [(row["window_start"], row["benefit_class"], row["realized"]) for row in answer["rows"]] == [
        ("2026-05-04", "capacity", "90.0000"),
        ("2026-05-04", "cashable", "60.0000"),
        ("2026-05-04", "strategic", "1.0000"),
        ("2026-05-05", "avoidance", "20.0000"),
        ("2026-05-05", "capacity", "90.0000"),
        ("2026-05-05", "strategic", "1.0000"),
    ]


async def test_value_is_cut_by_a_dimension_of_its_meters_for_those_who_may_see_it(world: World) -> None:
    asked = {"group_by": "driver,system", "driver": "invoices_synced"}
    for who in ("admin", "tessera"):
        answer = (await world.get(VALUE, who, **asked)).json()
        (row,) = answer["rows"]
        assert (row["driver"], row["system"], row["realized"]) == ("invoices_synced", "sage", "60.0000")
        assert (row["realized_low"], answer["totals"]["realized"]) == (None, "60.0000")
    assert (await world.get(VALUE, "waypoint", **asked)).status_code == 422


@pytest.mark.parametrize(
    ("params", "status", "said"),
    [
        ({"group_by": "team"}, 422, "cannot be cut by 'team'"),
        ({"group_by": "system"}, 422, "driver=invoices_synced"),
        ({"group_by": "driver", "driver": "nothing"}, 422, "no driver 'nothing'"),
        ({"window": "CONTRACT_YEAR"}, 400, "no contract"),
        ({"window": "FORTNIGHT"}, 400, ""),
        ({"from": "2026-06-01", "to": "2026-06-01"}, 400, "must be after"),
        ({"from": "yesterday"}, 400, ""),
        ({"from": "0001-01-01"}, 400, "out of reach"),
        ({"to": "9999-12-31"}, 400, "out of reach"),
        ({"as_of": "9999-12-31"}, 400, "out of reach"),
    ],
)
async def test_a_cut_that_cannot_be_is_refused_with_the_reason(
    world: World, params: dict[str, str], status: int, said: str
) -> None:
    answer = await world.get(VALUE, **params)
    assert answer.status_code == status
    assert said in answer.json()["detail"]


async def test_an_account_without_value_has_no_rows(world: World) -> None:
    answer = (await world.get(f"/api/v1/accounts/{GLOBEX}/value")).json()
    assert (answer["rows"], answer["totals"]["realized"]) == ([], "0.0000")
