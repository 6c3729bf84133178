import msgspec
import pytest

from tests.narrative.factories import admitted, harbor, summit
from tests.narrative.further_accounts import cascade, delmar, lakeshore
from valueplatform.narrative.faithful.placing import placing_problems

INSIGHTS = {
    given.insight.kind: given.insight
    for facts in (harbor(), summit(), delmar(), cascade(), lakeshore())
    for given in admitted(facts)
}


@pytest.mark.parametrize(
    ("kind", "terms"),
    [
        ("input-change", {"since_day": "2026-07-14"}),
        ("expiring-input", {"expires_day": "2026-08-09"}),
        ("time-to-value", {"contract_day": "2026-05-05"}),
        ("time-to-value", {"first_day": "2026-07-03"}),
        ("since-purchase", {"contract_day": "2026-01-06"}),
        ("payback", {"payback_day": "2026-08-09"}),
        ("disruption", {"last_day": "2026-07-07"}),
    ],
)
def test_another_day_than_that_of_the_numbers_is_found(kind: str, terms: dict[str, str]) -> None:
    insight = INSIGHTS[kind]
    assert list(placing_problems(insight)) == []
    assert list(placing_problems(msgspec.structs.replace(insight, terms=insight.terms | terms))) != []
