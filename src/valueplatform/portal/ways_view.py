"""Time to value in words: each step with its day, and how long comparable accounts took. Pure."""

from typing import Final

from valueplatform.portal.exact import day_text
from valueplatform.portal.view.objectives import WayRow, WayStep
from valueplatform.value.benchmark import Withheld
from valueplatform.value.benchmark_read import segment_title
from valueplatform.value.model import ValueModel
from valueplatform.value.time_to_value import Reached, Step, Way
from valueplatform.value.ways import Scope, WayFigure, Ways

STEPS: Final = {
    Step.CONTRACT: "Contract",
    Step.GO_LIVE: "Go-live",
    Step.FIRST_VALIDATED: "First validated outcome",
    Step.RUN_RATE: "Committed run-rate",
}
WITHHELD: Final = {
    Withheld.FEW: "Not compared: fewer than five accounts have come this far",
    Withheld.DOMINATED: "Not compared: one account took more than half of the days of all",
}
NOT_YET: Final = "Not compared yet"
WHOLE: Final = "The account"


def way_row(way: Way, ways: Ways | None, segment: str | None, model: ValueModel) -> WayRow:
    scope = Scope.ACCOUNT if way.objective is None else Scope.OBJECTIVE
    steps = []
    for one in way.steps:
        figure = ways.figure(scope, one.step, segment) if ways is not None else None
        steps.append(_step(one, _compared(figure, model) if one.step is not Step.CONTRACT else ""))
    return WayRow(WHOLE if way.objective is None else way.objective.title, tuple(steps))


def _step(one: Reached, compared: str) -> WayStep:
    if one.day is None:
        return WayStep(STEPS[one.step], "Not yet", one.missing or "", compared)
    took = "" if one.since_before is None else _after(one.since_before)
    return WayStep(STEPS[one.step], day_text(one.day), took, compared)


def _after(days: int) -> str:
    if days < 0:
        return f"{days_text(-days)} before the step before it"
    return f"after {days_text(days)}" if days else "on the same day"


def days_text(days: int) -> str:
    return f"{days:,} day{'s' if days != 1 else ''}"


def _compared(figure: WayFigure | None, model: ValueModel) -> str:
    if figure is None:
        return NOT_YET
    if figure.median is None or figure.accounts is None:
        return WITHHELD[figure.withheld or Withheld.FEW]
    who = (
        f"{figure.accounts:,} accounts of {segment_title(model, figure.segment)}"
        if figure.segment
        else (f"{figure.accounts:,} accounts")
    )
    return f"Comparable: {days_text(figure.median)}, half of them {figure.lower} to {figure.upper} ({who})"
