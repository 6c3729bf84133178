"""What goes with a high value: told of groups alone, beyond chance alone, and in the order of first use."""

import random
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from valueplatform.value.benchmark import Member, Per, cohorts
from valueplatform.value.model import Feature
from valueplatform.value.practice import Practice, Use, Uses, by_account, place_of, practices, split, usual_position

FIRST = date(2026, 1, 1)


def feature(slug: str, *segments: str) -> Feature:
    return Feature(slug=slug, event_types=(slug,), eligible_segments=segments)


def members(count: int, unit: str = "USD", first: int = 0, segment: str = "big") -> list[Member]:
    return [Member(first + n, "time", unit, "capacity", segment, Decimal(100 + n)) for n in range(count)]


def uses(*given: tuple[str, range], every: str = "", of: range = range(0), is_used: bool = True) -> Uses:
    """Each feature by who uses it, begun one month after the other."""
    found = [
        Use(account, slug, FIRST + timedelta(30 * at), is_used)
        for at, (slug, accounts) in enumerate(given)
        for account in accounts
    ]
    return by_account([*found, *(Use(account, every, FIRST, is_used=True) for account in of)])


def of_all(made: list[Practice]) -> Practice:
    (found,) = [one for one in made if not one.segment]
    return found


def told(count: int, features: list[Feature], given: Uses) -> Practice:
    return of_all(practices(cohorts(members(count), 3), features, given))


def test_the_top_and_the_rest_are_five_each_or_nothing_is_told() -> None:
    """Of 16 accounts four are at or above the upper quartile."""
    assert practices(cohorts(members(16), 3), [feature("lists")], {}) == []
    assert (told(17, [feature("lists")], {}).top, told(17, [feature("lists")], {}).rest) == (5, 12)


def test_what_all_of_the_top_and_few_others_use_is_told_with_its_interval() -> None:
    practice = told(20, [feature("lists")], uses(("lists", range(13, 20))))
    (habit,) = practice.habits
    assert (habit.top_using, habit.top, habit.rest_using, habit.rest) == (5, 5, 2, 15)
    assert (habit.difference, habit.low > Decimal("0.3"), habit.high < 1) == (Decimal("0.8667"), True, True)


def test_what_might_be_chance_is_not_told_but_that_it_was_compared_is() -> None:
    practice = told(20, [feature("lists")], uses(("lists", range(9, 19))))
    assert (practice.compared, practice.habits) == (1, ())


def test_a_difference_must_hold_among_all_features_that_are_compared() -> None:
    given = uses(("lists", range(11, 20)))
    assert told(20, [feature("lists")], given).habits
    many = [feature("lists"), *(feature(f"f{n}") for n in range(39))]
    assert not told(20, many, given).habits


def test_what_others_use_more_is_not_what_the_top_does() -> None:
    assert told(20, [feature("lists")], uses(("lists", range(15)))).habits == ()


def test_a_feature_that_was_left_off_is_not_in_use() -> None:
    assert told(20, [feature("lists")], uses(("lists", range(15, 20)), is_used=False)).habits == ()


def test_only_accounts_that_may_use_a_feature_are_counted_for_it() -> None:
    everybody = [*members(20), *members(20, first=50, segment="small")]
    (practice,) = [one for one in practices(cohorts(everybody, 3), [feature("lists", "small")], {}) if not one.segment]
    assert practice.compared == 1
    alone = [*members(40), *members(4, first=50, segment="small")]
    assert of_all(practices(cohorts(alone, 3), [feature("lists", "small")], {})).compared == 0


def test_currencies_are_ranked_apart_and_counted_together() -> None:
    made = cohorts([*members(12), *members(12, unit="JPY", first=50)], 3)
    top, rest = split([one for one in made if not one.segment])
    assert ({one.unit for one in top}, len(top), len(rest)) == ({"USD", "JPY"}, 6, 18)
    assert of_all(practices(made, [], {})).top == 6


def test_a_currency_with_too_few_accounts_is_left_out() -> None:
    made = cohorts([*members(20), *members(4, unit="JPY", first=50)], 3)
    practice = of_all(practices(made, [], {}))
    assert (practice.top, practice.rest) == (5, 15)


def test_where_scale_is_known_accounts_are_ranked_per_unit_of_it() -> None:
    sized = [Member(n, "time", "USD", "capacity", None, Decimal(100 + n), Decimal(1 + n)) for n in range(20)]
    practice = of_all(practices(cohorts(sized, 3), [feature("lists")], uses(("lists", range(5)))))
    assert practice.per is Per.SCALE
    assert [one.top_using for one in practice.habits] == [5]


def test_habits_come_in_the_order_in_which_the_top_began() -> None:
    top = range(15, 20)
    given = uses(("first", range(0)), ("later", top), every="always", of=range(20))
    given = by_account([*(u for own in given.values() for u in own.values()),
                        *(Use(n, "sooner", FIRST + timedelta(9), is_used=True) for n in top)])  # fmt: skip
    practice = told(20, [feature("later"), feature("sooner"), feature("always")], given)
    assert [(one.feature, one.position) for one in practice.habits] == [
        ("sooner", Decimal("2.0")),
        ("later", Decimal("3.0")),
    ]


def test_where_fewer_than_five_of_the_top_use_it_there_is_no_order() -> None:
    practice = told(20, [feature("lists")], uses(("lists", range(16, 20))))
    assert [(one.top_using, one.position) for one in practice.habits] == [(4, None)]


TOP_FIVE = range(15, 20)


def begun(account: int, **days: int) -> list[Use]:
    """Features of one account by the day on which it began, still in use."""
    return [Use(account, slug, FIRST + timedelta(day), is_used=True) for slug, day in days.items()]


def test_the_usual_place_is_the_median_of_accounts_and_no_mean() -> None:
    """Four began with lists; the fifth after eight other features."""
    late = begun(19, lists=99, **{f"f{n}": n for n in range(8)})
    given = by_account([*(use for n in range(15, 19) for use in begun(n, lists=0, other=5)), *late])
    assert usual_position("lists", TOP_FIVE, given) == Decimal("1.0")


def test_between_two_places_the_usual_one_is_half_way_and_keeps_one_digit() -> None:
    """Of six accounts three began with lists and three shared the second and third place: (1 + 2.5) / 2."""
    first = [use for n in range(3) for use in begun(n, lists=0, other=1)]
    later = [use for n in range(3, 6) for use in begun(n, other=0, lists=1, more=1)]
    assert usual_position("lists", range(6), by_account([*first, *later])) == Decimal("1.8")


def test_each_account_has_an_order_of_its_own_whatever_the_calendar_says() -> None:
    """Those that joined last began with lists months after others, and began with it all the same."""
    given = by_account([use for n in TOP_FIVE for use in begun(n, lists=100 * n, other=100 * n + 1)])
    assert usual_position("lists", TOP_FIVE, given) == Decimal("1.0")
    assert usual_position("other", TOP_FIVE, given) == Decimal("2.0")


def test_what_was_left_off_keeps_its_place_in_the_order_and_has_none_to_tell() -> None:
    left = [Use(n, "left", FIRST, is_used=False) for n in TOP_FIVE]
    given = by_account([*left, *(use for n in TOP_FIVE for use in begun(n, lists=7))])
    assert usual_position("lists", TOP_FIVE, given) == Decimal("2.0")
    assert usual_position("left", TOP_FIVE, given) is None


def test_features_that_began_on_one_day_share_the_mean_of_their_places() -> None:
    given = by_account([use for n in TOP_FIVE for use in begun(n, lists=3, maps=3, first=0)])
    assert {usual_position(slug, TOP_FIVE, given) for slug in ("lists", "maps")} == {Decimal("2.5")}


def test_the_order_is_that_of_the_top_though_more_of_the_rest_went_the_other_way() -> None:
    """All ten of the top, and twelve of the thirty others."""
    other_way = [use for n in range(12) for use in begun(n, second=0, first=9)]
    given = by_account([*other_way, *(use for n in range(30, 40) for use in begun(n, first=0, second=9))])
    practice = told(40, [feature("second"), feature("first")], given)
    assert [(one.feature, one.top_using, one.rest_using, one.position) for one in practice.habits] == [
        ("first", 10, 12, Decimal("1.0")),
        ("second", 10, 12, Decimal("2.0")),
    ]


def test_the_order_is_by_place_and_neither_by_name_nor_as_the_model_lists_them() -> None:
    """The tenth place comes after the second: places are numbers."""
    many = {f"m{n}": n for n in range(2, 10)}
    given = by_account([use for n in TOP_FIVE for use in begun(n, z=0, b=1, a=20, **many)])
    practice = told(20, [feature("a"), feature("z"), feature("b")], given)
    assert [(one.feature, one.position) for one in practice.habits] == [
        ("z", Decimal("1.0")),
        ("b", Decimal("2.0")),
        ("a", Decimal("11.0")),
    ]


def test_equal_places_go_by_name_and_those_without_a_place_come_last() -> None:
    """Four of the top use `a`: too few for a place, so it follows those that have one."""
    given = by_account([use for n in TOP_FIVE for use in begun(n, c=5, b=5, **({"a": 0} if n > TOP_FIVE[0] else {}))])
    practice = told(20, [feature("c"), feature("a"), feature("b")], given)
    assert [one.feature for one in practice.habits] == ["b", "c", "a"]
    assert [one.position for one in practice.habits] == [Decimal("2.5"), Decimal("2.5"), None]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=9))
def test_places_of_one_account_share_what_there_is(days: list[int]) -> None:
    own = {f"f{at}": Use(1, f"f{at}", FIRST + timedelta(day), is_used=True) for at, day in enumerate(days)}
    places = [place_of(slug, own) for slug in own]
    assert sum(places) == Fraction(len(days) * (len(days) + 1), 2)


def test_of_a_thousand_worlds_of_chance_few_tell_anything() -> None:
    """At most one in twenty, however many features there are."""
    chance = random.Random(5)
    features = [feature(f"f{n}") for n in range(8)]
    made = cohorts(members(24), 3)
    wrong = 0
    for _ in range(1000):
        given = by_account(
            Use(account, one.slug, FIRST, is_used=True)
            for one in features
            for account in range(24)
            if chance.random() < 0.4
        )
        wrong += bool(of_all(practices(made, features, given)).habits)
    assert wrong < 50
