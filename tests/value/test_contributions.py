from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.value.factories import NOW
from tests.value.test_values import SPRING, d, shown
from valueplatform.core.authorization import Side
from valueplatform.core.periods import Period, month_of
from valueplatform.value.contributions import (
    Answer,
    Answering,
    Contribution,
    Reported,
    Standing,
    as_partners_see,
    known_by,
    measured_in,
    reported_sums,
    standings,
)

DAY = date(2026, 3, 2)
MEASURED = measured_in([shown(DAY, 100, provider="tessera")])
DRIVER = shown(DAY, 1).driver


def reported(
    amount: int | Decimal, number: int = 1, *said: Answering, driver: str | None = DRIVER, unit: str = "USD",
    provider: str = "tessera",
) -> Contribution:  # fmt: skip
    content = Reported(
        provider=provider, id=str(number), driver=driver, title="t", amount=Decimal(amount), unit=unit,
        period=month_of(DAY), evidence="e", source="s",
    )  # fmt: skip
    answers = [Answer(action, "vera", Side.CUSTOMER, "r", NOW + timedelta(days=n)) for n, action in enumerate(said)]
    return Contribution(number, content, "key Tessera", NOW, answers)


def stand(*contributions: Contribution) -> list[tuple[Standing, str | None]]:
    return [(one.standing, one.by) for one in standings(contributions, MEASURED)]


REPORTED, TELEMETRY = (Standing.REPORTED, None), (Standing.CORROBORATED, "telemetry")


def test_measured_value_of_the_month_corroborates_up_to_itself() -> None:
    assert stand(reported(100)) == [TELEMETRY]
    assert stand(reported(Decimal("100.0001"))) == [REPORTED]


def test_the_same_value_does_not_corroborate_twice() -> None:
    assert stand(reported(60), reported(60, 2), reported(40, 3)) == [TELEMETRY, REPORTED, TELEMETRY]


def test_only_the_partner_s_own_driver_in_the_same_unit_and_month_corroborates() -> None:
    assert stand(reported(5, driver=None)) == [REPORTED]
    assert stand(reported(5, driver="another")) == [REPORTED]
    assert stand(reported(5, unit="EUR")) == [REPORTED]
    assert stand(reported(5, provider="waypoint")) == [REPORTED]
    later = measured_in([shown(date(2026, 4, 1), 100, provider="tessera")])
    assert standings([reported(5)], later)[0].standing is Standing.REPORTED


def test_what_does_not_count_corroborates_nothing() -> None:
    estimated = measured_in([shown(DAY, 100, provider="tessera", counted=False)])
    assert standings([reported(5)], estimated)[0].standing is Standing.REPORTED


def test_a_loss_is_not_corroborated_by_a_gain() -> None:
    assert stand(reported(-5)) == [REPORTED]


def test_the_newest_answer_of_the_customer_holds_over_telemetry() -> None:
    corroborate, dispute, withdraw = Answering.CORROBORATE, Answering.DISPUTE, Answering.WITHDRAW
    assert stand(reported(5, 1, dispute)) == [(Standing.DISPUTED, None)]
    assert stand(reported(500, 1, dispute, corroborate)) == [(Standing.CORROBORATED, "validator")]
    assert stand(reported(5, 1, corroborate, dispute)) == [(Standing.DISPUTED, None)]
    assert stand(reported(5, 1, corroborate, withdraw)) == [(Standing.WITHDRAWN, None)]


def test_what_is_disputed_or_withdrawn_uses_up_no_measured_value() -> None:
    assert stand(reported(100, 1, Answering.DISPUTE), reported(100, 2, Answering.WITHDRAW), reported(100, 3))[2:] == [
        TELEMETRY
    ]


def test_a_partner_sees_its_own_and_no_disputes() -> None:
    found = standings([reported(5, 1, Answering.DISPUTE), reported(5, 2, provider="waypoint")], MEASURED)
    assert [(one.contribution.contribution_id, one.standing) for one in as_partners_see(found, "tessera")] == [
        (1, Standing.REPORTED)
    ]


def test_sums_are_by_provider_unit_and_standing_without_what_was_withdrawn() -> None:
    several = [reported(60), reported(-5, 2), reported(60, 3), reported(7, 4, Answering.WITHDRAW)]
    sums = reported_sums(standings(several, MEASURED), SPRING)
    assert [(one.standing, one.count, one.amount) for one in sums] == [
        (Standing.CORROBORATED, 1, d(60)),
        (Standing.REPORTED, 2, d(55)),
    ]


def test_a_month_is_shown_whole_in_every_period_that_it_touches() -> None:
    found = standings([reported(60)], MEASURED)
    whole = reported_sums(found, SPRING)
    assert reported_sums(found, Period(date(2026, 3, 31), date(2026, 4, 2))) == whole
    assert reported_sums(found, Period(date(2026, 2, 1), date(2026, 3, 1))) == []
    assert reported_sums(found, Period(date(2026, 4, 1), date(2026, 5, 1))) == []


def test_as_of_a_moment_later_answers_are_not_known() -> None:
    one = reported(500, 1, Answering.CORROBORATE, Answering.DISPUTE)
    assert [len(known_by([one], moment)[0].answers) for moment in (NOW, None)] == [1, 2]
    assert known_by([one], NOW - timedelta(seconds=1)) == []


@given(st.lists(st.integers(-200, 200).filter(bool)))
def test_telemetry_never_corroborates_more_than_it_measured(amounts: list[int]) -> None:
    found = standings([reported(amount, n) for n, amount in enumerate(amounts)], MEASURED)
    kept = [one.contribution.reported.amount for one in found if one.standing is Standing.CORROBORATED]
    assert sum(kept) <= 100
    assert all(amount > 0 for amount in kept)
