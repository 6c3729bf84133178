"""What both sides agreed on: objectives, plans with their signatures, and the timeline of the account."""

from dataclasses import dataclass

from valueplatform.portal.view.drawings import TableView
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
class ObjectiveForm:
    """What is said of an objective, to be changed. `version` is the one that was read; `drivers` are slug, label, and
    whether it is named. `drop_action` is '' where it is closed already, `acts` close it as reached or open it again."""

    id: str
    action: str
    version: str
    owner: str
    customer_sponsor: str
    supplier_sponsor: str
    tactics: str
    due: str
    drivers: tuple[tuple[str, str, bool], ...]
    drop_action: str = ""
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectiveRow:
    """`form` is None for whoever changes nothing here."""

    title: str
    chip: Chip | None
    people: tuple[tuple[str, str], ...]
    tactics: tuple[str, ...]
    attained: tuple[Attained, ...]
    next: str
    gaps: tuple[str, ...]
    form: ObjectiveForm | None = None


@dataclass(frozen=True, slots=True)
class PlanRow:
    """`amounts` are its targets by driver and month, None for a plan without any."""

    title: str
    kind: str
    chip: Chip
    about: tuple[str, ...]
    amounts: TableView | None
    acts: tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class WayStep:
    """`took` says how long, or what is missing; `compared` how long comparable accounts took, or why that is not
    told."""

    name: str
    day: str
    took: str
    compared: str


@dataclass(frozen=True, slots=True)
class WayRow:
    title: str
    steps: tuple[WayStep, ...]


@dataclass(frozen=True, slots=True)
class MomentRow:
    day: str
    machine: str
    kind: str
    title: str
    note: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """`earlier` leads to older moments; `filters` are kinds with their address, and whether it is the one shown. `add`
    is the empty form of a new objective; `noted` says what became of the last change, and `undo` takes it back."""

    objectives: tuple[ObjectiveRow, ...]
    plans: tuple[PlanRow, ...]
    moments: tuple[MomentRow, ...]
    filters: tuple[tuple[str, str, bool], ...]
    ways: tuple[WayRow, ...] = ()
    earlier: str = ""
    said: str = ""
    add: ObjectiveForm | None = None
    noted: str = ""
    undo: Act | None = None


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
