"""Whether as much happens as is usual for the weekday. Pure.

Statistic. Counts of a day are brought to the scale on which the noise of counts is the same at any level, z = 2·√(n +
3/8) (Anscombe 1948), and compared with the median of the same weekday in the eight weeks before; from that the median
of the last 14 such differences is taken, so that steady growth is usual. What is left is divided by its own spread over
eight weeks: the larger of 1.4826 times the median absolute deviation, the ninth decile over 1.645 (for sources whose
days differ much), and what the noise of counts alone would be, √(1 + π/2n) with n weeks. (Median and MAD: Hampel 1974.)

Threshold. Days in a row that are beyond 2 in one direction are a *run* if together they are beyond 4.5 (the sum of
their scores over the root of how many they are: Stouffer 1949), and less than two thirds or more than one and a half
times of what is usual happened on them, on one of them more than on any day before; or if one is *far* out: beyond 5,
and below a tenth of the usual (and the least but one of the weekday) or above three times the most of any day. So a
public holiday at a quarter of the usual is none. A run ends with the first day within 2 on which more than two thirds
(less than one and a half times) of the usual happened; other days within 2 say nothing. Days of a run are no measure
for later ones; after 28 days they are what is usual.

Minimum data: four weeks of the weekday and 21 differences, which is seven weeks. Counts near zero: below an expected 12
a day, no day without events is far out; `quality.silence` sees those sources by their rhythm.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median
from typing import Final

from valueplatform.core.periods import ONE_DAY

WEEKS: Final = 8
FEWEST_WEEKS: Final = 4
FEWEST_DIFFERENCES: Final = 21
ASTRAY, TOGETHER, FAR, LEARNED = 2.0, 4.5, 5.0, 3.0
NEW_USUAL: Final = 28
WINDOW: Final = timedelta(days=140)
"""Days that are looked at: seven weeks to learn, and thirteen to judge."""
_DRIFT: Final = 14
_QUIET: Final = 5.0
_FEWEST: Final = 20
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Run:
    """Days from `since` to `through` on which more (`above`) or less than usual happened; `open`: no usual day
    since."""

    since: date
    through: date
    above: bool
    events: int
    usual: float
    is_open: bool


@dataclass(slots=True)
class _Course:
    """What is known on the way through the days."""

    usual: dict[date, int] = field(default_factory=dict)
    differences: list[float] = field(default_factory=list)
    run: list[tuple[date, int, float]] = field(default_factory=list)
    scores: float = 0.0
    above: bool = False
    far: bool = False
    peak: bool = False

    def is_usual(self, events: float, usual: float) -> bool:
        """Whether a day tells that the run is over: not much comes (too much came), or as much as is expected."""
        if self.above and events < _QUIET:
            return True
        return max(events, usual) >= _QUIET and not self._matters(events, usual)

    def ended(self, *, is_open: bool = False) -> Iterator[Run]:
        """The run as it stands, if it is one; it is begun anew."""
        days = self.run
        if days:
            events, usual = sum(count for _, count, _ in days), sum(expected for *_, expected in days)
            if self.far or (len(days) > 1 and self._is_run(events, usual)):
                yield Run(days[0][0], days[-1][0], self.above, events, usual, is_open)
            else:
                self.usual |= {day: count for day, count, _ in days}
        self.run, self.far, self.peak, self.scores = [], False, False, 0.0

    def _is_run(self, events: int, usual: float) -> bool:
        together = self.scores / math.sqrt(len(self.run)) > TOGETHER
        matters = self._matters(events, usual) and max(events, usual) >= _FEWEST
        return together and matters and (self.peak or not self.above)

    def _matters(self, events: float, usual: float) -> bool:
        return events > usual * 3 / 2 if self.above else events < usual * 2 / 3


@dataclass(frozen=True, slots=True)
class _Score:
    """`few` is the least but one of the same weekday, `most` the most of any day."""

    value: float
    expected: float
    few: int
    most: int


def volume_runs(counts: Mapping[date, int], first: date, last: date) -> Iterator[Run]:
    """Runs of the days from `first` to `last`, both whole; the last may be open."""
    course = _Course()
    for number in range((last - first).days + 1):
        day = first + number * ONE_DAY
        count = counts.get(day, 0)
        score = _score(course, day, count)
        if score is None:
            course.usual[day] = count
        elif abs(score.value) > ASTRAY:
            if course.run and (score.value > 0) is not course.above:
                yield from course.ended()
            course.above = score.value > 0
            course.far |= _is_far(score, count)
            course.peak |= count > score.most
            course.scores += abs(score.value)
            course.run.append((day, count, score.expected))
        elif not course.run or course.is_usual(count, score.expected):
            yield from course.ended()
            course.usual[day] = count
        if len(course.run) > NEW_USUAL:
            course = _Course(usual={one: events for one, events, _ in course.run})
    yield from course.ended(is_open=True)


def _score(course: _Course, day: date, count: int) -> _Score | None:
    """None as long as it cannot be told; then the day is learned from."""
    weeks = [n for week in range(1, WEEKS + 1) if (n := course.usual.get(day - week * _WEEK)) is not None]
    if len(weeks) < FEWEST_WEEKS:
        return None
    base = median(map(_leveled, weeks))
    difference = _leveled(count) - base
    known = course.differences
    if len(known) < FEWEST_DIFFERENCES:
        known.append(difference)
        return None
    drift = median(known[-_DRIFT:])
    score = (difference - drift) / _spread(known[-WEEKS * 7 :], len(weeks))
    if abs(score) <= LEARNED:
        known.append(difference)
    expected = max(((base + drift) / 2) ** 2 - 0.375, 0.0)
    return _Score(score, expected, sorted(weeks)[1], max(course.usual.values()))


def _leveled(count: int) -> float:
    return 2 * math.sqrt(count + 0.375)


def _spread(differences: Sequence[float], weeks: int) -> float:
    middle = median(differences)
    away = sorted(abs(one - middle) for one in differences)
    ninth = away[min(len(away) - 1, len(away) * 9 // 10)]
    return max(math.sqrt(1 + math.pi / (2 * weeks)), 1.4826 * median(away), ninth / 1.645)


def _is_far(score: _Score, count: int) -> bool:
    if abs(score.value) <= FAR:
        return False
    if score.value > 0:
        return count >= _FEWEST and count > 3 * score.most
    return count < min(score.expected / 10, score.few)
