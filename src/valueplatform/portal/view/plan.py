"""What if: levers to move, what they add, and the scenarios that somebody keeps."""

from dataclasses import dataclass
from typing import Literal

from valueplatform.portal.view.drawings import ChartView, TableView
from valueplatform.portal.view.words import Act, Fact, Link, NumberView, Span


@dataclass(frozen=True, slots=True)
class Lever:
    """One thing to move. A `range` runs in percent of today from `least` to `most`; a `number` takes another value of
    an input; a `switch` puts a feature to use (`on`), by `value` percent of how comparable accounts use it. `now` says
    today's, or whose use is taken, `lacks` why it cannot be moved, `adds` what the lever adds alone where it is moved,
    `place` its number on the page."""

    name: str
    label: str
    kind: Literal["range", "number", "switch"]
    value: str
    shown: str
    now: str
    least: int = 0
    most: int = 0
    adds: NumberView | None = None
    place: int = 0
    on: bool = False
    lacks: str = ""

    @property
    def kept(self) -> str:
        """What keeping the lever as it stands sends."""
        return self.value if self.on or self.kind != "switch" else "0"


@dataclass(frozen=True, slots=True)
class Result:
    """What the moved levers add. `problem` says why there is nothing to show, else `headline` and `lead` stand above
    the chart. `switched` says how much features that are switched on are taken to be used."""

    problem: str = ""
    headline: tuple[Span, ...] = ()
    lead: tuple[Span, ...] = ()
    chart: ChartView | None = None
    drivers: TableView | None = None
    formulas: tuple[tuple[str, str], ...] = ()
    based_on: str = ""
    switched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept scenario. `acts` are what this reader may do with it."""

    scenario_id: int
    name: str
    link: Link
    about: str
    acts: tuple[Act, ...] = ()
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class PlanPage:
    """`action` shows the levers as they stand, `preview` answers what they add, `keep_action` keeps them.
    `not_compared` are kept scenarios that cannot be computed any more, with the reason."""

    levers: tuple[Lever, ...]
    since: str
    months: int
    over: int
    result: Result
    action: str
    preview: str
    keep_action: str
    kept: tuple[Kept, ...] = ()
    compared: TableView | None = None
    not_compared: tuple[Fact, ...] = ()
    removed: Act | None = None
    said: str = ""

    @property
    def switches(self) -> tuple[Lever, ...]:
        return tuple(lever for lever in self.levers if lever.kind == "switch")

    @property
    def inputs_moved(self) -> bool:
        return any(lever.adds for lever in self.levers if lever.kind == "number")
