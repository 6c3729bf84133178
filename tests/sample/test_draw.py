"""Drawn numbers: exact, near their mean, and dealt out without loss."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from valueplatform.sample.draw import dealt, exact, near, seeded

MEANS = st.lists(st.floats(min_value=0, max_value=1000), min_size=1, max_size=8)


@given(st.integers(), MEANS)
def test_what_is_dealt_adds_up_to_the_means_but_for_less_than_one(seed: int, means: list[float]) -> None:
    counts = dealt(seeded(seed), means)
    assert len(counts) == len(means)
    assert all(count >= 0 for count in counts)
    assert abs(sum(counts) - sum(means)) <= 1
    assert all(abs(count - mean) <= 1 for count, mean in zip(counts, means, strict=True))


@given(st.integers(), st.floats(min_value=-5, max_value=1e6))
def test_without_noise_a_count_is_the_mean_rounded_by_chance(seed: int, mean: float) -> None:
    assert abs(near(seeded(seed), mean, 0) - max(mean, 0)) < 1


def test_small_means_keep_their_sum() -> None:
    rng = seeded("sum")
    assert abs(sum(near(rng, 0.05, 0) for _ in range(20_000)) - 1000) < 150


def test_exact_numbers_have_the_places_asked_for() -> None:
    assert str(exact(12.349, 2)) == "12.35"
    assert str(exact(1500.4, 0)) == "1500"
    assert exact(0.04, 1) == Decimal(0)


def test_the_same_words_give_the_same_chance_and_others_do_not() -> None:
    assert seeded(7, "a", "b").random() == seeded(7, "a", "b").random()
    assert seeded(7, "a", "b").random() != seeded(7, "a", "c").random()
