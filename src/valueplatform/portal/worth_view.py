"""What an event type is worth, opened: by driver and month, the cohorts, and every account's part. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from valueplatform.portal.catalog_view import PATH, Asked, Setting, anchor_of
from valueplatform.portal.exact import cents_text, count_text, range_text, short_text
from valueplatform.portal.view import catalog as view
from valueplatform.portal.view.words import Link
from valueplatform.portal.worth_words import CLASSES, opened_path, potential_lines, realized_lines
from valueplatform.value.type_worth import Worth
from valueplatform.value.worth import Basis, Cohort, Reach, a_month
from valueplatform.value.worth_opened import REALIZED, AccountAmount, OpenedDriver, OpenedWorth, UnitMonths

_PARTS: Final = {REALIZED: "Realized", Reach.MORE.value: "Could come on top", Reach.WITHIN.value: "Goes with it"}


def opened_view(
    opened: OpenedWorth, setting: Setting, segments: Mapping[str, str], *, may_open_accounts: bool
) -> view.OpenedWorth:
    worth, kind, path = opened.worth, opened.type, opened.property
    more = opened.accounts.next_cursor
    return view.OpenedWorth(
        type=kind,
        path=path,
        headline=_headline(opened, setting.currency),
        lead=setting.lead,
        months=tuple(f"{month:%b %Y}" for month in worth.months),
        realized=realized_lines(kind, worth, setting.currency, path),
        potential=potential_lines(kind, worth, setting.currency, path),
        parts=tuple(_part(one, worth, segments) for one in opened.drivers),
        accounts=tuple(_account(one, opened, setting, may_open=may_open_accounts) for one in opened.accounts.items),
        method=_method(opened),
        like=opened.like or "",
        likeness="" if opened.likeness is None else f"{opened.likeness}",
        back=Link("Back to the catalog", f"{Asked().at(PATH)}#{anchor_of(kind)}"),
        more=Link("Show more", opened_path(kind, path, more)) if more else None,
    )


def _headline(opened: OpenedWorth, currency: str) -> str:
    what = f"{opened.property} of {opened.type}" if opened.property else opened.type
    lines = realized_lines(opened.type, opened.worth, currency, opened.property)
    if opened.worth.realized and lines:
        drivers = len({one.driver for one in opened.worth.realized})
        fed = "a driver" if drivers == 1 else f"{count_text(drivers)} drivers"
        return f"{what} feeds {fed} worth {lines[0].text} a month{_abroad(lines)}."
    if lines:
        return f"About {lines[0].text.removeprefix('about ')} a month goes with {what}{_abroad(lines)}."
    return f"What {what} is worth, and why it is not known"


def _abroad(lines: Sequence[view.WorthLine]) -> str:
    """What is in other currencies is named, never added."""
    rest = next((line.text for line in lines if not line.value), "")
    return f", {rest.replace('and in', 'and more in')}" if rest else ""


def _part(driver: OpenedDriver, worth: Worth, segments: Mapping[str, str]) -> view.OpenedPart:
    classes = sorted({CLASSES[one.benefit_class] for one in driver.months})
    graded = [one for one in worth.realized if one.driver == driver.driver]
    meta = [*classes, *sorted({f"{one.evidence.replace('-', ' ')}, {one.state.replace('-', ' ')}" for one in graded})]
    return view.OpenedPart(
        title=driver.title,
        formula=driver.formula,
        meta="; ".join(meta),
        months=tuple(
            view.MonthRow(
                unit=one.unit,
                cells=tuple(
                    "none" if month.expected is None else cents_text(month.expected, one.unit) for month in one.months
                ),
                total=cents_text(_mean(one), one.unit),
            )
            for one in driver.months
        ),
        cohorts=tuple(_cohort(one, segments) for one in driver.cohorts),
        reason=driver.not_estimated.says if driver.not_estimated else "",
    )


def _mean(row: UnitMonths) -> Decimal:
    """As the amounts are: of all months, rounded once."""
    return a_month(sum((month.expected or Decimal(0) for month in row.months), Decimal(0)), len(row.months))


def _cohort(cohort: Cohort, segments: Mapping[str, str]) -> view.CohortRow:
    name = segments.get(cohort.segment, cohort.segment) if cohort.segment else "All that may send it"
    low, expected, high = (_rate(cohort, value) for value in (cohort.low, cohort.expected, cohort.high))
    against = f"against {cohort.others:,} that do not" if cohort.others else ""
    what = f"amount a month, {cohort.unit}" if cohort.basis is Basis.AMOUNT else "share of all else"
    if cohort.basis is Basis.COMPARISON:
        what = "difference in the share of all else"
    return view.CohortRow(name, f"{cohort.peers:,} {against}".strip(), low, expected, high, what)


def _rate(cohort: Cohort, value: Decimal) -> str:
    """A share with the digits that estimates are made of."""
    return cents_text(value, cohort.unit) if cohort.basis is Basis.AMOUNT else f"{value.normalize():f}"


def _account(one: AccountAmount, opened: OpenedWorth, setting: Setting, *, may_open: bool) -> view.AccountRow:
    months = len(opened.worth.months)
    realized = one.part == REALIZED
    needs = f"It would have to send {', '.join(one.needs)} too." if one.needs else ""
    return view.AccountRow(
        name=one.name,
        href=f"/accounts/{quote(one.account, safe='')}" if may_open else "",
        driver=setting.titles.get(one.driver, one.driver),
        part=_PARTS[one.part],
        made=_sum(one) if realized else _product(one, opened, months),
        amount=cents_text(one.expected, one.unit) if not realized else cents_text(one.expected / months, one.unit),
        note=" ".join(text for text in ("" if realized else range_text(one.low, one.high, one.unit), needs) if text),
        predicted=not realized,
    )


def _sum(one: AccountAmount) -> str:
    each = [Decimal(0) if month is None else month for month in one.by_month or ()]
    return f"({' + '.join(short_text(month, one.unit) for month in each)}) / {len(each)}"


def _product(one: AccountAmount, opened: OpenedWorth, months: int) -> str:
    cohorts = [cohort for driver in opened.drivers if driver.driver == one.driver for cohort in driver.cohorts]
    own = [cohort for cohort in cohorts if cohort.segment == (one.segment or "")]
    rates = [cohort for cohort in own if (cohort.basis is Basis.AMOUNT) is (one.size is None)]
    if not rates or one.size is None:
        return "The median amount of its peers"
    return f"{rates[0].expected.normalize():f} of {cents_text(one.size, one.unit)} / {months}"


def _method(opened: OpenedWorth) -> tuple[str, ...]:
    """What the page explains: the bases of what it shows."""
    used = {cohort.basis for driver in opened.drivers for cohort in driver.cohorts}
    used |= {one.basis for one in opened.worth.potential}
    realized = (REALIZED,) if opened.worth.realized else ()
    return (*realized, *(basis.value for basis in Basis if basis in used))
