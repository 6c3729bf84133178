"""Evidence of a proposal in sentences. Pure. They say what goes with what, and what is not known; never a cause."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from valueplatform.value.discovery import (
    Cohort,
    Coverage,
    Finding,
    Likeness,
    Outcome,
    Proposal,
    Relation,
    Stability,
    Worth,
)
from valueplatform.value.discovery_evidence import LEAST_COMPARED

_DID: Final = {Outcome.RENEWAL: "renewed", Outcome.EXPANSION: "expanded"}
_DID_NOT: Final = {Outcome.RENEWAL: "let their contract go", Outcome.EXPANSION: "did not expand"}
_STEADY: Final = Decimal("0.25")


def sentences(proposal: Proposal) -> list[str]:
    """What is known, and which comparisons had too few accounts."""
    return list(_said(proposal))


def _said(proposal: Proposal) -> Iterator[str]:
    evidence = proposal.evidence
    if evidence.worth is not None:
        yield worth_says(evidence.worth)
    if evidence.coverage is not None:
        yield coverage_says(evidence.coverage)
    if evidence.stability is not None:
        yield stability_says(evidence.stability)
    for relation in evidence.relations:
        yield relation_says(relation)
    if evidence.likeness is not None:
        yield likeness_says(evidence.likeness)
    if evidence.cohort is not None:
        yield cohort_says(evidence.cohort)
    if proposal.needs:
        yield f"Before it has amounts, somebody has to state {', '.join(proposal.needs)}."


def coverage_says(one: Coverage) -> str:
    days = f", on {percent(one.days)} of days (the median account)" if one.accounts else ""
    return f"{one.accounts:,} of {one.of:,} accounts sent it in the last 13 weeks{days}."


def stability_says(one: Stability) -> str:
    if one.variation is None:
        return "Too few whole weeks to tell how steady its volume is."
    how = "Steady" if one.variation <= _STEADY else "Not steady"
    near = f"{percent(one.variation)} of {number(one.median)} a week"
    return f"{how}: over {one.weeks} weeks its volume usually lies within {near}."


def relation_says(one: Relation) -> str:
    did, did_not = _DID[one.outcome], _DID_NOT[one.outcome]
    if one.finding is Finding.TOO_FEW:
        return (
            f"Nothing is said of {one.outcome}s: {one.having} accounts {did} in the last 12 months and {one.lacking} "
            f"{did_not}; at least {LEAST_COMPARED} of each are needed."
        )
    amounts = (
        f"{number(one.median_having)} events a week in the median of {one.having}, against "
        f"{number(one.median_lacking)} of {one.lacking}"
    )
    if one.finding is Finding.NOT_CLEAR:
        return f"Accounts that {did} and those that {did_not} do not clearly differ in its use: {amounts}."
    more = "more" if one.finding is Finding.MORE else "less"
    return (
        f"Accounts that {did} used it {more} in the 13 weeks before than those that {did_not}: {amounts}. It goes with "
        f"{one.outcome}s; that it brings them about is not shown."
    )


def likeness_says(one: Likeness) -> str:
    if one.type is not None:
        return f"Its daily volume goes with {one.type}, which feeds {one.driver} (rank correlation {one.correlation})."
    return f"It shares the words {', '.join(one.words)} with what {one.driver} reads."


def worth_says(one: Worth) -> str:
    return (
        f"Could come on top: {number(one.expected)} {one.unit} a month ({number(one.low)} to {number(one.high)}) in "
        f"{one.accounts:,} accounts, by {one.driver}; an estimate."
    )


def cohort_says(one: Cohort) -> str:
    where = f" of {one.segment}" if one.segment else ""
    covers = percent(one.coverage)
    return f"From {one.accounts:,} accounts{where}, {one.says}; the interval of their median covers {covers}."


def percent(share: Decimal) -> str:
    return f"{(share * 100).quantize(Decimal(1)):f}%"


def number(value: Decimal | None) -> str:
    """Whole from 10 on, else to one place."""
    if value is None:
        return "none"
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:,.1f}".removesuffix(".0")
