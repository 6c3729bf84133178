"""What stands beneath a part of a value bridge: what was compared, and the formula worked out."""

import re
from collections.abc import AsyncIterator
from fractions import Fraction
from typing import Final

from sqlalchemy import text

from valueplatform.core.periods import local_day, month_of
from valueplatform.narrative.wording.numbers import MINUS
from valueplatform.portal.bridge_asked import STEPS, Asked, until
from valueplatform.portal.bridge_words import Told, Words, decimal_of, period_name
from valueplatform.portal.exact import exact_text, short_day
from valueplatform.portal.view import words
from valueplatform.value import proof_expression as expression
from valueplatform.value.bridge_cells import CAP, FORMULA, Kind, added

_MOVED: Final = text("""
    SELECT date_trunc('month', p.day)::date AS month, p.shown_day, p.cause, sum(p.expected) AS expected
    FROM posting p JOIN basis b ON b.account_id = p.account_id AND b.basis_id = p.basis_id
    WHERE p.account_id = :account AND p.driver = :driver AND b.unit = :unit AND p.kind = 'adjustment'
      AND (b.counted OR NOT :counted)
      AND (p.day >= :start AND p.day < :end) <> (p.shown_day >= :start AND p.shown_day < :end)
    GROUP BY 1, 2, 3 ORDER BY 2, 1, 3
""")
MOST_FACTS: Final = 12


async def part_facts(asked: Asked, kind: Kind, subject: str, known: Told | None) -> AsyncIterator[words.Fact]:
    if kind is Kind.ADJUSTED:
        for fact in await _moved(asked):
            yield fact
        return
    yield words.Fact("Compared", f"{asked.now} with {asked.then}")
    if known is None:
        return
    capped = [added(line.capped[at] for line in asked.lines) for at in (0, 1)]
    if any(capped):
        yield words.Fact("Taken by the cap of the pool", " → ".join(exact_text(one, asked.ref.unit) for one in capped))
    yield words.Fact("Days with value", f"{known.days[0]:,} → {known.days[1]:,}")
    for name in sorted(known.meters, key=lambda name: name != known.volume):
        pair = known.meters[name] if name == known.volume else known.rate(name)
        if pair is not None:
            per = "" if name == known.volume else f" per {asked.words.per(known.volume)}"
            yield words.Fact(f"{asked.words.meter(name)}{per}", both_text(pair))
    for slug, values in known.inputs.items():
        if values[0] != values[1] or slug == subject:
            yield words.Fact(asked.words.input(slug), " → ".join(asked.words.input_value(slug, v) for v in values))
    worked = _worked_out(asked, kind, subject, known)
    if worked:
        yield words.Fact("Worked out", worked)


def both_text(pair: tuple[Fraction, Fraction]) -> str:
    return " → ".join(exact_text(decimal_of(value), "") for value in pair)


def _worked_out(asked: Asked, kind: Kind, subject: str, known: Told) -> str:
    """The formula with the numbers of the step put in, where that gives the stated amount; else ''."""
    driver = asked.read.model.driver(asked.ref.driver or "")
    if driver is None or kind not in STEPS or known.volume is None or subject in {FORMULA, CAP}:
        return ""
    place = STEPS.index(kind)
    values: dict[str, Fraction] = {}
    for name, totals in known.meters.items():
        rate = known.rate(name)
        if rate is None:
            return ""
        values[name] = known.sizes[1] * rate[int(place >= 2)] if name != known.volume else totals[1]
    changed = sorted(slug for slug, pair in known.inputs.items() if pair[0] != pair[1])
    for slug, pair in known.inputs.items():
        values[slug] = pair[int(place == 3 and slug in changed and slug <= subject)]
    both = [line for line in asked.lines if line.days_before and line.days_after]
    order = until(both, kind, subject)
    steps = [added(line.amount(step, named) for line in both) for step, named in order]
    reached = Fraction(added([*(line.worth_before for line in both), *steps]))
    try:
        found = expression.amount(driver.formula, values)
    except (KeyError, ValueError):
        return ""
    if found is None or abs(found - reached) > Fraction(sum(known.days), 20_000):
        return ""
    said = {name: exact_text(decimal_of(value), "") for name, value in values.items()}
    shown = re.sub(r"[A-Za-z_]\w*", lambda name: said.get(name[0], name[0]), driver.formula)
    for sign, said_sign in (("*", "\N{MULTIPLICATION SIGN}"), ("/", "\N{DIVISION SIGN}"), (" - ", f" {MINUS} ")):
        shown = shown.replace(sign, said_sign)
    return f"{shown} = {exact_text(decimal_of(reached), asked.ref.unit)}"


async def _moved(asked: Asked) -> list[words.Fact]:
    """The adjustments that make the part: of which month, shown when, and why."""
    facts = []
    today = local_day(asked.caller.now, asked.place.account.timezone)
    where: dict[str, object] = {
        "account": asked.place.account.account_id,
        "driver": asked.ref.driver,
        "unit": asked.ref.unit,
    }
    where["counted"] = asked.ref.counted
    for sign, name, period in ((-1, asked.then, asked.ref.before), (1, asked.now, asked.ref.after)):
        for row in await asked.caller.tx.rows(_MOVED, {**where, "start": period.start, "end": period.end}):
            inside = row.shown_day in period
            of = period_name(month_of(row.month), today)
            amount = row.expected if inside is (sign > 0) else row.expected.copy_negate()
            shown = f"{'+' if amount > 0 else ''}{exact_text(amount, asked.ref.unit)}"
            cause = _cause_words(row.cause or "", asked.words)
            label = f"Of {of}, shown on {short_day(row.shown_day, today)}"
            facts.append(words.Fact(f"{label} {'in' if inside else 'not in'} {name}", shown, cause))
    return facts[:MOST_FACTS]


def _cause_words(cause: str, said: Words) -> str:
    found = []
    for one in cause.split(", "):
        code, _, subject = one.partition(":")
        if code == "assumption":
            found.append(f"{said.input(subject)} changed")
        else:
            found.append("the value model changed" if code == "model" else "events came in later")
    return " and ".join(dict.fromkeys(found))
