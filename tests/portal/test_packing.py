import gzip

import pytest

from tests.portal.browsers import Browser, Portal
from valueplatform.portal.packing import LONGEST_FILLER, packed, takes_gzip


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.8", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0", False),
        ("br", False),
        ("", False),
        ("xgzip", False),
    ],
)
def test_a_page_is_packed_for_who_takes_it(accepted: str, *, taken: bool) -> None:
    assert takes_gzip(accepted) is taken


def test_packing_loses_nothing_and_hides_how_long_the_body_is() -> None:
    body = b"<p>the same</p>" * 100
    answers = [packed(body) for _ in range(200)]

    assert {gzip.decompress(answer) for answer in answers} == {body}
    assert len({len(answer) for answer in answers}) > LONGEST_FILLER / 2


async def test_a_packed_page_is_the_same_page(portal: Portal, customer: Browser) -> None:
    packed_ = await customer.get("/story", **{"accept-encoding": "gzip"})
    plain = await customer.get("/story", **{"accept-encoding": "identity"})

    assert packed_.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert "Accept-Encoding" in packed_.headers["vary"]
    assert packed_.text == plain.text
    assert int(packed_.headers["content-length"]) < len(plain.content) / 3


async def test_answers_without_a_page_pass_as_they_are(customer: Browser) -> None:
    redirect = await customer.get("/together", **{"accept-encoding": "gzip"})
    text = await customer.get("/story.md", **{"accept-encoding": "gzip"})

    assert redirect.status_code in {200, 303}
    assert "content-encoding" not in text.headers


async def test_failures_are_packed_too_and_keep_their_status(customer: Browser) -> None:
    answer = await customer.get("/proof/ins_00000000000000000000", **{"accept-encoding": "gzip"})

    assert answer.status_code == 404
    assert "There is no such page." in answer.text
