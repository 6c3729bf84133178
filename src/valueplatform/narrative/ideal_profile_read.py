"""The ideal customer profile, declared beside observed, over the accounts in scope."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import msgspec
from sqlalchemy import Row, text

from valueplatform.accounts.accounts import decoded_attributes
from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.numbers import exact_decimal
from valueplatform.narrative.ideal_profile import Profile, Reason, profile, thirds
from valueplatform.value.benchmark import published
from valueplatform.value.cohorts import is_masked, median
from valueplatform.value.model import Criterion, ValueModel
from valueplatform.value.traits import Kind, Subject, Value
from valueplatform.value.worth_store import newest

PERSONAL: Final = "@"
"""What a text of an attribute holds where it names a person; such attributes are never compared."""
MOST_PROSPECTS: Final = 100
METHOD: Final = (
    "An account's place is the share of the other accounts of its currency that realize less. Numbers: Spearman's rank "
    "correlation; choices: Kruskal-Wallis; told at a false discovery rate of 5%. Fit: ridge regression on what holds, "
    "measured on accounts that it was not made from. Going together is no cause."
)
_SUBJECTS: Final = text("""
    SELECT a.account_id, a.segment, a.attributes::text AS attributes, r.unit,
           sum(r.expected) AS realized
    FROM catalog_realized r JOIN account a ON a.account_id = r.account_id
    WHERE r.run = :run AND r.benefit_class <> 'strategic' AND r.unit = (
        SELECT c.currency FROM account_currency c WHERE c.account_id = a.account_id
        ORDER BY c.effective_from DESC LIMIT 1)
    GROUP BY a.account_id, a.segment, a.attributes, r.unit ORDER BY a.account_id
""")
_PROSPECTS: Final = text("""
    SELECT a.key, a.name, a.segment, a.attributes::text AS attributes FROM account a
    WHERE NOT EXISTS (SELECT FROM accrual c WHERE c.account_id = a.account_id AND c.expected IS NOT NULL)
      AND NOT EXISTS (SELECT FROM posting p WHERE p.account_id = a.account_id)
    ORDER BY a.key LIMIT :most
""")


class Group(msgspec.Struct, frozen=True):
    """Accounts that an attribute sets apart, in the currency that most of them have: `choice`, or a number `above` one
    bound and up to the other. `median` is what they realize a month, to three digits; None is withheld (fewer than
    five, or one more than half)."""

    choice: str | None
    above: Decimal | None
    up_to: Decimal | None
    currency: str
    accounts: int | None
    median: Decimal | None


class Observed(msgspec.Struct, frozen=True):
    """An attribute that was compared; `holds`: it goes with value beyond chance."""

    attribute: str
    kind: Kind
    accounts: int
    strength: Decimal
    p_value: Decimal
    holds: bool
    groups: Sequence[Group]


class Declared(msgspec.Struct, frozen=True):
    """A criterion, with the accounts that meet it and those that do not; `observed` tells whether its attribute goes
    with value, None = not compared."""

    criterion: str
    title: str
    attribute: str
    one_of: Sequence[str]
    at_least: Decimal | None
    at_most: Decimal | None
    met: int
    unmet: int
    unknown: int
    observed: bool | None


class Match(msgspec.Struct, frozen=True):
    """A criterion in one account; `met` None = its attribute is not known."""

    criterion: str
    title: str
    met: bool | None


class Why(msgspec.Struct, frozen=True):
    """What an attribute adds to the predicted place, in percentage points; None = not known of the account."""

    attribute: str
    points: Decimal | None


class Fit(msgspec.Struct, frozen=True):
    """How well one account fits. `score`, 0 to 100: the percentage of compared accounts that is predicted to realize
    less; None, with the reason, where attributes tell too little."""

    account: str
    name: str
    score: Decimal | None
    says: str
    reasons: Sequence[Why]
    declared: Sequence[Match]


class IdealProfile(msgspec.Struct, frozen=True):
    """`skill`: the share of the variance of places that attributes explain on accounts unseen. `months`: of the value
    that was compared."""

    as_of: datetime | None
    months: Sequence[date]
    accounts: int
    skill: Decimal | None
    says: str
    declared: Sequence[Declared]
    observed: Sequence[Observed]
    not_compared: Sequence[str]
    prospects: Sequence[Fit]
    method: str = METHOD


class _Ground(msgspec.Struct, frozen=True):
    as_of: datetime | None
    months: Sequence[date]
    subjects: Sequence[Subject]


async def read_ideal_profile(tx: Transaction, model: ValueModel) -> IdealProfile:
    ground = await _ground(tx)
    found = profile(ground.subjects)
    rows = await tx.rows(_PROSPECTS, {"most": MOST_PROSPECTS})
    prospects = [_fit(found, model.criteria, row.key, row.name, _attributes(row)) for row in rows]
    prospects.sort(key=lambda one: (one.score is None, -(one.score or 0), -_met(one), one.account))
    return IdealProfile(
        as_of=ground.as_of,
        months=ground.months,
        accounts=found.accounts,
        skill=_places(found.skill),
        says=_says(found),
        declared=[_declared(one, ground.subjects, found) for one in model.criteria],
        observed=[_observed(trait.name, ground.subjects, found) for trait in found.traits],
        not_compared=found.left_out,
        prospects=prospects,
    )


async def _ground(tx: Transaction) -> _Ground:
    stored = await newest(tx)
    if stored is None or not stored.estimates.months:
        return _Ground(None, (), ())
    months = stored.estimates.months
    rows = await tx.rows(_SUBJECTS, {"run": stored.run})
    subjects = [
        Subject(row.account_id, row.unit, Fraction(row.realized) / len(months), _attributes(row)) for row in rows
    ]
    return _Ground(stored.as_of, months, subjects)


def _attributes(row: Row[Any]) -> Mapping[str, Value]:
    """What can be compared: exact numbers, and texts that name nobody. Not the stage, which is what becomes of an
    account rather than what it is."""
    given = {"segment": row.segment, **decoded_attributes(row.attributes)}
    found = {name: _value(value) for name, value in given.items()}
    return {name: value for name, value in found.items() if value is not None}


def _value(given: object) -> Value | None:
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, int | Decimal):
        return Decimal(given)
    if not isinstance(given, str) or not given.strip() or PERSONAL in given:
        return None
    try:
        return exact_decimal(given)
    except InvalidInputError:
        return given.strip()


def _observed(name: str, subjects: Sequence[Subject], found: Profile) -> Observed:
    trait = next(trait for trait in found.traits if trait.name == name)
    groups = _thirds(subjects, name) if trait.kind is Kind.NUMBER else _choices(subjects, name)
    return Observed(
        attribute=name,
        kind=trait.kind,
        accounts=trait.accounts,
        strength=Decimal(format(trait.strength, ".3f")),
        p_value=Decimal(format(trait.p_value, ".2e")).quantize(Decimal("0.000001")),
        holds=trait.holds,
        groups=groups,
    )


def _thirds(subjects: Sequence[Subject], name: str) -> list[Group]:
    currency = _usual_currency(subjects)
    own = [one for one in subjects if one.currency == currency]
    return [_group(members, currency, above=low, up_to=high) for low, high, members in thirds(own, name)]


def _choices(subjects: Sequence[Subject], name: str) -> list[Group]:
    currency = _usual_currency(subjects)
    own = [one for one in subjects if one.currency == currency and name in one.attributes]
    choices = sorted({str(one.attributes[name]) for one in own})
    return [
        _group([one for one in own if str(one.attributes[name]) == choice], currency, choice=choice)
        for choice in choices
    ]


def _group(
    members: Sequence[Subject],
    currency: str,
    *,
    choice: str | None = None,
    above: Decimal | None = None,
    up_to: Decimal | None = None,
) -> Group:
    values = [one.value for one in members]
    if not values or is_masked(values):
        return Group(choice, above, up_to, currency, None, None)
    return Group(choice, above, up_to, currency, len(values), published(median(values)))


def _usual_currency(subjects: Iterable[Subject]) -> str:
    held = [one.currency for one in subjects]
    return max(sorted(set(held)), key=held.count, default="")


def _declared(criterion: Criterion, subjects: Sequence[Subject], found: Profile) -> Declared:
    met = [meets(criterion, one.attributes) for one in subjects]
    trait = next((trait for trait in found.traits if trait.name == criterion.attribute), None)
    return Declared(
        criterion=criterion.slug,
        title=criterion.label,
        attribute=criterion.attribute,
        one_of=criterion.one_of,
        at_least=criterion.at_least,
        at_most=criterion.at_most,
        met=met.count(True),
        unmet=met.count(False),
        unknown=met.count(None),
        observed=None if trait is None else trait.holds,
    )


def meets(criterion: Criterion, attributes: Mapping[str, Value]) -> bool | None:
    """Whether an account meets a criterion; None where its attribute is not known, or no number where one is asked."""
    given = attributes.get(criterion.attribute)
    if given is None:
        return None
    if criterion.one_of:
        return str(given) in criterion.one_of
    if not isinstance(given, Decimal):
        return None
    low, high = criterion.at_least, criterion.at_most
    return (low is None or given >= low) and (high is None or given <= high)


def _fit(found: Profile, criteria: Sequence[Criterion], key: str, name: str, attributes: Mapping[str, Value]) -> Fit:
    score = found.fit(attributes)
    reasons = found.reasons(attributes) if score is not None else ()
    says = _says(found) if not found.terms else ""
    if found.terms and score is None:
        says = "None of the attributes that go with value is known of this account."
    matches = [Match(one.slug, one.label, meets(one, attributes)) for one in criteria]
    return Fit(key, name, score, says, [_why(one) for one in reasons], matches)


def _why(reason: Reason) -> Why:
    return Why(reason.name, None if reason.points is None else Decimal(format(reason.points, ".1f")))


def _met(fit: Fit) -> int:
    return sum(match.met is True for match in fit.declared)


def _says(found: Profile) -> str:
    """Why there is no fit; '' where there is."""
    if found.terms:
        return ""
    if found.skill is None:
        return f"Insufficient data: {found.accounts} accounts with value in a currency that five have; 20 are needed."
    return "The attributes of accounts tell too little of what they realize for a fit."


def _places(skill: float | None) -> Decimal | None:
    return None if skill is None else Decimal(format(skill, ".3f"))
