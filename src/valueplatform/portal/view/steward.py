"""The steward's portfolio and account page."""

from dataclasses import dataclass

from valueplatform.portal.view.conversation import Prompt, Topic
from valueplatform.portal.view.drawings import Spark
from valueplatform.portal.view.proof import InputRow
from valueplatform.portal.view.story import Story
from valueplatform.portal.view.words import Act, Chip, Fact, Link, NumberView, Sentence


@dataclass(frozen=True, slots=True)
class Filter:
    text: str
    href: str
    count: int
    current: bool = False


@dataclass(frozen=True, slots=True)
class PortfolioRow:
    """`realized` is None before anything is realized; `realized_note` then says why ("None yet"). `stake` is None where
    no amount can be named."""

    key: str
    name: str
    sub: str
    href: str
    stake: NumberView | None
    why: Sentence
    chip: Chip
    act: Link
    spark: Spark | None = None
    realized: NumberView | None = None
    realized_note: str = ""


@dataclass(frozen=True, slots=True)
class PortfolioGroup:
    """Rows under a line of their own ("This week"); the first group has no title."""

    rows: tuple[PortfolioRow, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Portfolio:
    """`empty` says what no rows mean and what to do; `rows_href` gives `_portfolio_rows.html` for a query `q`."""

    headline: Sentence
    filters: tuple[Filter, ...]
    groups: tuple[PortfolioGroup, ...]
    rows_href: str
    query: str = ""
    order: str = "Ordered by value at stake"
    empty: str = ""
    more: Link | None = None
    live_href: str | None = None


@dataclass(frozen=True, slots=True)
class NewsHold:
    """Bad news of an account: `news` is what may be held, `state` says whether it is, or until when it may be.

    `place` is where the form with a reason goes, `release` ends the hold that stands. `record` has every hold.
    """

    state: str
    news: tuple[str, ...] = ()
    place: str = ""
    release: Act | None = None
    record: tuple[str, ...] = ()
    reason: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """The steward's margin beside the customer's own story. `hold` is None for those who may not hold news."""

    story: Story
    sub: str
    facts: tuple[Fact, ...]
    prompts: tuple[Prompt, ...]
    assumptions: tuple[InputRow, ...]
    conversations: tuple[Topic, ...]
    assumptions_href: str
    conversations_href: str
    hold: NewsHold | None = None
