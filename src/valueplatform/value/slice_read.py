"""Value of one account divided by dimensions of its meters: what `value.slices` divides, read; and what may be told.

No single person's value is shown, nor that of fewer than five (value rule 18): a dimension that names persons is
refused, and members whose events name fewer than five are told together with what carries no value of the dimension.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import UnprocessableError
from valueplatform.core.periods import ONE_DAY, Period
from valueplatform.telemetry.meters import Meter
from valueplatform.value.basis import BasisInput
from valueplatform.value.bridge_cells import Member, added
from valueplatform.value.cuts import names_of, versions_of, why_uncut
from valueplatform.value.member_readings import Readings, readings_of
from valueplatform.value.meter_days import ALL_PROVIDERS
from valueplatform.value.model import BY_EVENT, JOINT, Driver, ValueModel
from valueplatform.value.shown import Piece, ShownValue, shown_pieces
from valueplatform.value.slices import Rate, Slice, rate_of, sliced, weights
from valueplatform.value.splits import Split, parts_of
from valueplatform.value.values import GROUPS

FEATURE: Final = "feature"
"""Both a group and a dimension: a driver of one feature belongs to it whole, one of several is divided."""
FEWEST_PERSONS: Final = 5
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_TAGS: Final = frozenset({"id", "key", "email", "mail", "name", "hash"})
_PERSONS: Final = frozenset({
    "agent", "assignee", "author", "contact", "dispatcher", "driver", "email", "employee", "login", "mail", "member",
    "operator", "owner", "patient", "person", "staff", "subject", "technician", "user", "username", "worker",
})  # fmt: skip
"""Words that end a path whose values are persons."""

_BASES: Final = text("""
    SELECT basis_id, formula, inputs::text AS inputs FROM basis
    WHERE account_id = :account AND basis_id = ANY(CAST(:ids AS uuid[]))
""")
_PERSON_PATHS: Final = text("""
    SELECT DISTINCT path FROM catalog_property
    WHERE account_id = :account AND type = ANY(CAST(:types AS text[])) ORDER BY path
""")
_ARCHIVED: Final = text("""
    SELECT EXISTS (SELECT FROM archived_slice
                   WHERE account_id = :account AND type = ANY(CAST(:types AS text[]))
                     AND first_time < CAST(:end AS date) + 1 AND last_time > CAST(:start AS date) - 1)
""")
_PERSONS_OF: Final = text("""
    SELECT ARRAY(SELECT coalesce(data ->> path, data #>> string_to_array(path, '.'))
                 FROM unnest(CAST(:dimensions AS text[])) WITH ORDINALITY AS d (path, place) ORDER BY place) AS member,
           array_agg(DISTINCT person) AS persons
    FROM event CROSS JOIN LATERAL (
        SELECT coalesce(data ->> path, data #>> string_to_array(path, '.')) AS person
        FROM unnest(CAST(:paths AS text[])) AS p (path)
    ) named
    WHERE account_id = :account AND type = ANY(CAST(:types AS text[])) AND utc_day BETWEEN :first AND :last
      AND person IS NOT NULL
    GROUP BY 1
""")


Plan = Mapping[str, tuple[str, ...]]
"""By which dimensions each driver's value is divided, of those that are."""


def named_dimensions(model: ValueModel) -> frozenset[str]:
    return frozenset(path for meter in model.meters for path in meter.dimensions)


def names_persons(path: str) -> bool:
    """Whether the values of a path are persons, as `technician`, `user.id` and `assigneeEmail` are."""
    words = [word.lower().removesuffix("s") for word in _WORDS.findall(path)]
    while len(words) > 1 and words[-1] in _TAGS and words[-1] not in {"email", "mail"}:
        words.pop()
    return bool(words) and words[-1] in _PERSONS


def plan_of(group_by: Sequence[str], model: ValueModel, drivers: Iterable[str]) -> Plan:
    """How the values of `drivers` are divided. Raises UnprocessableError naming those that cannot be, with the reasons,
    and those that can; and for a dimension of persons."""
    dimensions = [name for name in group_by if name not in GROUPS]
    for path in dimensions:
        if path in named_dimensions(model) and names_persons(path):
            raise UnprocessableError(
                f"Value is not cut by {path!r}: it names single persons, and people appear in groups of "
                f"{FEWEST_PERSONS} or more. Cut by a group of theirs, such as a team."
            )
    by_feature = FEATURE in group_by
    found, refused, taken = {}, [], []
    for slug in sorted(drivers):
        driver = model.driver(slug)
        several = by_feature and driver is not None and len(driver.features) > 1
        own = (*dimensions, *([FEATURE] if several else []))
        reason = _why_not(driver, model, own) if own else None
        if reason is not None:
            refused.append(f"driver {slug!r}, since {reason}")
        else:
            taken.append(slug)
            if own:
                found[slug] = own
    if refused:
        cure = f" Ask for those that can: driver={','.join(taken)}." if taken else ""
        by = ", ".join([*dimensions, *([FEATURE] if by_feature else [])])
        raise UnprocessableError(f"Value cannot be cut by {by} for {'; '.join(refused)}.{cure}")
    return found


def _why_not(driver: Driver | None, model: ValueModel, dimensions: Sequence[str]) -> str | None:
    if driver is None:
        return "it is no longer in the model"
    reason = why_uncut(driver, model, dimensions)
    if reason is not None and FEATURE in dimensions:
        return f"it serves {len(driver.features)} features ({', '.join(sorted(driver.features))}) and {reason}"
    return reason


async def slices_of(
    tx: Transaction,
    account_id: int,
    period: Period,
    plan: Plan,
    model: ValueModel,
    splits: Sequence[Split],
) -> list[Slice]:
    """All that is shown of the plan's drivers in the period, divided; parties of joint drivers have their parts."""
    pieces = await shown_pieces(tx, account_id, period, list(plan))
    if not pieces:
        return []
    rates = await _rates(tx, account_id, model, pieces)
    earned = Period(min(one.earned for one in pieces), max(one.earned for one in pieces) + ONE_DAY)
    found: list[Slice] = []
    for dimensions in sorted(set(plan.values())):
        own = [slug for slug, by in plan.items() if by == dimensions]
        meters = _meters_of(model, own)
        readings = await readings_of(tx, account_id, earned, meters, dimensions)
        told = await told_together(tx, account_id, earned, meters, dimensions)
        for group in _grouped(one for one in pieces if one.value.driver in own):
            found += _sliced(group, rates, readings, dimensions, told, model, splits)
    return found


def _grouped(pieces: Iterable[Piece]) -> Iterable[Sequence[Piece]]:
    """Pieces that are shown as one amount of one day: all but the basis and the bounds are the same."""
    groups: defaultdict[tuple[object, ...], list[Piece]] = defaultdict(list)
    for one in pieces:
        at = one.value
        key = at.driver, at.provider, at.day, one.earned, at.unit, at.benefit_class, at.evidence, at.state, at.counted
        groups[key].append(one)
    return groups.values()


def _sliced(
    group: Sequence[Piece],
    rates: Mapping[UUID, Rate],
    readings: Readings,
    dimensions: Sequence[str],
    told: Mapping[Member, Member],
    model: ValueModel,
    splits: Sequence[Split],
) -> list[Slice]:
    first, earned = group[0].value, group[0].earned
    whole = _added(group)
    by_event = any(one.provider == BY_EVENT and one.in_force(earned) for one in versions_of(model, first.driver))
    read = readings.get((first.provider if by_event else ALL_PROVIDERS, earned), {})
    features = frozenset(((one := model.driver(first.driver)) and one.features) or ())
    held: dict[Member, dict[str, Fraction]] = {}
    for member, values in read.items():
        own = held.setdefault(_shown_member(told.get(member, member), dimensions, features), {})
        for name, value in values.items():
            own[name] = own.get(name, Fraction(0)) + value
    nobody: Member = tuple(None for _ in dimensions)
    weighed = weights([(one.value.expected, rates[one.basis_id]) for one in group], held, nobody)
    parts = [whole]
    if first.provider == JOINT and any(one.driver == first.driver and one.since is not None for one in splits):
        parts = [part.value for part in parts_of(whole, earned, splits)]
    return sliced(parts, whole.expected, weighed, dimensions)


def _added(group: Sequence[Piece]) -> ShownValue:
    low, expected, high = (added(getattr(one.value, bound) for one in group) for bound in ("low", "expected", "high"))
    return msgspec.structs.replace(group[0].value, low=low, expected=expected, high=high)


def _shown_member(member: Member, dimensions: Sequence[str], features: frozenset[str]) -> Member:
    """What carries a feature that the driver does not serve carries none."""
    return tuple(
        None if name == FEATURE and value not in features else value
        for name, value in zip(dimensions, member, strict=True)
    )


def _meters_of(model: ValueModel, drivers: Iterable[str]) -> list[Meter]:
    names = {name for slug in drivers for name in names_of(model, slug)}
    return [meter for meter in model.meters if meter.slug in names]


async def _rates(tx: Transaction, account_id: int, model: ValueModel, pieces: Sequence[Piece]) -> dict[UUID, Rate]:
    meters = {meter.slug for meter in model.meters}
    ids = sorted({one.basis_id for one in pieces})
    drivers = {one.basis_id: one.value.driver for one in pieces}
    found = {}
    for row in await tx.rows(_BASES, {"account": account_id, "ids": ids}):
        given = msgspec.json.decode(row.inputs, type=tuple[BasisInput, ...])
        inputs = {one.slug: Fraction(one.value.expected) for one in given}
        found[row.basis_id] = rate_of(row.formula, inputs, sorted(names_of(model, drivers[row.basis_id]) & meters))
    return found


async def told_together(
    tx: Transaction, account_id: int, period: Period, meters: Sequence[Meter], dimensions: Sequence[str]
) -> dict[Member, Member]:
    """Members whose events name fewer than five persons, each by the member that it is told with: the one that carries
    no value. Where they are too few even together, the next smallest group goes with them."""
    types = sorted({kind for meter in meters for kind in meter.event_types})
    if set(dimensions) == {FEATURE}:
        return {}
    asked: dict[str, Any] = {"account": account_id, "types": types}
    paths = [row.path for row in await tx.rows(_PERSON_PATHS, asked) if names_persons(row.path)]
    if not paths:
        return {}
    if await tx.scalar(_ARCHIVED, {**asked, "start": period.start, "end": period.end}):
        raise UnprocessableError(
            f"Value cannot be cut by {', '.join(dimensions)} for days whose events are archived: they name persons, "
            "and how many each group has is not counted there. Ask for later days."
        )
    span = {"first": period.start - ONE_DAY, "last": period.end, "paths": paths, "dimensions": list(dimensions)}
    nobody: Member = tuple(None for _ in dimensions)
    persons = {tuple(row.member): set(row.persons) for row in await tx.rows(_PERSONS_OF, {**asked, **span})}
    hidden: set[str] = set(persons.pop(nobody, ()))
    told: dict[Member, Member] = {}
    for member, own in sorted(persons.items(), key=lambda item: (len(item[1]), str(item[0]))):
        if len(own) < FEWEST_PERSONS or 0 < len(hidden) < FEWEST_PERSONS:
            told[member] = nobody
            hidden |= own
    return told
