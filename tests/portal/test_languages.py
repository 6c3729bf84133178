"""Which language a browser asks for: weights, regions, nonsense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.narrative.document import Language
from valueplatform.portal.languages import preferred


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-CH", "de"),
        ("DE", "de"),
        ("en, de", "en"),
        ("en;q=0.5, de;q=0.9", "de"),
        ("fr, de;q=0.3", "de"),
        ("fr-FR, fr;q=0.9", "en"),
        ("de;q=0", "en"),
        ("*", "en"),
        ("*, de;q=0.5", "de"),
        ("de;q=x, en;q=0.1", "en"),
        ("de;level=1", "en"),
        ("den", "en"),
        (";q=1,,", "en"),
    ],
)
def test_the_first_of_ours_by_weight_is_taken(header: str, language: str) -> None:
    assert preferred(header) == language


@given(st.text(max_size=1000))
def test_no_header_breaks_it(header: str) -> None:
    assert preferred(header) in Language
