"""Who may speak: only what `admit` let through can be rendered, and it lets through only what re-computes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from valueplatform.core.database import Transaction
from valueplatform.narrative.faithful.claims import problems
from valueplatform.narrative.faithful.evaluation import NotDerivableError, evaluate
from valueplatform.narrative.faithful.record import Record, read_record
from valueplatform.narrative.insight import Insight

_SEAL: Final = object()


@dataclass(frozen=True, slots=True, eq=False)
class Admitted:
    """An insight whose every number and claim followed from the record a moment ago. Only `admit` can make one.

    `names` are all names of the account's record, so that wording can be held to them. Equal only to itself: what
    follows from one may be kept beside it.
    """

    insight: Insight
    id: str
    account_name: str
    supplier_name: str
    names: frozenset[str]
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("An insight is admitted by valueplatform.narrative.faithful.admit, by nothing else.")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An insight that may not be told, with each thing that is wrong with it."""

    insight: Insight
    id: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rederived:
    """The numbers of insights, as the record gives them, by insight id and number name. What could not be derived is
    absent."""

    record: Record
    numbers: Mapping[tuple[str, str], Fraction]


async def rederive(tx: Transaction, account_id: int, insights: Sequence[Insight]) -> Rederived:
    """Read the account's record anew and evaluate every number's derivation over it."""
    derivations = (number.derivation for insight in insights for number in insight.numbers)
    return rederive_from(await read_record(tx, account_id, derivations), insights)


def rederive_from(record: Record, insights: Iterable[Insight]) -> Rederived:
    numbers: dict[tuple[str, str], Fraction] = {}
    for insight in insights:
        for number in insight.numbers:
            try:
                value = evaluate(number.derivation, record)
            except NotDerivableError:
                continue
            numbers[insight.id(record.key), number.name] = value
    return Rederived(record, numbers)


def admit(insights: Iterable[Insight], rederived: Rederived) -> tuple[list[Admitted], list[Refusal]]:
    """Insights that follow from the record, and those that do not."""
    kept: list[Admitted] = []
    refused: list[Refusal] = []
    record = rederived.record
    for insight in insights:
        insight_id = insight.id(record.key)
        reasons = tuple(_reasons(insight, insight_id, rederived))
        if reasons:
            refused.append(Refusal(insight, insight_id, reasons))
        else:
            kept.append(Admitted(insight, insight_id, record.name, record.supplier, record.names, seal=_SEAL))
    return kept, refused


def _reasons(insight: Insight, insight_id: str, rederived: Rederived) -> Iterable[str]:
    own: dict[str, Fraction] = {}
    for number in insight.numbers:
        value = rederived.numbers.get((insight_id, number.name))
        if value is None:
            return [f"{number.name} cannot be derived from the record"]
        if Fraction(number.value) != value:
            return [f"{number.name} is stated as {number.value}, and the record gives {_shown(value)}"]
        own[number.name] = value
    if len(own) < len(insight.numbers):
        return ["two of its numbers have one name"]
    return problems(insight, own, rederived.record)


def _shown(value: Fraction) -> Decimal:
    return Decimal(round(value * 10**4)).scaleb(-4)
