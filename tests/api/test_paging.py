import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api.world import HARBOR, World
from valueplatform.api.paging import page_after
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.pages import cursor_at

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"))  # as the database has them


@given(st.lists(NAMES, unique=True, max_size=20), st.integers(1, 7))
def test_the_pages_of_a_list_are_the_list(items: list[str], limit: int) -> None:
    read: list[str] = []
    cursor = None
    while True:
        page = page_after(items, limit, cursor, str)
        assert len(page.items) <= limit
        read += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert read == items


@pytest.mark.parametrize(
    ("limit", "cursor"), [(0, None), (501, None), (1, "x"), (1, cursor_at("gone")), (1, cursor_at(1))]
)
def test_a_page_that_cannot_be_is_refused(limit: int, cursor: str | None) -> None:
    with pytest.raises(InvalidInputError):
        page_after(["a", "b"], limit, cursor, str)


@pytest.mark.parametrize("path", ["assumptions", "milestones", "plans", "objectives", "suggestions"])
async def test_lists_of_an_account_come_in_pages(bare_world: World, path: str) -> None:
    address = f"/api/v1/accounts/{HARBOR}"
    for month in ("04", "05", "06"):
        target = {"objective": f"o {month}", "driver": "dispatch_time", "month": f"2026-{month}-01", "expected": "1"}
        await bare_world.send("PUT", f"{address}/plans/case", "champion", [target])
        milestone = {"kind": "rollout", "time": f"2026-{month}-01T09:00:00Z"}
        await bare_world.send("PUT", f"{address}/milestones/{month}", "champion", milestone)
    whole = (await bare_world.get(f"{address}/{path}")).json()
    assert whole["next_cursor"] is None
    read, cursor = [], None
    while True:
        page = (await bare_world.get(f"{address}/{path}", limit=2, **({"cursor": cursor} if cursor else {}))).json()
        read += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert read == whole["items"]
    assert path == "suggestions" or len(read) >= 3
