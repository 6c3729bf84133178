import pytest

from tests.api.world import HARBOR, World


@pytest.fixture
def world(read_only_world: World) -> World:
    return read_only_world


async def test_the_portfolio_lists_accounts_in_scope_whose_story_is_told(world: World) -> None:
    answer = (await world.get("/api/v1/portfolio")).json()
    assert [row["account"] for row in answer["items"]] == [HARBOR]
    assert answer["next_cursor"] is None
    assert (await world.get("/api/v1/portfolio", search="nobody")).json()["items"] == []


async def test_signals_say_which_account_calls_and_why(world: World) -> None:
    answer = (await world.get("/api/v1/signals")).json()
    assert {one["account"] for one in answer["items"]} <= {HARBOR}
    assert all(one["text"] for one in answer["items"])


@pytest.mark.parametrize("who", ["tessera", "champion", "validator", "ingest"])
@pytest.mark.parametrize("path", ["portfolio", "signals"])
async def test_they_are_for_the_supplier_alone(world: World, who: str, path: str) -> None:
    assert (await world.get(f"/api/v1/{path}", who)).status_code == 403


@pytest.mark.parametrize("params", [{"cursor": "x"}, {"limit": 0}, {"filter": "nothing"}])
async def test_what_cannot_be_asked_is_refused(world: World, params: dict[str, str]) -> None:
    assert (await world.get("/api/v1/portfolio", **params)).status_code == 400


async def test_any_text_may_be_searched_for(world: World) -> None:
    for search in ("a\0b", "%", "_", "\\", "x" * 5000, "🙂"):
        assert (await world.get("/api/v1/portfolio", search=search)).status_code in {200, 400}
