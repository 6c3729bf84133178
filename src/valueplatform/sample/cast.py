"""Who is in the sample: accounts as written in cast_files, or invented beyond it, on absolute days.

Floats here are shares, factors and sizes from which numbers are drawn later; none of them is emitted.
"""

import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from importlib.resources import files
from typing import Literal

import msgspec

from valueplatform.sample.season import next_workday

Trust = Literal["validated", "mixed", "proposed", "estimated"]

ALWAYS = ("auto-dispatch", "job-reports")
"""Features that every account uses from its go-live on."""


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody on the customer's side. `mail` is the local part where it does not follow from the name."""

    name: str
    role: str
    group: str
    mail: str = ""


class EpisodeSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A planted change: `quantity` is multiplied by `factor` from `first` to `last` (days back, inclusive).

    For `quantity = "outage"` the factor is the length of the outage in minutes.
    """

    kind: str
    subject: str
    quantity: str
    first: int
    factor: float
    note: str
    last: int = -1


class StretchSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch of days back, inclusive, of some teams (none named: all); `days` is a delay."""

    first: int
    last: int
    teams: tuple[str, ...] = ()
    days: int = 0


class AccountSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account as the file has it.

    `jobs`: jobs through the app on a full workday at go-live. `dispatchers`: heads at a desk that is known to be
    small. `growth`: share a year. `season`: half the swing over the year, highest on day `peak` of the year. `roi`:
    realized value of a year over the price of a year. `attainment`: realized over committed since go-live. `lagging`:
    teams that do not use guided checklists. `opened`: teams that began later. `objectives`: what the customer wants of
    a driver, where it said so itself. `accepted`, `declined`: suggested features (`decisions`). `silent`: no data.
    `delayed`: sent late. `repeated`: sent twice.
    """

    key: str
    name: str
    segment: str
    currency: str
    timezone: str
    stage: str
    situation: str
    people: tuple[Person, ...]
    jobs: float = 0
    growth: float = 0
    season: float = 0.03
    peak: int = 170
    dispatchers: int = 0
    signed: int | None = None
    live: int | None = None
    ended: int | None = None
    roi: float = 0
    attainment: float = 1
    trust: Trust = "validated"
    teams: tuple[str, ...] = ()
    opened: dict[str, int] = {}
    objectives: dict[str, str] = {}
    lagging: tuple[str, ...] = ()
    features: dict[str, int] = {}
    partners: tuple[str, ...] = ()
    record: bool = False
    accepted: tuple[str, ...] = ()
    declined: tuple[str, ...] = ()
    sparse: bool = False
    each_job: bool = False
    episode: tuple[EpisodeSpec, ...] = ()
    silent: tuple[StretchSpec, ...] = ()
    delayed: tuple[StretchSpec, ...] = ()
    repeated: tuple[StretchSpec, ...] = ()


class _Cast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: tuple[AccountSpec, ...]


class Episode(msgspec.Struct, frozen=True):
    """A planted change on absolute days, `last` inclusive."""

    kind: str
    subject: str
    quantity: str
    first: date
    last: date
    factor: float
    note: str


class Stretch(msgspec.Struct, frozen=True):
    """Days of some teams (none named: all), `last` inclusive."""

    first: date
    last: date
    teams: tuple[str, ...] = ()
    days: int = 0

    def covers(self, day: date, team: str | None) -> bool:
        """Whether the day lies in it, for the team; what belongs to no team is covered only by all teams."""
        return self.first <= day <= self.last and (not self.teams or team in self.teams)


class Account(msgspec.Struct, frozen=True):
    """An account with absolute days. `live` None: it never went live; `features` has each feature's first day."""

    spec: AccountSpec
    today: date
    signed: date | None
    live: date | None
    ended: date | None
    opened: dict[str, date]
    features: dict[str, date]
    episodes: tuple[Episode, ...]
    silent: tuple[Stretch, ...]
    delayed: tuple[Stretch, ...]
    repeated: tuple[Stretch, ...]

    @property
    def key(self) -> str:
        return self.spec.key

    @property
    def teams(self) -> tuple[str, ...]:
        return (*self.spec.teams, *self.spec.opened)

    def uses(self, feature: str) -> bool:
        return feature in self.features

    def days(self) -> Iterator[date]:
        """Every local day on which it was live; the day after `today` too, which east of Greenwich has begun."""
        if self.live is None:
            return
        last = min(self.ended or date.max, self.today + timedelta(days=1))
        for offset in range((last - self.live).days + 1):
            yield self.live + timedelta(days=offset)


def written_cast() -> tuple[AccountSpec, ...]:
    """The accounts of cast_files, those with the most telling situations first."""
    written = sorted(files("valueplatform.sample").joinpath("cast_files").iterdir(), key=lambda file: file.name)
    texts = (file.read_text(encoding="utf-8") for file in written if file.name.endswith(".toml"))
    return tuple(spec for text in texts for spec in msgspec.convert(tomllib.loads(text), _Cast).account)


def settle(spec: AccountSpec, today: date, days: int, shared: tuple[EpisodeSpec, ...] = ()) -> Account:
    """Put an account on absolute days; who went live before the sample's first week goes live in it.

    `shared` are episodes of the supplier that reach this account too.
    """
    live_back = None if spec.live is None else min(spec.live, days - 2)

    def back(offset: int) -> date:
        return today - timedelta(days=offset)

    def stretches(found: tuple[StretchSpec, ...]) -> tuple[Stretch, ...]:
        return tuple(Stretch(back(s.first), back(s.last), s.teams, s.days) for s in found if s.first < (live_back or 0))

    def begun(offset: int) -> date:
        """Nothing is started on a day off."""
        return next_workday(back(offset), spec.timezone)

    first_day = None if live_back is None else begun(live_back)
    features = {}
    if first_day is not None:
        taken = {feature: max(first_day, begun(n)) for feature, n in spec.features.items()}
        features = dict.fromkeys(ALWAYS, first_day) | taken
    return Account(
        spec=spec,
        today=today,
        signed=None if spec.signed is None else back(spec.signed),
        live=first_day,
        ended=None if spec.ended is None or spec.ended >= (live_back or 0) else back(spec.ended),
        opened={team: begun(n) for team, n in spec.opened.items()},
        features=features,
        episodes=tuple(
            Episode(e.kind, e.subject, e.quantity, back(e.first), back(e.last), e.factor, e.note)
            for e in (*spec.episode, *shared)
            if e.first < (live_back or 0)
        ),
        silent=stretches(spec.silent),
        delayed=stretches(spec.delayed),
        repeated=stretches(spec.repeated),
    )
