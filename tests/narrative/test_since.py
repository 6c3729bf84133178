from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import msgspec
import polars as pl

from tests.narrative.factories import TODAY, account, admitted, driver, harbor, rows, steady
from valueplatform.narrative.document import Audience, Status, StoryDocument
from valueplatform.narrative.facts import DAILY_SCHEMA, AccountFacts, Adjustment, ClosedAmount
from valueplatform.narrative.since import MOST_LINES, since, told
from valueplatform.narrative.story import compose


def _story(facts: AccountFacts) -> StoryDocument:
    return compose(facts, admitted(facts), Audience.CUSTOMER)


def test_nothing_changed_says_nothing() -> None:
    assert since(_story(harbor()), _story(harbor())) == ()


def test_a_day_on_tells_how_far_value_grew() -> None:
    lines = [line.text for line in since(_story(harbor(TODAY - timedelta(days=5))), _story(harbor()))]
    assert any(line.startswith("Realized value grew by $") for line in lines)


def test_a_changed_standing_comes_first() -> None:
    now = _story(harbor())
    before = msgspec.structs.replace(now, status=Status.AHEAD)
    assert since(before, now)[0].text == "The standing went from ahead of plan to on plan"


def test_a_question_that_was_raised_is_told_with_its_sentence() -> None:
    facts = harbor()
    calm = replace(facts, inputs=tuple(replace(i, disputed_by=None, disputed_on=None) for i in facts.inputs))
    lines = since(_story(calm), _story(facts))
    line = next(line for line in lines if "questioned" in line.text)
    assert line.text == "Priya Nair questioned visit cost on 18 Aug 2026."
    assert line.insight_id in {sentence.insight_id for sentence in told(_story(facts))}


def test_a_restated_month_is_told() -> None:
    facts = harbor()
    before = replace(facts, adjustments=())
    texts = [line.text for line in since(_story(before), _story(facts))]
    assert any(text.startswith("We said $26.1K of invoices out sooner for March 2026") for text in texts)


def test_what_is_told_for_the_first_time_is_a_line_what_is_always_told_is_none() -> None:
    old = account(rows("a", steady(date(2026, 1, 1), TODAY, 10)), drivers=(driver("a"),))
    both = [*rows("a", steady(date(2026, 1, 1), TODAY, 10)), *rows("b", steady(date(2026, 8, 1), TODAY, 10))]
    new = account(both, drivers=(driver("a"), driver("b")))
    texts = [line.text for line in since(_story(old), _story(new))]
    assert any(text.startswith("B brought its first value on 1 Aug 2026") for text in texts)
    assert not any("contributed" in text and "total" not in text for text in texts)


def test_at_most_five_lines_and_no_sentence_twice() -> None:
    empty = account(pl.DataFrame(schema=DAILY_SCHEMA).to_dicts(), drivers=harbor().drivers)
    lines = since(_story(empty), _story(harbor()))
    assert 1 <= len(lines) <= MOST_LINES
    assert len({line.insight_id for line in lines}) == len(lines)


def test_other_measures_are_not_subtracted_from_each_other() -> None:
    """An estimate that became realized value did not 'grow'."""
    facts = account(rows("a", steady(date(2026, 1, 1), TODAY, 10)), drivers=(driver("a"),))
    estimated = replace(
        facts, daily=facts.daily.with_columns(pl.lit(value=False).alias("counted"), pl.lit("estimated").alias("state"))
    )
    texts = [line.text for line in since(_story(estimated), _story(facts))]
    assert not any("grew" in text for text in texts)


def test_an_adjustment_has_its_closing_in_the_record() -> None:
    late = Adjustment("a", date(2026, 3, 1), date(2026, 8, 12), Decimal(50), "events")
    facts = account(
        [*rows("a", steady(date(2026, 1, 1), TODAY, 10)), *rows("a", {date(2026, 8, 12): 50}, provider="supplier")],
        drivers=(driver("a"),),
        adjustments=(late,),
        closings=(ClosedAmount("a", date(2026, 3, 1), Decimal(310)),),
    )
    assert any(sentence.kind == "adjustment" for sentence in told(_story(facts)))
