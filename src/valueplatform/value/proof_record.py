"""What the proof of one account reads beside events, and what holds of an input on a day (value rules 9 to 11)."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import text

from valueplatform.core.database import Transaction

_ENTRIES = text("""
    SELECT entry_id, slug, action, answers, low, expected, high, unit, effective_from FROM assumption_entry
    WHERE account_id = :account ORDER BY entry_id
""")
_ACCOUNT = text("SELECT timezone, segment FROM account WHERE account_id = :account")
_MODEL = text("SELECT document::text FROM model_revision ORDER BY revision DESC LIMIT 1")


@dataclass(frozen=True, slots=True)
class ProvedInput:
    """An input as the proof finds it in force: three fractions, a state, the entry it came from (None = default)."""

    slug: str
    low: Fraction
    expected: Fraction
    high: Fraction
    unit: str
    state: str
    entry_id: int | None


@dataclass(frozen=True, slots=True)
class Source:
    """Everything that the proof of one account reads beside events, as plain data."""

    account_id: int
    timezone: str
    segment: str | None
    model: Mapping[str, Any]
    entries: Mapping[str, Sequence[Mapping[str, Any]]]


async def read_source(tx: Transaction, account_id: int) -> Source | None:
    """None where there is no value model or no such account."""
    document = await tx.scalar(_MODEL)
    account = await tx.row(_ACCOUNT, {"account": account_id})
    if document is None or account is None:
        return None
    entries: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in await tx.rows(_ENTRIES, {"account": account_id}):
        entries[row.slug].append(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    model = json.loads(document, parse_float=Decimal)
    return Source(account_id, account.timezone, account.segment, model, dict(entries))


def input_on(source: Source, slug: str, day: date) -> ProvedInput | None:
    """What the record, else the model's default, says of an assumption or baseline on a day."""
    stated = stated_on(source.entries.get(slug, ()), day)
    if stated is not None:
        entry, state = stated
        low, expected, high = (Fraction(entry[bound]) for bound in ("low", "expected", "high"))
        return ProvedInput(slug, low, expected, high, entry["unit"] or "", state, entry["entry_id"])
    return _default(source, slug)


def _default(source: Source, slug: str) -> ProvedInput | None:
    for given in (*source.model.get("assumptions", ()), *source.model.get("baselines", ())):
        if given["slug"] == slug:
            own = [rate["value"] for rate in given.get("segments", ()) if rate["segment"] == source.segment]
            value = own[0] if own else given.get("default")
            if value is None:
                return None
            low, expected, high = (Fraction(str(value[bound])) for bound in ("low", "expected", "high"))
            return ProvedInput(slug, low, expected, high, given["unit"], "estimated", None)
    return None


def stated_on(entries: Sequence[Mapping[str, Any]], day: date) -> tuple[Mapping[str, Any], str] | None:
    """The entry whose value holds on `day`, and its state (value rules 9 to 11)."""
    undone = {e["answers"] for e in entries if e["action"] == "withdraw"}
    standing = [e for e in entries if e["entry_id"] not in undone]
    held: dict[str, tuple[tuple[date, int], Mapping[str, Any]]] = {}
    for entry in standing:
        if entry["action"] not in {"estimate", "propose"}:
            continue
        state, since = _verdict(entry, [e for e in standing if e["answers"] == entry["entry_id"]])
        order = (since if state == "validated" else date.min, entry["entry_id"])
        if since <= day and (state not in held or held[state][0] < order):
            held[state] = (order, entry)
    for state in ("validated", "under-review", "proposed", "estimated"):
        if state in held:
            return held[state][1], state
    return None


def _verdict(entry: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> tuple[str, date]:
    """The state of a stated value by the last of its answers, and the day from which it holds."""
    days = [answer["effective_from"] for answer in answers if answer["action"] == "validate"]
    since = min(days) if days else entry["effective_from"]
    if not answers:
        return ("proposed" if entry["action"] == "propose" else "estimated"), since
    return ("validated" if answers[-1]["action"] == "validate" else "under-review"), since


def expiry(source: Source, slug: str) -> str | None:
    """The day from which a baseline counts no longer, as the model writes it."""
    return next((b.get("expires_on") for b in source.model.get("baselines", ()) if b["slug"] == slug), None)
