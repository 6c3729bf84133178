"""The numbers of the page that says why: what it shows, in groups and steps, each number with its proof. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from valueplatform.portal.bridge_ref import BridgeRef
from valueplatform.portal.bridge_words import Words, period_name
from valueplatform.portal.calling import Place
from valueplatform.portal.exact import short_text
from valueplatform.portal.sentences import proof_path
from valueplatform.portal.view import words
from valueplatform.value.bridge_answer import money_lines
from valueplatform.value.bridge_cells import Kind, Line, added
from valueplatform.value.bridge_cuts import CutRead
from valueplatform.value.bridge_read import BridgeRead, Standing
from valueplatform.value.states import State, weakest_state


@dataclass(frozen=True, slots=True)
class Found:
    """What the page shows. `read` is of what counts, `whole` of all that was realized; where nothing counts yet, both
    are the same. `closed` are the months that no longer change, `first` the first day with value."""

    read: BridgeRead
    whole: BridgeRead
    place: Place
    today: date
    closed: frozenset[date]
    first: date | None
    asked: tuple[str, str]
    by_days: bool
    cut: CutRead | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One part of one driver, over its providers."""

    driver: str
    kind: Kind
    subject: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that are told as one: those of a driver in one unit, or of all drivers (None)."""

    read: BridgeRead
    driver: str | None
    unit: str
    lines: tuple[Line, ...]
    standings: tuple[Standing, ...]

    @property
    def state(self) -> State | None:
        """The weakest state in it; what does not count stays an estimate, whoever validated its inputs."""
        if not self.standings:
            return None
        counts = any(one.counted_before or one.counted_after for one in self.standings)
        return weakest_state([*(one.state for one in self.standings), *([] if counts else [State.ESTIMATED])])

    @property
    def before(self) -> Decimal:
        return added(line.before for line in self.lines)

    @property
    def after(self) -> Decimal:
        return added(line.after for line in self.lines)

    @property
    def change(self) -> Decimal:
        return added(line.change for line in self.lines)


class Numbers:
    """One bridge, in numbers that open."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.read = found.read
        self.words = Words(found.read.model, found.read.units)
        question = found.read.question
        self.then, self.now = period_name(question.before, found.today), period_name(question.after, found.today)
        self.money = money_lines(found.read)
        self.unit = found.read.currency
        self.total = self.group(self.read, self.unit, self.money)

    def ref(self, unit: str, driver: str | None = None, read: BridgeRead | None = None) -> str:
        question = (read or self.read).question
        return BridgeRef.of(self.read.account, question, unit, driver).text()

    def number(self, name: str, value: Decimal, of: Group, *, signed: bool = True) -> words.NumberView:
        shown = short_text(value if signed else abs(value), of.unit)
        text = f"+{shown}" if signed and value > 0 and name not in {"before", "after"} else shown
        return words.NumberView(
            name=name,
            text=text,
            value=format(value, "f"),
            unit=of.unit,
            state=_standing(of.state, direct=of.driver is not None),
            href=proof_path(self.ref(of.unit, of.driver, of.read), name),
            key=of.driver is None and name == "after",
        )

    def group(self, read: BridgeRead, unit: str, lines: Sequence[Line], driver: str | None = None) -> Group:
        keys = dict.fromkeys((line.driver, line.provider, line.unit) for line in lines)
        standings = [read.standings[key] for key in keys if key in read.standings]
        return Group(read, driver, unit, tuple(lines), tuple(standings))

    def steps(self) -> list[Step]:
        """Every part in money, added up over providers; the greatest first."""
        amounts: defaultdict[tuple[str, Kind, str], list[Decimal]] = defaultdict(list)
        for line in self.money:
            for part in line.parts:
                amounts[line.driver, part.kind, part.subject].append(part.amount)
        steps = [Step(*key, amount) for key, found in amounts.items() if (amount := added(found))]
        return sorted(steps, key=lambda step: (-abs(step.amount), step.driver, step.kind, step.subject))

    def part(self, step: Step) -> words.NumberView:
        name = f"{step.kind}:{step.subject}" if step.subject else str(step.kind)
        own = [line for line in self.money if line.driver == step.driver]
        return self.number(name, step.amount, self.group(self.read, self.unit, own, step.driver))

    def groups(self, read: BridgeRead, lines: Sequence[Line]) -> list[Group]:
        found: defaultdict[tuple[str, str], list[Line]] = defaultdict(list)
        for line in lines:
            found[line.driver, line.unit].append(line)
        groups = [self.group(read, unit, own, driver) for (driver, unit), own in found.items()]
        moved = [group for group in groups if any(line.parts for line in group.lines)]
        return sorted(moved, key=lambda group: (-abs(group.change), group.driver or "", group.unit))


def span(number: words.NumberView) -> words.Span:
    return words.Span(number.text, number)


def _standing(state: State | None, *, direct: bool) -> words.NumberState:
    """A total inherits a question; a driver's own number is multiplied by what is questioned."""
    if state is State.UNDER_REVIEW:
        return "under-review" if direct else "touched"
    states: Mapping[State | None, words.NumberState] = {State.PROPOSED: "proposed", State.ESTIMATED: "estimated"}
    return states.get(state, "validated")
