"""Opening a number: everything that its proof shows, read and recomputed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Final

from sqlalchemy import text

from valueplatform.accounts.stewards import Steward, steward_of
from valueplatform.core.authorization import Action
from valueplatform.core.database import Transaction
from valueplatform.core.periods import ONE_DAY
from valueplatform.narrative.document import Audience, Sentence, Span, StoryDocument
from valueplatform.narrative.faithful import read_record as read_summed
from valueplatform.narrative.faithful.evaluation import NotDerivableError, evaluate, values_beneath
from valueplatform.narrative.faithful.leaves import leaves
from valueplatform.narrative.faithful.record import Record as Summed
from valueplatform.narrative.insight import Number
from valueplatform.narrative.proofs import Proof, StoredInsight, prove_insight
from valueplatform.narrative.since import told
from valueplatform.narrative.store import newest_story
from valueplatform.portal.calling import Caller, Place
from valueplatform.portal.names import names_of
from valueplatform.telemetry.homes import NAME, NAMES_IN_FORCE
from valueplatform.value import derivation as d
from valueplatform.value.accruals import Record, basis_on
from valueplatform.value.basis import Basis
from valueplatform.value.formula import Formula
from valueplatform.value.model import Evidence, ValueModel, weakest
from valueplatform.value.refreshing import read_record

WAITS: Final = text("SELECT EXISTS (SELECT FROM changed_day WHERE account_id = :account)")
_UNMETERED: Final = text(f"""
    SELECT {NAME} AS meter, sum(unmetered)::bigint AS unmetered FROM rollup
    WHERE account_id = :account AND meter = ANY({NAMES_IN_FORCE}) AND day >= :start AND day < :end GROUP BY 1
""")  # noqa: S608 - our own names
_OF_DRIVERS: Final = text("""
    SELECT DISTINCT ON (subject) subject, insight_id, kind FROM insight
    WHERE account_id = :account AND until IS NULL AND kind = ANY(:kinds) AND subject = ANY(:drivers)
    ORDER BY subject, kind
""")
AUDIENCES: Final = (Audience.CUSTOMER, Audience.STEWARD, Audience.EXECUTIVE)


@dataclass(frozen=True, slots=True)
class DriverAmount:
    """What one driver puts into a sum. `evidence` is the grade that it has today."""

    slug: str
    title: str
    benefit_class: str
    evidence: Evidence
    low: Fraction
    expected: Fraction
    high: Fraction


@dataclass(frozen=True, slots=True)
class Opened:
    """One number of an insight, opened for one reader.

    `waits`: events have come in that the story does not tell yet. `parts` are the drivers of a sum. `names` are people
    by e-mail. `sentence` is None where no story tells it any more.
    """

    place: Place
    stored: StoredInsight
    title: str
    number: Number
    proof: Proof
    sentence: Sentence | None
    summed: Summed
    parts: Sequence[DriverAmount]
    driver_insights: Mapping[str, str]
    names: Mapping[str, str]
    unmetered: Mapping[str, int]
    steward: Steward | None
    waits: bool
    asks: bool
    shows_subjects: bool
    now: datetime

    @property
    def beneath(self) -> frozenset[str]:
        """Meters and inputs that the number rests on; of a sum, those of the drivers that put something in."""
        if not self.parts:
            inputs = {line.slug for line in (*self.proof.assumptions, *self.proof.baselines)}
            return frozenset(inputs | {meter.slug for meter in self.proof.meters})
        inside = {part.slug for part in self.parts}
        own = [driver for driver in self.proof.drivers if driver.slug in inside]
        formulas = [driver.formula for driver in own] + [driver.cap for driver in own if driver.cap]
        return frozenset(name for formula in formulas for name in Formula.parse(formula).names)

    def leaf_value(self, node: d.Derivation) -> Fraction | None:
        try:
            return evaluate(node, self.summed)
        except NotDerivableError:
            return None


async def open_number(caller: Caller, place: Place, stored: StoredInsight, name: str | None, title: str = "") -> Opened:
    """Recompute a number of an insight (the first where none is named) from raw events. Raises NotFoundError."""
    tx, account_id = caller.tx, stored.account_id
    shows_subjects = caller.may(Action.READ_EVENTS)
    proof = await prove_insight(tx, stored, number=name, shows_subjects=shows_subjects)
    number = stored.insight.number(proof.number)
    sums = [leaf for leaf in leaves(number.derivation) if isinstance(leaf, d.Realized)]
    record, _ = await read_record(tx, account_id)
    summed = await read_summed(tx, account_id, [number.derivation, *_bounds(sums)])
    drivers = [driver.slug for driver in proof.drivers]
    return Opened(
        place=place,
        stored=stored,
        title=title,
        number=number,
        proof=proof,
        sentence=await _sentence(tx, account_id, stored.insight_id),
        summed=summed,
        parts=_parts(number.derivation, record, summed, proof.period_to),
        driver_insights=await _of_drivers(tx, account_id, drivers),
        names=await _names(tx, account_id, proof),
        unmetered=await _unmetered(tx, account_id, proof, record.model),
        steward=await steward_of(tx, account_id),
        waits=bool(await tx.scalar(WAITS, {"account": account_id})),
        asks=place.is_own and caller.may(Action.ASK),
        shows_subjects=shows_subjects,
        now=caller.now,
    )


def _bounds(sums: Iterable[d.Realized]) -> list[d.Derivation]:
    return [
        d.Realized(one.start, one.end, one.unit, one.drivers, one.providers, one.counted, bound)
        for one in sums
        for bound in d.Bound
    ]


def _parts(node: d.Derivation, record: Record, summed: Summed, end: date) -> list[DriverAmount]:
    """The drivers of a number that is a sum over drivers, most first; none for any other number."""
    if not isinstance(node, d.Realized):
        return []
    found: dict[str, list[Fraction]] = {}
    for value in values_beneath(node, summed):
        low, expected, high = found.setdefault(value.driver, [Fraction(0)] * 3)
        found[value.driver] = [
            low + Fraction(value.low),
            expected + Fraction(value.expected),
            high + Fraction(value.high),
        ]
    amounts = []
    for slug, (low, expected, high) in found.items():
        driver = record.model.driver(slug)
        if driver is not None:
            basis = basis_on(record, driver, end - ONE_DAY)
            grade = basis.evidence if isinstance(basis, Basis) else driver.evidence
            amounts.append(DriverAmount(slug, driver.label, driver.benefit_class, grade, low, expected, high))
    return sorted(amounts, key=lambda part: (-part.expected, part.slug))


@dataclass(frozen=True, slots=True)
class ClassSum:
    benefit_class: str
    evidence: Evidence
    low: Fraction
    expected: Fraction
    high: Fraction


def by_class(parts: Sequence[DriverAmount]) -> list[ClassSum]:
    """One line a benefit class, most first; the evidence of a line is the weakest in it."""
    classes = {part.benefit_class for part in parts}
    sums = []
    for name in classes:
        own = [part for part in parts if part.benefit_class == name]
        sums.append(
            ClassSum(
                name,
                weakest(part.evidence for part in own),
                sum((part.low for part in own), Fraction(0)),
                sum((part.expected for part in own), Fraction(0)),
                sum((part.high for part in own), Fraction(0)),
            )
        )
    return sorted(sums, key=lambda one: (-one.expected, one.benefit_class))


async def _sentence(tx: Transaction, account_id: int, insight_id: str) -> Sentence | None:
    """As the customer's story words it, else the steward's, else the executive's."""
    for audience in AUDIENCES:
        stored = await newest_story(tx, account_id, audience)
        found = sentence_in(stored.document, insight_id) if stored else None
        if found is not None:
            return found
    return None


def sentence_in(document: StoryDocument, insight_id: str) -> Sentence | None:
    """A sentence of the story; a note in the margin is one too."""
    for sentence in told(document):
        if sentence.insight_id == insight_id:
            return sentence
    for chapter in document.chapters:
        for note in chapter.notes:
            if note.insight_id == insight_id:
                first = chapter.insights[0]
                spans: tuple[Span, ...] = note.spans
                return Sentence(
                    insight_id, "note", spans, spans, first.strength, chapter.period_from, chapter.period_to
                )
    return None


async def _of_drivers(tx: Transaction, account_id: int, drivers: Sequence[str]) -> dict[str, str]:
    """The insight on each driver's own value."""
    where = {"account": account_id, "kinds": ["realized"], "drivers": list(drivers)}
    return {row.subject: row.insight_id for row in await tx.rows(_OF_DRIVERS, where)}


async def _names(tx: Transaction, account_id: int, proof: Proof) -> dict[str, str]:
    lines = (*proof.assumptions, *proof.baselines)
    emails = {name for line in lines for name in (line.author, line.validator, line.disputed_by) if name}
    return await names_of(tx, account_id, emails)


async def _unmetered(tx: Transaction, account_id: int, proof: Proof, model: ValueModel) -> dict[str, int]:
    read = {meter.slug for meter in proof.meters}
    slugs = {meter.rollup_name(): meter.slug for meter in model.meters if meter.slug in read}
    where = {
        "account": account_id,
        "meters": list(slugs),
        "start": proof.period_from,
        "end": proof.period_to,
    }
    return {slugs[row.meter]: row.unmetered for row in await tx.rows(_UNMETERED, where) if row.unmetered}
