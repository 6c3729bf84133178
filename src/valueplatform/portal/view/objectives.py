"""What both sides agreed on: objectives, plans with their signatures, and the timeline of the account."""

from dataclasses import dataclass

from valueplatform.portal.view.words import Act, Chip, NumberView


@dataclass(frozen=True, slots=True)
class Attained:
    """Attainment in one unit; without `ratio`, `reason` says why. `span` is the commitment's range."""

    realized: NumberView | None
    committed: NumberView | None
    span: str
    ratio: NumberView | None
    reason: str


@dataclass(frozen=True, slots=True)
class ObjectiveRow:
    title: str
    chip: Chip | None
    people: tuple[tuple[str, str], ...]
    tactics: tuple[str, ...]
    attained: tuple[Attained, ...]
    next: str
    gaps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanRow:
    """`signed` are the sides that signed what stands there now; `voided` says that somebody signed something else."""

    name: str
    title: str
    kind: str
    chip: Chip
    about: tuple[str, ...]
    committed: NumberView | None
    act: Act | None


@dataclass(frozen=True, slots=True)
class MomentRow:
    day: str
    machine: str
    kind: str
    title: str
    note: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """`earlier` leads to older moments; `filters` are kinds with their address, and whether it is the one shown."""

    objectives: tuple[ObjectiveRow, ...]
    plans: tuple[PlanRow, ...]
    moments: tuple[MomentRow, ...]
    filters: tuple[tuple[str, str, bool], ...]
    earlier: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class PointRow:
    name: str
    unit: str
    realized: str
    committed: str
    span: str
    ratio: str
    reason: str


@dataclass(frozen=True, slots=True)
class PointPart:
    """What was known at one month's end; `months` says which are in both sides and which were open."""

    title: str
    months: str
    rows: tuple[PointRow, ...]


@dataclass(frozen=True, slots=True)
class AttainmentPage:
    parts: tuple[PointPart, ...]
    back: str
