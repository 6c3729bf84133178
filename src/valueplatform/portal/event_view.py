"""What became, or would become, of one event: its verdict, account and day, what meters read. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec

from valueplatform.core.numbers import decimal_text
from valueplatform.portal.connect_view import MASKED, TRY_PATH, Clock, key_path
from valueplatform.portal.exact import count_text, day_text, moment_text
from valueplatform.portal.view import connect as view
from valueplatform.portal.view.words import Act, Chip, Fact
from valueplatform.telemetry.dialects import Spoken
from valueplatform.telemetry.preview import Measured, Preview
from valueplatform.telemetry.recent_reads import LONGEST_SHOWN, IngestKey, RecentEvent
from valueplatform.telemetry.requests import Outcome

CHIPS: Final[Mapping[Outcome, Chip]] = {
    Outcome.STORED: Chip("on", "Stored"),
    Outcome.DUPLICATE: Chip("again", "Duplicate"),
    Outcome.CONFLICT: Chip("under-review", "Conflict"),
    Outcome.REJECTED: Chip("under", "Rejected"),
}
_SAID: Final[Mapping[Outcome, str]] = {
    Outcome.STORED: "",
    Outcome.DUPLICATE: "The same event was stored before. It counts once.",
    Outcome.CONFLICT: "Another body is stored under this source and id. The first received holds; this one is kept "
    "beside it and counts nowhere.",
    Outcome.REJECTED: "",
}
_WHY: Final[Mapping[str, str]] = {
    "missing_property": "the property is not there",
    "not_a_number": "the property is no number",
    "not_a_scalar": "the property is an object or a list",
    "inexact_number": "the number is not exact",
    "number_out_of_range": "the number has more digits than are kept",
}
ORIGINS: Final[Mapping[str, str]] = {
    "http": "CloudEvents",
    "segment": "Segment",
    "posthog": "PostHog",
    "otlp": "OpenTelemetry",
}
_UNREAD: Final = "No meter reads events of this type; the value model says what meters read."
_PASSED_OVER: Final = "The meters of this type pass it over: their filters do not let it through."
_GONE: Final = "The event itself is no longer at hand: it was retracted, or has gone to the archive."
_SPOKEN: Final[Mapping[str, Spoken]] = {
    "http": Spoken.CLOUDEVENTS,
    "segment": Spoken.SEGMENT,
    "posthog": Spoken.POSTHOG,
}


@dataclass(frozen=True, slots=True)
class Eyes:
    """What the reader may see of single events, and do with them (value rule 18)."""

    subjects: bool
    rejected: bool
    replays: bool


@dataclass(frozen=True, slots=True)
class Model:
    """Of the value model in force: the drivers by meter, and the types that meters read."""

    drivers: Mapping[str, Sequence[str]]
    types: frozenset[str]


def recent_row(
    event: RecentEvent, key: IngestKey, readings: Sequence[Measured], model: Model, eyes: Eyes, clock: Clock
) -> view.EventRow:
    said = event.message or _SAID[event.outcome]
    if event.replayed_at is not None:
        said = f"{said} It was replayed on {moment_text(event.replayed_at, clock.timezone)}, and taken."
    body = _body(event, eyes)
    return view.EventRow(
        anchor=f"event-{event.recent_id}",
        chip=CHIPS[event.outcome],
        title=event.type or event.code or "",
        account=event.account or "no account",
        feeds=_feeds("fed", readings) if event.at_hand else _fed(event.meters),
        said=said,
        facts=_recent_facts(event, eyes, clock),
        readings=tuple(_reading(one, model, eyes) for one in readings),
        readings_note=_note(event, readings, model),
        body=laid_out(body),
        body_label="What was stored" if event.data and body else "What was sent",
        acts=tuple(_acts(event, key, body, eyes)),
        moment=clock.moment(event.received_at),
    )


def preview_row(found: Preview, model: Model, clock: Clock) -> view.EventRow:
    """Of an event that the reader wrote: nothing of it need be masked."""
    facts = [
        Fact("Id", found.id or "none"),
        *([Fact("Account", found.account, "would be created" if found.new_account else "")] if found.account else []),
        *([Fact("Local day", day_text(found.day))] if found.day else []),
        *([Fact("Time", moment_text(found.time, clock.timezone))] if found.time else []),
        *([Fact("Subject", found.subject)] if found.subject else []),
        *([Fact("Provider", found.provider)] if found.provider else []),
        *([Fact("Code", found.code)] if found.code else []),
    ]
    eyes = Eyes(subjects=True, rejected=True, replays=False)
    note = ""
    if found.outcome is Outcome.STORED and not found.meters:
        note = _PASSED_OVER if found.type in model.types else _UNREAD
    meters = found.meters if found.outcome is Outcome.STORED else ()
    return view.EventRow(
        anchor=f"event-{found.index}",
        chip=CHIPS[found.outcome],
        title=found.type or found.code or "",
        account=found.account or "no account",
        feeds=_feeds("would feed", meters),
        said=found.message or _SAID[found.outcome],
        facts=tuple(facts),
        readings=tuple(_reading(one, model, eyes) for one in meters),
        readings_note=note,
    )


def preview_sentence(found: Sequence[Preview]) -> str:
    """What would become of them all: Of three events two would be stored and one rejected."""
    if not found:
        return "The body holds no event."
    verbs = {
        Outcome.STORED: "stored",
        Outcome.DUPLICATE: "a duplicate",
        Outcome.CONFLICT: "in conflict",
        Outcome.REJECTED: "rejected",
    }
    counts = {outcome: sum(one.outcome is outcome for one in found) for outcome in Outcome}
    if len(found) == 1:
        return f"This event would be {verbs[found[0].outcome]}."
    parts = [f"{count_text(count)} {verbs[outcome]}" for outcome, count in counts.items() if count]
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"Of {count_text(len(found))} events, there would be {listed}."


def _recent_facts(event: RecentEvent, eyes: Eyes, clock: Clock) -> tuple[Fact, ...]:
    given = (
        ("Id", event.id or "none"),
        ("Source", event.source),
        ("Account", event.account),
        ("Local day", None if event.day is None else day_text(event.day)),
        ("Time", None if event.time is None else moment_text(event.time, clock.timezone)),
        ("Received", moment_text(event.received_at, clock.timezone)),
        ("Subject", None if event.subject is None else event.subject if eyes.subjects else MASKED),
        ("Provider", event.provider),
        ("Came in as", ORIGINS.get(event.origin, event.origin)),
        ("Code", event.code),
    )
    return tuple(Fact(label, text) for label, text in given if text)


def _reading(one: Measured, model: Model, eyes: Eyes) -> view.ReadingLine:
    """Members and dimensions are texts that may name a person; numbers are not."""
    texts = {path: value if eyes.subjects or value is None else MASKED for path, value in one.dimensions.items()}
    return view.ReadingLine(
        meter=one.meter,
        value=_value(one.value, eyes),
        why=_WHY.get(one.unmetered or "", one.unmetered or ""),
        dimensions=", ".join(f"{path} {value}" for path, value in texts.items() if value is not None),
        feeds=", ".join(model.drivers.get(one.meter, ())) or "no driver yet",
        is_text=not isinstance(one.value, Decimal | int),
    )


def _feeds(verb: str, readings: Sequence[Measured]) -> str:
    """Which meters have something of it, and which read its type and find nothing."""
    fed = [one.meter for one in readings if one.unmetered is None]
    lost = [one.meter for one in readings if one.unmetered is not None]
    if not lost:
        return f"{verb} {', '.join(fed)}" if fed else ""
    finds = f"{', '.join(lost)} {'finds' if len(lost) == 1 else 'find'} nothing to read"
    return f"{finds}; {verb} {', '.join(fed)}" if fed else finds


def _fed(meters: Sequence[str]) -> str:
    return f"fed {', '.join(meters)}" if meters else ""


def _value(value: Decimal | int | str | None, eyes: Eyes) -> str:
    match value:
        case None:
            return ""
        case str():
            return value if eyes.subjects else MASKED
        case Decimal():
            return decimal_text(value)
        case _:
            return f"{value:,}"


def _note(event: RecentEvent, readings: Sequence[Measured], model: Model) -> str:
    if event.outcome is not Outcome.STORED or readings:
        return ""
    if not event.at_hand:
        return _GONE
    return _PASSED_OVER if event.type in model.types else _UNREAD


def _body(event: RecentEvent, eyes: Eyes) -> str:
    if not eyes.subjects or (event.outcome is Outcome.REJECTED and not eyes.rejected):
        return ""
    return (event.data or event.body or "")[:LONGEST_SHOWN]


def laid_out(body: str) -> str:
    """JSON with each member on its line, its numbers as they were written; anything else as it is."""
    try:
        return msgspec.json.format(body, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return body


def _acts(event: RecentEvent, key: IngestKey, body: str, eyes: Eyes) -> list[Act]:
    if event.rejected_id is None or event.replayed_at is not None:
        return []
    acts = []
    if eyes.replays:
        acts.append(Act("Replay this event", f"{key_path(key.key_id)}/replay/{event.rejected_id}"))
    spoken = spoken_in(event.origin, body)
    if body and len(body) < LONGEST_SHOWN and spoken is not None:
        fields = (("dialect", spoken.value), ("key", str(key.key_id)), ("body", body))
        acts.append(Act("Open it in the tester", TRY_PATH, fields))
    return acts


def spoken_in(origin: str, body: str) -> Spoken | None:
    """What a kept body is written in."""
    if body.startswith('{"resourceMetrics":'):
        return Spoken.OTLP_METRICS
    if body.startswith('{"resourceLogs":'):
        return Spoken.OTLP_LOGS
    return _SPOKEN.get(origin, Spoken.CLOUDEVENTS if origin == "otlp" else None)
