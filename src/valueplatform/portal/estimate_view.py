"""A prospect's own estimate as the page shows it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

import msgspec

from valueplatform.narrative.insights.inputs import said_unit
from valueplatform.portal.exact import exact_text, unit_words
from valueplatform.portal.projection_view import CHIP, lead_text, missing_lines, row_view
from valueplatform.portal.view import estimate as view
from valueplatform.portal.view.story import ProjectedRow, ProjectionView
from valueplatform.value.benchmark import EVERYBODY, Figure
from valueplatform.value.benchmarks import Benchmarks
from valueplatform.value.model import ValueModel
from valueplatform.value.self_estimate import Adjusted, Answers, EstimatedDriver, SelfEstimate, Unadjusted
from valueplatform.value.typical_inputs import Typical

HEADLINE: Final = "What companies like yours realize"
EMPTY: Final = "There is nothing to estimate from yet"
_NOT: Final = {
    Unadjusted.NOT_LINEAR: "not adjusted, since the amount is not a multiple of it",
    Unadjusted.NOT_KNOWN: "not adjusted, since what is usual is not known of five companies",
}


def estimate_view(
    found: SelfEstimate, made: Benchmarks, model: ValueModel, answers: Answers, typed: "Typed"
) -> view.Estimate:
    told = [figure for figure in made.figures if figure.withheld is None]
    return view.Estimate(
        headline=HEADLINE if told else EMPTY,
        form=_form(told, made, model, answers, typed),
        result=_result(found),
    )


class Typed:
    """What somebody typed, as it was, and what is wrong with it, by field."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = fields
        self.errors: dict[str, str] = {}


def _form(
    told: Sequence[Figure], made: Benchmarks, model: ValueModel, answers: Answers, typed: Typed
) -> view.EstimateForm:
    prospect = answers.prospect
    segments = [("", "Any"), *((one.slug, one.label) for one in model.segments)]
    money = {driver.slug for driver in model.drivers if driver.currency}
    currencies = sorted({figure.unit for figure in told if figure.driver in money} | {prospect.currency})
    drivers = [one for one in model.drivers if one.slug in {figure.driver for figure in told}]
    return view.EstimateForm(
        segments=tuple(view.Choice(slug, label, slug == (prospect.segment or "")) for slug, label in segments),
        currencies=tuple(view.Choice(code, code, code == prospect.currency) for code in currencies),
        drivers=tuple(view.Choice(one.slug, one.label, one.slug in answers.drivers) for one in drivers),
        values=tuple(_own_values(made, model, answers, typed)),
        scale_label=(made.scale or "").replace("_", " ").capitalize(),
        scale=typed.fields.get("scale", ""),
        scale_error=typed.errors.get("scale", ""),
    )


def _own_values(made: Benchmarks, model: ValueModel, answers: Answers, typed: Typed) -> list[view.OwnValue]:
    """Inputs that an amount in this currency is a multiple of, and of which it is known what is usual."""
    usual: dict[str, Typical] = {}
    for one in made.typical:
        if one.segment in {EVERYBODY, answers.prospect.segment} and _fits(one, model, answers):
            usual.setdefault(one.slug, one)
            usual[one.slug] = one if one.segment else usual[one.slug]
    found = []
    for slug, one in sorted(usual.items()):
        rate = model.rate(slug)
        hint = f"Usual: {exact_text(one.median, said_unit(one.input_unit))}, {one.accounts:,} companies"
        name = f"value.{slug}"
        found.append(
            view.OwnValue(
                name=name,
                label=rate.label if rate else slug,
                unit=unit_words(one.input_unit),
                value=typed.fields.get(name, ""),
                hint=hint,
                error=typed.errors.get(name, ""),
            )
        )
    return found


def _fits(one: Typical, model: ValueModel, answers: Answers) -> bool:
    driver = model.driver(one.driver)
    wanted = not answers.drivers or one.driver in answers.drivers
    return driver is not None and wanted and one.unit in {answers.prospect.currency, driver.unit}


def _result(found: SelfEstimate) -> ProjectionView:
    of = found.projection
    whole = msgspec.structs.replace(of, drivers=[one.projected for one in found.drivers])
    return ProjectionView(
        chip=CHIP,
        title="A month, by driver",
        lead=lead_text(whole),
        rows=tuple(_row(one, of.scale) for one in found.drivers),
        missing=missing_lines(found.not_projected) if of.months else (),
        method=of.method,
    )


def _row(one: EstimatedDriver, scale: str | None) -> ProjectedRow:
    row = row_view(one.projected, scale, "")
    notes = [_note(each) for each in one.adjusted]
    return replace(row, made="; ".join([row.made, *notes]))


def _note(one: Adjusted) -> str:
    if one.not_adjusted is not None:
        return f"{one.title}: {_NOT[one.not_adjusted]}"
    return f"times {_plain(one.own)} ÷ {_plain(one.typical or Decimal(1))} ({one.title.lower()})"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
