"""The inputs that telemetry cannot see, and what each side may do to them."""

from dataclasses import dataclass
from typing import Literal

from valueplatform.portal.view.words import Act, Chip, Link, NumberView, Sentence, Span


@dataclass(frozen=True, slots=True)
class ProposeForm:
    """`button` says the value before it is pressed, `hint` its effect; `preview_href` answers `_propose.html`."""

    action: str
    value: str
    unit: str
    button: str
    hint: str = ""
    reason: str = ""
    error: str = ""
    preview_href: str | None = None


@dataclass(frozen=True, slots=True)
class QuestionForm:
    """Puts the value in force under review; the reason is shown beside every number that it touches."""

    action: str
    entry: str
    reason: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Position:
    """One side's view: `question` from the customer, `position` from the supplier."""

    side: Literal["question", "position"]
    title: str
    quote: str
    who: str


@dataclass(frozen=True, slots=True)
class Assumption:
    """`toggle` opens or closes the row; `acts` are what this reader may do now (validate, withdraw)."""

    id: str
    name: str
    about: str
    value: NumberView
    chip: Chip
    who: str
    carries: NumberView | None = None
    toggle: Link | None = None
    positions: tuple[Position, ...] = ()
    effect_title: str = ""
    effect: tuple[tuple[Span, ...], ...] = ()
    propose: ProposeForm | None = None
    dispute: QuestionForm | None = None
    acts: tuple[Act, ...] = ()
    comparable: str = ""
    """What similar companies validated, where this one has no value of its own."""
    comparable_made: str = ""

    @property
    def is_open(self) -> bool:
        return bool(self.positions or self.effect or self.propose or self.dispute or self.acts)


@dataclass(frozen=True, slots=True)
class Assumptions:
    headline: Sentence | None
    items: tuple[Assumption, ...]
    hint: str
    empty: str = ""
