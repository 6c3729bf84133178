"""A measure of finance, opened, as the supplier's people see it. Pure."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from valueplatform.accounts.contracts import BillingPeriod, Contract
from valueplatform.accounts.exchange_rates import ExchangeRate
from valueplatform.core.keys import SUPPLIER
from valueplatform.portal.exact import cents_text, day_text, short_text
from valueplatform.portal.finance_view import NONE, PATH, Asked, left_rows, measure_text, window_text
from valueplatform.portal.view import finance as view
from valueplatform.portal.view.words import Link
from valueplatform.stewardship.finance import SAYS
from valueplatform.stewardship.finance_definitions import PARTS, Definition, Unit
from valueplatform.stewardship.finance_opened import AccountPart, CostLine, OpenedMeasure, unit_of

_NAME: Final = re.compile(r"(?!min\b)[a-z_]+")
_SIGNS: Final = {"*": "×", "-": "−", "/": "÷"}  # noqa: RUF001 - as arithmetic is written
_CONTRACTS: Final = frozenset(
    {"opening", "expansion", "contraction", "churned", "cohort", "lost", "recurring", "payers", "won", "won_recurring",
     "revenue", "partner_fees"}
)  # fmt: skip


def opened_view(opened: OpenedMeasure, asked: Asked, titles: Mapping[str, str]) -> view.Opened:
    figure, definition, currency = opened.figure, opened.definition, opened.currency
    names = [name for name in figure.parts if not PARTS[name].shared]
    more = opened.accounts.next_cursor
    return view.Opened(
        title=definition.title,
        headline=_headline(opened),
        lead=f"{window_text(opened.start, opened.end)}, in {currency}.",
        says=definition.says,
        formula=_titled(definition.formula),
        sums=_summed(definition.formula, figure.parts, currency),
        source=definition.source,
        agrees=opened.agrees,
        verdict=_verdict(opened),
        uses=tuple(_use(one, asked) for one in opened.uses),
        parts=tuple(
            view.PartRow(PARTS[name].title, name, part_text(name, value, currency), f"{PARTS[name].says}.")
            for name, value in figure.parts.items()
        ),
        heads=tuple(PARTS[name].title for name in names),
        accounts=tuple(_account(one, names, currency, titles) for one in opened.accounts.items),
        shared=tuple(_cost(one) for one in opened.shared_costs),
        rates=tuple(_rate(one) for one in opened.rates),
        left_out=left_rows(opened.left_out),
        back=Link("Back to finance", asked.at(PATH)),
        more=Link("Show more", asked.opened(definition.metric, cursor=more)) if more else None,
    )


def _headline(opened: OpenedMeasure) -> str:
    figure = opened.figure
    if figure.value is None:
        return f"{opened.definition.title} cannot be told: {SAYS[figure.reason] if figure.reason else ''}".strip()
    return f"{opened.definition.title}: {measure_text(figure.metric, figure.value, opened.currency)}"


def _verdict(opened: OpenedMeasure) -> str:
    stated = _exact(opened.figure.value)
    again = _exact(opened.recomputed)
    if opened.agrees:
        return f"Stated {stated}, recomputed {again} from contracts, costs and value by separate code: they agree."
    return f"Stated {stated}, but recomputed {again} by separate code, or a part differs. Do not rely on this number."


def _exact(value: Decimal | None) -> str:
    return "not enough data" if value is None else f"{value:,f}"


def part_text(name: str, value: Decimal, currency: str) -> str:
    unit = PARTS[name].unit
    if unit is Unit.MONEY:
        return cents_text(value, currency)
    return short_text(value.normalize(), "count" if unit is Unit.COUNT else unit_of(unit, currency))


def _titled(formula: str) -> str:
    """In words rather than names."""
    return _signed(_NAME.sub(lambda found: _word(found[0]), formula))


def _word(name: str) -> str:
    if name in PARTS:
        return PARTS[name].title.lower()
    return name.replace("_", " ").upper() if name in {"ltv", "cac"} else name.replace("_", " ")


def _summed(formula: str, parts: Mapping[str, Decimal], currency: str) -> str:
    """The formula with the numbers of the parts that it names; '' where it names none."""

    def number(found: re.Match[str]) -> str:
        return part_text(found[0], parts[found[0]], currency) if found[0] in parts else _word(found[0])

    text = _signed(_NAME.sub(number, formula))
    return "" if text == _titled(formula) else text


def _signed(formula: str) -> str:
    return re.sub(r"(?<= )[*/-](?= )", lambda found: _SIGNS[found[0]], formula)


def _use(one: Definition, asked: Asked) -> view.Measure:
    return view.Measure(one.title, view.Amount("Open", href=asked.opened(one.metric)), one.says)


def _account(one: AccountPart, names: list[str], currency: str, titles: Mapping[str, str]) -> view.OpenedAccount:
    cells = tuple(NONE if one.left_out else part_text(name, one.parts[name], currency) for name in names)
    contracts = [_contract(each) for each in one.contracts] if _CONTRACTS & set(names) else []
    values = [
        view.RecordRow(titles.get(driver, driver), _paid_for(one, driver, currency), "", cents_text(value, currency))
        for driver, value in sorted(one.value_by.items(), key=lambda item: -item[1])
    ]
    note = one.segment or ""
    records = (*contracts, *(_cost(each) for each in one.costs))
    beneath = [("contracts", contracts), ("costs", one.costs), ("value by driver", values)]
    if one.left_out:
        note = "left out: no rate"
    elif "won" in names and one.first_paid is not None:
        note = f"paying since {day_text(one.first_paid)}"
    return view.OpenedAccount(
        name=one.name,
        href=f"/accounts/{quote(one.account, safe='')}/story",
        note=note,
        opens=listed([name for name, held in beneath if held]),
        cells=cells,
        records=records,
        values=tuple(values),
    )


def listed(names: list[str]) -> str:
    """Contracts, costs and value by driver."""
    said = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return said[:1].upper() + said[1:]


def _paid_for(one: AccountPart, driver: str, currency: str) -> str:
    paid = one.revenue_by.get(driver)
    return "" if paid is None else f"{cents_text(paid, currency)} of what it paid"


def _contract(one: Contract) -> view.RecordRow:
    provider = "" if one.provider == SUPPLIER else f", {one.provider}"
    period = "a month" if one.period is BillingPeriod.MONTH else "a year"
    until = "open" if one.end is None else f"until {day_text(one.end)}"
    price = f"{cents_text(one.amount, one.currency)} {period}"
    return view.RecordRow(one.contract_id, f"Contract, {one.kind}{provider}", f"{day_text(one.start)}, {until}", price)


def _cost(one: CostLine) -> view.RecordRow:
    return view.RecordRow(one.cost_id, f"Cost, {one.kind}", _month(one.month), cents_text(one.amount, one.currency))


def _rate(one: ExchangeRate) -> view.RecordRow:
    said = f"1 {one.currency} = {one.rate.normalize():f} {one.target}"
    return view.RecordRow(one.currency, one.source, f"from {day_text(one.day)}", said)


def _month(month: date) -> str:
    return f"{month:%b %Y}"
