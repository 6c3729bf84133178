"""Keys, and what became of their events, as whoever connects a product sees them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from valueplatform.core.periods import local_day
from valueplatform.portal.exact import ago_text, count_text, machine_time, short_day
from valueplatform.portal.view import connect as view
from valueplatform.portal.view.steward import Filter
from valueplatform.portal.view.words import Act, Chip, Fact
from valueplatform.telemetry.recent_reads import IngestKey
from valueplatform.telemetry.requests import Outcome

PATH: Final = "/connect"
KEYS_PATH: Final = f"{PATH}/keys"
TRY_PATH: Final = f"{PATH}/try"
COMMAND: Final = "valueplatform key create --kind ingest --name my-product"
FIRST: Final = 20
"""Up to so many events that were taken, the first of them is the news, for as long as `NEWS`."""
NEWS: Final = timedelta(hours=1)
QUIET: Final = timedelta(days=1)
"""Without an event for so long, nothing is coming in."""
MASKED: Final = "•••"

_STATES: Final[Mapping[view.StateKind, Chip]] = {
    "waiting": Chip("nodata", "Waiting for its first event"),
    "refused": Chip("under", "Nothing taken yet"),
    "on": Chip("on", "Connected"),
    "revoked": Chip("nodata", "Revoked"),
}
_SHOW: Final[Mapping[Outcome | None, str]] = {
    None: "All",
    Outcome.STORED: "Stored",
    Outcome.DUPLICATE: "Duplicates",
    Outcome.CONFLICT: "Conflicts",
    Outcome.REJECTED: "Rejected",
}


@dataclass(frozen=True, slots=True)
class Clock:
    """What a page says times by: now, and the supplier's zone."""

    now: datetime
    timezone: str

    @property
    def today(self) -> date:
        return local_day(self.now, self.timezone)

    def moment(self, at: datetime) -> view.Moment:
        return view.Moment(machine_time(at), ago_text(at, self.now))

    def day(self, at: datetime) -> str:
        return short_day(local_day(at, self.timezone), self.today)


def key_path(key_id: UUID, **query: str | None) -> str:
    asked = urlencode({name: value for name, value in query.items() if value})
    return f"{PATH}/{key_id}{f'?{asked}' if asked else ''}"


def kind_of(key: IngestKey) -> view.StateKind:
    if key.revoked_at is not None:
        return "revoked"
    if key.taken_at is not None:
        return "on"
    return "waiting" if key.last_at is None else "refused"


def keys_view(
    keys: Sequence[IngestKey], clock: Clock, *, may_create: bool, name: str = "", error: str = ""
) -> view.Keys:
    return view.Keys(
        headline=headline(keys),
        rows=tuple(_key_row(key, clock) for key in keys if key.revoked_at is None),
        revoked=tuple(_key_row(key, clock) for key in keys if key.revoked_at is not None),
        command=COMMAND,
        try_href=TRY_PATH,
        create_action=KEYS_PATH if may_create else "",
        name=name,
        error=error,
    )


def headline(keys: Sequence[IngestKey]) -> str:
    """How many are connected, and how many still wait; revoked keys are none."""
    kinds = [kind_of(key) for key in keys]
    on, waiting = kinds.count("on"), kinds.count("waiting") + kinds.count("refused")
    wait = "waits for its first event" if waiting == 1 else "wait for their first event"
    if not on and not waiting:
        return "No product is connected yet."
    if not on:
        return f"{count_text(waiting)} key{'' if waiting == 1 else 's'} {wait}.".capitalize()
    connected = f"{count_text(on)} {'key is' if on == 1 else 'keys are'} connected".capitalize()
    return f"{connected}; {count_text(waiting)} {wait}." if waiting else f"{connected}."


def _key_row(key: IngestKey, clock: Clock) -> view.KeyRow:
    return view.KeyRow(
        name=key.name,
        href=key_path(key.key_id),
        chip=_STATES[kind_of(key)],
        limits=_limits(key),
        made=f"made {clock.day(key.created_at)}",
        moment=None if key.last_at is None else clock.moment(key.last_at),
    )


def _limits(key: IngestKey) -> str:
    """What it may write: any account, any source; or which."""
    accounts = "any account" if key.accounts is None else _listed(key.accounts, "account")
    sources = "any source" if key.sources is None else _listed(key.sources, "source")
    return f"{accounts}, {sources}" + ("" if key.provider == "supplier" else f", for {key.provider}")


def _listed(names: Sequence[str], noun: str) -> str:
    if len(names) > 3:
        return f"{len(names):,} {noun}s"
    return f"{noun}{'' if len(names) == 1 else 's'} {', '.join(names)}" if names else f"no {noun}"


def state_view(key: IngestKey, counts: Mapping[Outcome, int], clock: Clock) -> view.State:
    kind = kind_of(key)
    taken = sum(counts.values()) - counts[Outcome.REJECTED]
    age = timedelta() if key.taken_at is None else clock.now - key.taken_at
    match kind:
        case "revoked":
            title, said = (
                "This key is revoked",
                "Nothing is taken with it any more; make another key and send with that.",
            )
        case "waiting":
            title = "Waiting for your first event"
            said = "Run the snippet below. This page turns green the moment an event of yours is stored."
        case "refused":
            title = "Waiting for an event that can be taken"
            said = "What came so far was rejected. The newest below says why, and what to change."
        case _ if age >= QUIET:
            title, said = "Connected, and quiet of late", "The newest events are shown below."
        case _ if taken <= FIRST and age < NEWS:
            title, said = "Your first event is here", "It is stored, and what follows is shown below as it comes in."
        case _:
            title, said = "Events are coming in", "The newest are shown below as they come in."
    at = key.last_at if kind == "refused" else key.taken_at
    return view.State(kind, title, said, None if at is None else clock.moment(at))


def about(key: IngestKey, clock: Clock) -> tuple[Fact, ...]:
    made = Fact("Made", clock.day(key.created_at))
    limits = Fact("May write for", _limits(key))
    if key.revoked_at is None:
        return made, limits
    return made, Fact("Revoked", clock.day(key.revoked_at)), limits


def filters(
    key: IngestKey, counts: Mapping[Outcome, int], chosen: Outcome | None, client: str | None
) -> tuple[Filter, ...]:
    return tuple(
        Filter(
            text,
            key_path(key.key_id, show=outcome, client=client),
            sum(counts.values()) if outcome is None else counts[outcome],
            current=outcome is chosen,
        )
        for outcome, text in _SHOW.items()
    )


def empty_text(key: IngestKey, chosen: Outcome | None) -> str:
    if chosen is not None and key.last_at is not None:
        return "None of the events that are remembered."
    return "Nothing has come in with this key." if key.revoked_at else "Nothing has come in yet."


def revoke_act(key: IngestKey) -> Act:
    return Act(f"Revoke {key.name}", f"{key_path(key.key_id)}/revoke")
