from datetime import date

from tests.narrative.factories import account, contract, driver, rows, steady, targets
from valueplatform.core.periods import Period
from valueplatform.narrative.windows import commitment_windows, last_full_month, month_before, story_window

TODAY = date(2026, 8, 21)


def test_without_a_running_contract_the_story_begins_with_the_first_value() -> None:
    facts = account(
        rows("a", {date(2026, 3, 9): 1}),
        drivers=(driver("a"),),
        contracts=(contract(date(2024, 1, 1), date(2025, 1, 1), 100),),
    )
    window = story_window(facts)
    assert window.to_date == Period(date(2026, 3, 9), date(2026, 8, 22))
    assert not window.is_contract_year


def test_contract_years_count_from_the_first_contract() -> None:
    contracts = (contract(date(2023, 10, 5), date(2026, 3, 1), 100), contract(date(2026, 3, 1), None, 100))
    window = story_window(account(contracts=contracts))
    assert (window.start, window.end) == (date(2025, 10, 5), date(2026, 10, 5))


def test_an_account_without_anything_has_a_window_of_today() -> None:
    assert story_window(account()).to_date.days == 1


def test_a_commitment_reaches_from_its_first_to_its_last_target_within_the_window() -> None:
    plan = [
        *targets("o", "early", date(2024, 1, 1), date(2026, 3, 1), 10),
        *targets("o", "late", date(2026, 6, 1), date(2027, 1, 1), 10),
        *targets("o", "future", date(2026, 10, 1), date(2027, 1, 1), 10),
        *targets("o", "unknown", date(2026, 6, 1), date(2027, 1, 1), 10),
    ]
    facts = account(
        rows("early", steady(date(2025, 9, 1), TODAY, 1)),
        drivers=(driver("early"), driver("late"), driver("future")),
        targets=tuple(plan),
        contracts=(contract(date(2025, 9, 1), None, 1),),
    )
    assert commitment_windows(facts) == {
        "early": Period(date(2025, 9, 1), date(2026, 3, 1)),
        "late": Period(date(2026, 6, 1), date(2026, 8, 22)),
    }


def test_a_month_is_full_only_when_value_came_before_it_began() -> None:
    drivers = (driver("a"),)
    assert last_full_month(account(rows("a", {date(2026, 7, 2): 1}), drivers=drivers)) is None
    july = last_full_month(account(rows("a", {date(2026, 7, 1): 1}), drivers=drivers))
    assert july == Period(date(2026, 7, 1), date(2026, 8, 1))


def test_the_month_before_january_is_december() -> None:
    assert month_before(date(2026, 1, 31)) == date(2025, 12, 1)


def test_a_contract_year_without_value_or_commitment_gives_way_to_all_that_there_is() -> None:
    long_ago = date(2024, 3, 9)
    running = (contract(date(2023, 10, 5), None, 100),)
    silent = account(rows("a", {long_ago: 1}), drivers=(driver("a"),), contracts=running)
    assert story_window(silent).start == long_ago
    spoken = account(rows("a", {long_ago: 1, date(2026, 8, 1): 1}), drivers=(driver("a"),), contracts=running)
    assert story_window(spoken).start == date(2025, 10, 5)
    planned = targets("o", "a", date(2026, 8, 1), date(2026, 9, 1), 10)
    committed = account(rows("a", {long_ago: 1}), drivers=(driver("a"),), contracts=running, targets=tuple(planned))
    assert story_window(committed).start == date(2025, 10, 5)
