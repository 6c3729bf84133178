"""Charts, strips and sparklines. Floats place ink; no text is ever made from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from valueplatform.portal.view.words import Note, Span

ChartName = Literal["commitment", "scenario", "waterfall"]
KeyMark = Literal["realized", "provisional", "committed", "predicted", "gap", "bar", "riskbar", "dot"]


@dataclass(frozen=True, slots=True)
class Strip:
    """Realized against committed on the scale that all strips of a page share; positions are in [0, 1]."""

    label: str
    realized: float
    low: float
    expected: float
    high: float
    realized_text: str
    expected_text: str
    risk: bool = False


@dataclass(frozen=True, slots=True)
class Spark:
    """Distance from the commitment, period by period, as a share of it (-0.12 = 12 % below).

    `periods` is the length of the whole axis, `band` half the committed range, `text` says it in words.
    """

    distances: tuple[float, ...]
    periods: int
    band: float
    text: str
    risk: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """`code`: its cells are names from the machine (event types, ids)."""

    text: str
    numeric: bool = False
    code: bool = False


@dataclass(frozen=True, slots=True)
class TableView:
    """The first column names its row; `foot` is the total, empty where adding up would mix what does not add."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Span, ...], ...]
    foot: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class ChartView:
    """A chart file (`charts/{name}.vl.json`) with its data; fields and params are described by the file's `usermeta`.

    `description` says in a sentence what one sees; `tables` say all of it.
    """

    id: str
    name: ChartName
    description: str
    datasets: Mapping[str, Sequence[Mapping[str, object]]]
    params: Mapping[str, object]
    keys: tuple[tuple[KeyMark, str], ...] = ()
    tables: tuple[TableView, ...] = ()
    title: str = ""
    subtitle: str = ""
    note: Note | None = None

    @property
    def drawing(self) -> dict[str, object]:
        return {"datasets": self.datasets, "params": self.params, "description": self.description}
