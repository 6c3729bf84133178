"""The ideal customer profile, as its page shows it."""

from dataclasses import dataclass

from valueplatform.portal.view.words import Chip, Link


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Accounts that an attribute sets apart; `median` is '' where it is withheld. `share` of the largest median, 0 to
    100, draws its bar."""

    name: str
    accounts: str
    median: str
    value: str
    share: float


@dataclass(frozen=True, slots=True)
class TraitPart:
    anchor: str
    title: str
    chip: Chip
    says: str
    how: str
    groups: tuple[GroupRow, ...]


@dataclass(frozen=True, slots=True)
class DeclaredRow:
    title: str
    asks: str
    met: str
    chip: Chip


@dataclass(frozen=True, slots=True)
class ProspectRow:
    """`score` is '' where there is none."""

    name: Link
    score: str
    why: str
    declared: str


@dataclass(frozen=True, slots=True)
class IdealCustomer:
    headline: str
    lead: str
    declared: tuple[DeclaredRow, ...]
    declared_empty: str
    traits: tuple[TraitPart, ...]
    others: str
    prospects: tuple[ProspectRow, ...]
    prospects_says: str
    method: str
    back: Link
