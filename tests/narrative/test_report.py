import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.narrative.report import inert


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "＝1", "=cmd|' /C calc'!A0"],  # noqa: RUF001
)
def test_what_could_begin_a_formula_is_text(text: str) -> None:
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "dispatch_time", "USD", "a=b", "measured", "Größe"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert inert(text) == text


@given(st.text())
def test_nothing_is_lost(text: str) -> None:
    assert inert(text).removeprefix("'") == text.removeprefix("'")
