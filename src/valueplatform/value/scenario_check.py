"""What a scenario may ask of an account: enough usage to carry on, changes of things that there are, within reach."""

from collections.abc import Sequence
from typing import Final

from valueplatform.core.errors import UnprocessableError
from valueplatform.core.periods import Period
from valueplatform.value.levers import Adoption, Change, Input, Lever, SwitchOn, Usage, moved_meters
from valueplatform.value.model import ValueModel

FEWEST_DAYS: Final = 14
MOST_MONTHS: Final = 36


def check(model: ValueModel, based_on: Period, changes: Sequence[Change], period: Period) -> None:
    """Raises UnprocessableError."""
    if based_on.days < FEWEST_DAYS:
        raise UnprocessableError(
            f"There are {based_on.days} days of usage in whole weeks; a scenario carries on from {FEWEST_DAYS}."
        )
    for change in changes:
        if change.since.day != 1 or not period.start <= change.since < period.end:
            raise UnprocessableError(f"A change begins with a month from {period.start} to before {period.end}.")
        if not 1 <= change.over <= MOST_MONTHS:
            raise UnprocessableError(f"A change takes 1 to {MOST_MONTHS} months to get there, not {change.over}.")
        if isinstance(change.lever, Input):
            _check_input(model, change.lever)
        elif isinstance(change.lever, SwitchOn) and model.feature(change.lever.feature) is None:
            raise UnprocessableError(f"The model has no feature {change.lever.feature!r}.")
        elif change.lever.times < 0:
            raise UnprocessableError(f"There is no usage times {change.lever.times}; write 0 or more.")
        elif not isinstance(change.lever, SwitchOn) and not moved_meters(model, change.lever):
            raise UnprocessableError(f"The model has no {_named(change.lever)} whose usage could grow.")


def _check_input(model: ValueModel, lever: Input) -> None:
    if model.rate(lever.slug) is None:
        known = ", ".join(rate.slug for rate in (*model.assumptions, *model.baselines))
        raise UnprocessableError(f"The model has no assumption or baseline {lever.slug!r}; it has {known}.")
    if not lever.value.low <= lever.value.expected <= lever.value.high:
        raise UnprocessableError(f"{lever.slug}: low, expected and high must rise.")


def _named(lever: Lever) -> str:
    match lever:
        case Usage(meter=meter):
            return f"meter {meter!r}"
        case Adoption(feature=feature) | SwitchOn(feature=feature):
            return f"feature {feature!r}"
        case _:
            return "meter"
