"""Words and numbers: what a sentence, a margin note or a button is made of."""

from dataclasses import dataclass
from typing import Literal

# The weakest thing beneath a number; decides its underline (as `narrative.insight.Standing`).
NumberState = Literal["validated", "touched", "estimated", "proposed", "under-review", "predicted"]
# The icon and hue of a chip: the states of an input, then those of attainment (over = ahead, on, under = behind), and
# that of an event which had come before.
ChipState = Literal[
    "estimated", "proposed", "validated", "under-review", "predicted", "over", "on", "under", "nodata", "again"
]
NoteKind = Literal["context", "risk", "caveat"]


@dataclass(frozen=True, slots=True)
class NumberView:
    """A number that opens. `text` is what is read ("$486K"), `value` the exact decimal ("486080.00").

    `href` is its proof page, `/proof/…`; the drawer opens from the same address. `key` marks the one that matters.
    """

    name: str
    text: str
    value: str
    unit: str
    state: NumberState
    href: str
    key: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text; where `number` is set it is that number, and `text` equals `number.text`."""

    text: str
    number: NumberView | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """One insight in words. `is_new`: changed since the reader's last visit."""

    insight_id: str
    kind: str
    spans: tuple[Span, ...]
    is_new: bool = False

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True, slots=True)
class Chip:
    state: ChipState
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Act:
    """A form of one button that POSTs to `action`; the label names the act and its object. The page adds `_csrf`."""

    label: str
    action: str
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and what stands beside it; `small` is the quiet rest of it ("landed inside")."""

    label: str
    text: str
    small: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What stands in the margin beside the insight `beside`: context, risk (a question) or caveat (data)."""

    kind: NoteKind
    title: str
    spans: tuple[Span, ...]
    links: tuple[Link, ...] = ()
    chip: Chip | None = None
    beside: str | None = None


@dataclass(frozen=True, slots=True)
class Banner:
    """Doubt about a whole page: `stale` (as of when, what is safe) or `withdrawn` (a proof that does not agree)."""

    kind: Literal["stale", "withdrawn"]
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class LanguageOption:
    """`code` as `lang` has it, `name` in its own words."""

    code: str
    name: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class LanguageSwitch:
    """A choice that is remembered; `back` is the page to come back to."""

    action: str
    back: str
    options: tuple[LanguageOption, ...]
