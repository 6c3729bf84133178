from datetime import date, timedelta
from decimal import Decimal

from tests.narrative.factories import TODAY, account, admitted, assumption, driver, rows, steady
from valueplatform.narrative.document import Audience
from valueplatform.narrative.facts import AccountFacts, Expiry, InputChange
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.expiry import expiring, input_changes
from valueplatform.narrative.story import compose
from valueplatform.value.states import State

START = date(2026, 1, 1)
TOMORROW = TODAY + timedelta(days=1)
CHANGE = InputChange("hourly_cost", date(2026, 8, 1), Decimal(40), Decimal("41.5"))


def _facts(state: State = State.VALIDATED, **given: object) -> AccountFacts:
    fields: dict[str, object] = {
        "drivers": (driver("a", inputs=("hourly_cost",)), driver("b")),
        "inputs": (assumption("hourly_cost", "41.5", "USD/hour"),),
    }
    daily = rows("a", steady(START, TOMORROW, 10), state=state) + rows("b", steady(START, TOMORROW, 5))
    return account(daily, **(fields | given))


def _expiring(day: date, state: State = State.VALIDATED, slug: str | None = "hourly_cost") -> list[Insight]:
    return expiring(_facts(state, expiries=(Expiry(slug, day, ("a",)),)))


def test_a_change_is_told_with_what_rests_on_it_since_then() -> None:
    (found,) = input_changes(_facts(input_changes=(CHANGE,)))
    assert found.number("carried").value == 10 * 21
    assert found.number("before").value == 40
    assert found.number("now").value == Decimal("41.5")
    assert found.terms["direction"] == "up"


def test_a_change_on_which_nothing_rests_is_not_told() -> None:
    assert input_changes(_facts(input_changes=(CHANGE,), drivers=(driver("b"),))) == []


def test_a_baseline_is_told_sixty_days_before_it_expires() -> None:
    (found,) = _expiring(TODAY + timedelta(days=60))
    assert found.terms["state"] == "ahead"
    assert found.number("carried").value == 10 * (TOMORROW - START).days
    assert _expiring(TODAY + timedelta(days=61)) == []


def test_what_expired_is_told_for_thirty_days_with_what_no_longer_counts() -> None:
    (found,) = _expiring(TODAY - timedelta(days=30), State.ESTIMATED)
    assert found.terms["state"] == "past"
    assert found.terms["certainty"] == "estimated"
    assert found.number("carried").value == 10 * 31
    assert _expiring(TODAY - timedelta(days=31), State.ESTIMATED) == []


def test_today_is_the_first_day_that_it_is_stale() -> None:
    (found,) = _expiring(TODAY, State.ESTIMATED)
    assert found.terms["state"] == "past"
    assert found.number("carried").value == 10


def test_what_never_counted_loses_nothing_by_expiring() -> None:
    assert _expiring(TODAY + timedelta(days=5), State.ESTIMATED) == []


def test_a_driver_that_is_only_probable_is_named_itself() -> None:
    (found,) = _expiring(TODAY + timedelta(days=5), slug=None)
    assert (found.terms["driver_name"], found.subject) == ("A", "a")


def test_the_margin_says_what_expires_before_what_changed() -> None:
    expiry = Expiry("hourly_cost", TODAY + timedelta(days=40), ("a",))
    facts = _facts(input_changes=(CHANGE,), expiries=(expiry,))
    story = compose(facts, admitted(facts), Audience.STEWARD)
    (said,) = [["".join(s.text for s in n.spans) for n in c.notes] for c in story.chapters if c.notes]
    expiring_note, changed_note = (text.replace("\N{NO-BREAK SPACE}", " ") for text in said)
    assert expiring_note == (
        "Hourly cost expires on 30 Sep 2026, and $2.33K rests on it. Measured again by then, it goes on counting."
    )
    assert changed_note == (
        "Hourly cost was settled anew on 1 Aug 2026: it rose from $40 per hour to $41.50 per hour. The $210 since then "
        "rests on it; the days before keep what held on them."
    )
