from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.telemetry.factories import NOW
from valueplatform.telemetry.client_time import ON_THE_WAY, client_time, clock_shift
from valueplatform.telemetry.payload import RefusedEventError

NINE = datetime(2026, 3, 2, 9, 0, 0, 250_000, UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-02T09:00:00.250Z",
        "2026-03-02T09:00:00.250000+00:00",
        "2026-03-02T10:00:00.25+01:00",
        "2026-03-02 09:00:00.250",
        " 2026-03-02T09:00:00.250Z ",
        1772442000250,
        "1772442000250",
        Decimal("1772442000.25"),
        "1772442000.25",
        Decimal("1772442000250.0"),
    ],
)
def test_every_spelling_of_a_time_is_the_same_time(written: object) -> None:
    assert client_time("timestamp", written) == NINE


@pytest.mark.parametrize("number", [1772442000, "1772442000"])
def test_whole_seconds_are_not_taken_for_milliseconds(number: object) -> None:
    assert client_time("timestamp", number) == NINE.replace(microsecond=0)


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_time_is_no_time(nothing: object) -> None:
    assert client_time("timestamp", nothing) is None


@pytest.mark.parametrize(
    "wrong", ["yesterday", "2026-02-30T00:00:00Z", True, [], {}, 10**30, "9" * 20, Decimal("1e25")]
)
def test_what_is_no_time_is_refused_by_name(wrong: object) -> None:
    with pytest.raises(RefusedEventError, match="sentAt is") as refused:
        client_time("sentAt", wrong)
    assert refused.value.reason == "invalid_time"


def test_a_clock_is_corrected_beyond_what_a_request_travels() -> None:
    assert clock_shift(None, NOW) == timedelta()
    assert clock_shift(NOW - ON_THE_WAY, NOW) == timedelta()
    assert clock_shift(NOW + timedelta(hours=2), NOW) == timedelta(hours=-2)
    assert clock_shift(NOW - timedelta(days=400), NOW) == timedelta(days=400)


@given(st.one_of(st.text(), st.integers(), st.decimals(allow_nan=False, allow_infinity=False), st.none()))
def test_any_value_is_a_time_or_refused(value: object) -> None:
    try:
        found = client_time("timestamp", value)
    except RefusedEventError:
        return
    assert found is None or found.tzinfo is not None
