"""What the catalog suggests for the value model, with the evidence, and what may be done with it."""

from dataclasses import dataclass

from valueplatform.portal.view.steward import Filter
from valueplatform.portal.view.words import Chip, Fact, Link


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """`speaks` is the strongest of its evidence in one sentence."""

    title: Link
    what: str
    place: str
    speaks: str
    chip: Chip


@dataclass(frozen=True, slots=True)
class Proposals:
    headline: str
    lead: str
    back: Link
    filters: tuple[Filter, ...]
    rows: tuple[ProposalRow, ...]
    empty: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A row of the evidence, down to counts; `cells` go with the heads of its table."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    heads: tuple[str, ...]
    rows: tuple[Counted, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the form; `value` is what stands in it."""

    name: str
    label: str
    value: str
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was decided."""

    who: str
    when: str
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Opened:
    """One proposal. `changes` say what accepting changes in the model, one definition each; `error` why it could not.
    Addresses of forms are '' for who may not, or where there is nothing to do; `state_href` is read again while the
    worker is at it."""

    id: str
    headline: str
    lead: str
    back: Link
    chip: Chip
    progress: str
    says: tuple[str, ...]
    tables: tuple[Table, ...]
    changes: tuple[Fact, ...]
    error: str
    fields: tuple[Field, ...]
    steps: tuple[Step, ...]
    method: tuple[str, ...]
    here: str
    state_href: str = ""
    preview: str = ""
    accept: str = ""
    reject: str = ""
    suggest: str = ""
    withdraw: str = ""
