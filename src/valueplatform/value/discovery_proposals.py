"""From what is known of events and of the record to proposals in their order. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from valueplatform.telemetry.meters import Aggregation, Meter
from valueplatform.value.agreed_values import Agreed
from valueplatform.value.discovery import Evidence, Parts, Proposal, Proposed, Relation, Worth, ranked
from valueplatform.value.discovery_drivers import Like, driver_for
from valueplatform.value.discovery_evidence import coverage, stability
from valueplatform.value.discovery_meters import Found, Kind, meters_for, singular, words_of
from valueplatform.value.discovery_values import Measured, Ratio, agreed_proposals, measured_baseline
from valueplatform.value.feeds import Paths
from valueplatform.value.formula import Formula
from valueplatform.value.model import ValueModel
from valueplatform.value.model_check import errors_in
from valueplatform.value.worth import Reach
from valueplatform.value.worth_store import PotentialTotal

MOST_KEPT: Final = 200


class Sent(msgspec.Struct):
    """What accounts sent, gathered batch by batch: events of each week by type, days by type and account in the last 13
    weeks, events in them, and who sent anything."""

    weekly: dict[str, list[int]]
    days: dict[str, list[int]]
    events: dict[str, int]
    senders: set[int]


class Ground(msgspec.Struct, frozen=True):
    """All that proposals are made from."""

    model: ValueModel
    kinds: Sequence[Kind]
    sent: Sent
    relations: Mapping[str, tuple[Relation, ...]]
    likes: Mapping[str, Like]
    potential: Sequence[PotentialTotal]
    agreed: Sequence[Agreed]
    measured: Sequence[tuple[Ratio, Sequence[Measured]]]


def propose(ground: Ground) -> list[Proposal]:
    """All that can be proposed, in their order; each would pass the model check."""
    found = [*_of_events(ground), *agreed_proposals(ground.model, ground.agreed)]
    for ratio, measured in ground.measured:
        proposal = measured_baseline(ground.model, ratio, measured)
        if proposal is not None:
            found.append(proposal)
    return ranked(list({one.id: one for one in reversed(found)}.values()), ground.model.supplier.currency)[:MOST_KEPT]


def _of_events(ground: Ground) -> Iterator[Proposal]:
    model, paths = ground.model, Paths(ground.model)
    taken = {one.slug for one in model.meters} | {one.slug for one in (*model.baselines, *model.assumptions)}
    read = {name for driver in model.drivers for name in Formula.parse(driver.formula).names}
    for kind in ground.kinds:
        evidence = _evidence(ground, kind.type)
        found = [one for one in meters_for(kind, model, taken) if not _breaks(model, one.meter)]
        taken |= {one.meter.slug for one in found}
        for one in found:
            parts = Parts(meters=(one.meter,))
            yield Proposal(Proposed.METER, one.meter.slug, kind.type, one.path, one.why, parts, evidence)
        main = _main(found, kind.type) if kind.type not in paths.mapped else None
        if main is not None and (proposal := _driver(ground, main.meter, kind.type, main.path, evidence)):
            yield proposal
        for meter in model.meters:
            if meter.slug not in read and meter.event_types[0] == kind.type:
                proposal = _driver(ground, meter, kind.type, meter.property or "", evidence)
                if proposal is not None:
                    yield proposal


def _breaks(model: ValueModel, meter: Meter) -> bool:
    """Whether the model check would refuse the meter by itself."""
    return bool(errors_in(msgspec.structs.replace(model, meters=(*model.meters, meter))))


def _main(found: Sequence[Found], kind: str) -> Found | None:
    """What stands for the type in a driver: a number named as the type is, such as `routes` of route.planned, else any
    time, else the count."""
    named = [singular(word) for word in words_of(kind)]

    def order(one: Found) -> tuple[int, str]:
        said = [singular(word) for word in words_of(one.path)]
        same = any(_is_of(word, name) for word in said for name in named)
        timed = one.meter.unit in {"minute", "hour", "second"}
        return (0 if timed else 1 if same else 2 if not one.path else 3), one.path

    added = [one for one in found if one.meter.aggregation in {Aggregation.SUM, Aggregation.COUNT}]
    return min(added, key=order, default=None)


def _is_of(word: str, name: str) -> bool:
    """A check is of what was checked."""
    return (len(word) > len("job") and name.startswith(word)) or word == name


def _driver(ground: Ground, meter: Meter, kind: str, path: str, evidence: Evidence) -> Proposal | None:
    made = driver_for(meter, ground.model, ground.likes.get(kind))
    if made is None:
        return None
    meters = () if ground.model.meter(meter.slug) else (meter,)
    parts = Parts(meters=meters, drivers=(made.driver,))
    told = msgspec.structs.replace(evidence, likeness=made.likeness or evidence.likeness)
    return Proposal(Proposed.DRIVER, made.driver.slug, kind, path, made.why, parts, told, made.needs)


def _evidence(ground: Ground, kind: str) -> Evidence:
    sent = ground.sent
    weekly = sent.weekly.get(kind, [])
    begun = next((at for at, events in enumerate(weekly) if events), len(weekly))
    return Evidence(
        coverage=coverage(sent.days.get(kind, ()), sent.events.get(kind, 0), len(sent.senders)),
        stability=stability(weekly[begun:]),
        relations=ground.relations.get(kind, ()),
        worth=_worth(ground, kind),
    )


def _worth(ground: Ground, kind: str) -> Worth | None:
    """The largest that the catalog estimates of the type, of what would come on top; the supplier's currency first."""
    currency = ground.model.supplier.currency
    own = [one for one in ground.potential if one.type == kind and not one.path and one.reach is Reach.MORE]
    best = max(own, key=lambda one: (one.unit == currency, one.expected, one.driver), default=None)
    if best is None:
        return None
    return Worth(best.driver, best.unit, best.accounts, best.low, best.expected, best.high)
