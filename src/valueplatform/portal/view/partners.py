"""What parties bring to an account together: who brings what, consents, what partners report, how joint drivers are
shared."""

from dataclasses import dataclass

from valueplatform.portal.view.words import Chip, LanguageSwitch, Link, NumberView, Sentence, Span


@dataclass(frozen=True, slots=True)
class Button:
    """Sends its form with `verb`; '' for a form with one button."""

    label: str
    verb: str = ""
    primary: bool = False


@dataclass(frozen=True, slots=True)
class ReasonForm:
    """A form that asks why, with `fields` as they are; `name` tells the forms of a page apart."""

    name: str
    action: str
    label: str
    buttons: tuple[Button, ...]
    fields: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class PartyRow:
    """What one party brings; `share` is of all that is realized, '' where none can be told."""

    name: str
    realized: NumberView
    counted: NumberView
    share: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class PartFact:
    """A label, and what stands beside it with its amounts."""

    label: str
    spans: tuple[Span, ...]
    small: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsentRow:
    title: str
    effect: str
    chip: Chip
    said: str
    form: ReasonForm | None


@dataclass(frozen=True, slots=True)
class ContributionRow:
    """`proof` says where it stands and what bears it out."""

    title: str
    about: tuple[str, ...]
    amount: NumberView
    chip: Chip
    proof: tuple[tuple[Span, ...], ...]
    form: ReasonForm | None


@dataclass(frozen=True, slots=True)
class SplitRow:
    """`held` are the days on which it holds; `waits` says for whom it waits."""

    title: str
    shares: str
    chip: Chip
    held: str
    said: tuple[str, ...]
    waits: str
    form: ReasonForm | None


@dataclass(frozen=True, slots=True)
class JointDriver:
    title: str
    note: tuple[Span, ...]
    parts: tuple[PartyRow, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    text: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class ProposeForm:
    """Shares as parts of a hundred. Without `partners` the partner who reads speaks for itself."""

    action: str
    drivers: tuple[Choice, ...]
    partners: tuple[Choice, ...]
    share: str = ""
    supplier_share: str = ""
    reason: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class LetForm:
    """Lets a partner do something that it has not done here yet."""

    action: str
    partners: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Partner:
    """One partner in the account."""

    anchor: str
    name: str
    consents: tuple[ConsentRow, ...]
    contributions: tuple[ContributionRow, ...]


@dataclass(frozen=True, slots=True)
class Partners:
    """The page of one account. `parties` are followed by `total`; `problem` is what stands beside no form."""

    headline: str
    lead: str
    parties: tuple[PartyRow, ...]
    total: PartyRow | None
    joint: tuple[JointDriver, ...]
    splits: tuple[SplitRow, ...]
    partners: tuple[Partner, ...]
    propose: ProposeForm | None
    let: LetForm | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SharedRow:
    """An account in the list of a partner; `waits` says what there waits for it."""

    name: str
    href: str
    about: str
    own: NumberView
    share: str
    combined: NumberView | None
    waits: str


@dataclass(frozen=True, slots=True)
class SharedList:
    headline: str
    lead: str
    rows: tuple[SharedRow, ...]
    more: Link | None


@dataclass(frozen=True, slots=True)
class ReportForm:
    """What a partner reports, as it was typed; `missing` says why it may not, and there is no form then."""

    action: str
    drivers: tuple[Choice, ...]
    currency: str
    typed: tuple[tuple[str, str], ...] = ()
    error: str = ""
    missing: str = ""

    def value(self, name: str) -> str:
        return dict(self.typed).get(name, "")


@dataclass(frozen=True, slots=True)
class Shared:
    """One account as a partner sees it."""

    headline: tuple[Span, ...]
    lead: str
    facts: tuple[PartFact, ...]
    rows: tuple[PartyRow, ...]
    story: tuple[Sentence, ...]
    consents: tuple[ConsentRow, ...]
    contributions: tuple[ContributionRow, ...]
    splits: tuple[SplitRow, ...]
    report: ReportForm
    propose: ProposeForm | None
    links: tuple[Link, ...]
    problem: str = ""
    lang: str = ""
    languages: LanguageSwitch | None = None
