"""Assumptions as a caller may see them: whole for customer and supplier, masked for a partner (value rule 19)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType

import msgspec

from valueplatform.core.authorization import Side
from valueplatform.core.numbers import decimal_text
from valueplatform.value.accruals import Record
from valueplatform.value.assumptions import Action, Entry, Holding, holding
from valueplatform.value.comparable_values import Comparable
from valueplatform.value.formula import Formula
from valueplatform.value.model import Assumption, Baseline, ValueModel
from valueplatform.value.states import State


class EntryOut(msgspec.Struct, frozen=True):
    """One line of the record; numbers are decimals as text. `answers` is the entry that it validates, disputes or
    withdraws."""

    entry_id: int
    slug: str
    action: str
    answers: int | None
    low: str | None
    expected: str | None
    high: str | None
    unit: str | None
    effective_from: date
    author: str
    side: str
    reason: str
    known_at: datetime


class AssumptionOut(msgspec.Struct, frozen=True):
    """What holds of one assumption or baseline today, and the record behind it, oldest first. `pending` are proposals
    that wait for a validator. `state` is null where there is no value. `comparable` is what similar accounts validated,
    where this one has no value of its own."""

    slug: str
    title: str
    kind: str
    unit: str
    state: str | None
    low: str | None
    expected: str | None
    high: str | None
    effective_from: date | None
    author: str | None
    validator: str | None
    pending: Sequence[int]
    entries: Sequence[EntryOut]
    comparable: Comparable | None = None


class Reader(msgspec.Struct, frozen=True):
    """Who reads: the name under which they speak, and the provider that a partner is kept to."""

    author: str
    provider: str | None

    def slugs(self, model: ValueModel) -> set[str]:
        """The inputs that the reader may know of: a partner, those that its own drivers rest on."""
        rates = {rate.slug for rate in (*model.baselines, *model.assumptions)}
        if self.provider is None:
            return rates
        own = [driver for driver in model.drivers if driver.provider == self.provider]
        return rates & {name for driver in own for name in Formula.parse(driver.formula).names}

    def entries(self, entries: Iterable[Entry]) -> list[Entry]:
        """What the reader may see of the record. A partner sees what was stated and validated, its own words, and of
        everybody else no more than the side; never that something is disputed, nor what another partner said."""
        if self.provider is None:
            return list(entries)
        shown: dict[int, Entry] = {}
        for entry in entries:
            own = entry.author == self.author
            hidden = entry.action is Action.DISPUTE or (entry.side is Side.PARTNER and not own)
            if not hidden and (entry.answers is None or entry.answers in shown):
                shown[entry.entry_id] = entry if own else msgspec.structs.replace(entry, author=entry.side, reason="")
        return list(shown.values())

    def name(self, entry: Entry | None) -> str | None:
        if entry is None:
            return None
        return entry.author if self.provider is None or entry.author == self.author else entry.side

    def state(self, held: Holding) -> State:
        return State.ESTIMATED if self.provider is not None and held.state is State.UNDER_REVIEW else held.state


def shown_to(
    reader: Reader, facts: Record, today: date, offers: Mapping[str, Comparable] = MappingProxyType({})
) -> list[AssumptionOut]:
    """Every assumption and baseline that the reader may know of, as it holds for the account. Offers are not for
    partners."""
    visible = reader.slugs(facts.model)
    rates: tuple[Baseline | Assumption, ...] = (*facts.model.baselines, *facts.model.assumptions)
    known = offers if reader.provider is None else {}
    return [_assumption(reader, facts, rate, today, known.get(rate.slug)) for rate in rates if rate.slug in visible]


def _assumption(
    reader: Reader, facts: Record, rate: Baseline | Assumption, today: date, comparable: Comparable | None
) -> AssumptionOut:
    said = facts.entries.get(rate.slug, ())
    entries = reader.entries(said)
    known = {entry.entry_id for entry in entries}
    held = holding(said, facts.defaults().get(rate.slug), today)
    begun = (held.settled_by or held.entry) if held else None
    return AssumptionOut(
        slug=rate.slug,
        title=rate.label,
        kind="baseline" if isinstance(rate, Baseline) else "assumption",
        unit=held.unit if held else rate.unit,
        state=reader.state(held) if held else None,
        low=decimal_text(held.value.low) if held else None,
        expected=decimal_text(held.value.expected) if held else None,
        high=decimal_text(held.value.high) if held else None,
        effective_from=begun.effective_from if begun else None,
        author=reader.name(held.entry) if held else None,
        validator=reader.name(held.settled_by) if held else None,
        pending=[entry.entry_id for entry in held.pending if entry.entry_id in known] if held else [],
        entries=[entry_out(entry) for entry in entries],
        comparable=comparable,
    )


def entry_out(entry: Entry) -> EntryOut:
    value = entry.value
    return EntryOut(
        entry_id=entry.entry_id,
        slug=entry.slug,
        action=entry.action,
        answers=entry.answers,
        low=decimal_text(value.low) if value else None,
        expected=decimal_text(value.expected) if value else None,
        high=decimal_text(value.high) if value else None,
        unit=entry.unit,
        effective_from=entry.effective_from,
        author=entry.author,
        side=entry.side,
        reason=entry.reason,
        known_at=entry.known_at,
    )
