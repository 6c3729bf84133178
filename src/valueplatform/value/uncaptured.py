"""What each account could send and does not: types and properties that the model reads. Pure.

An account is *connected* for a type where something of it comes from the source that the type comes from elsewhere.
Where each account's source has a name of its own, a client is known by its types instead: two types come from one
client where most accounts that send both send them under one source. Where nobody sends the type, its client is not
known, and sending something of the same product, or anything at all where the type shows no product, stands for it.
What a partner would send needs the partner's own types.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from valueplatform.telemetry.meters import MISSING_PROPERTY
from valueplatform.value.feeds import Paths, read_paths
from valueplatform.value.model import BY_EVENT, SUPPLIER
from valueplatform.value.worth import Standing

NOT_SENT: Final = "not-sent"
ABSENT: Final = "absent"
"""The property never came with the type; other codes are those of events that could not be metered."""


class Gap(msgspec.Struct, frozen=True):
    """`path` '' = the type itself. `events` are those that could not be metered for it; 0 where none was looked at."""

    account_id: int
    type: str
    path: str
    code: str
    connected: bool
    events: int


class Unmetered(msgspec.Struct, frozen=True):
    """Events of a meter that added nothing to it in the months, and why."""

    account_id: int
    meter: str
    code: str
    events: int


@dataclass(frozen=True, slots=True)
class Clients:
    """`source_of` is where each type comes from in the most accounts, `common` those of them that hold in half of the
    accounts or more, `together` the types of the same client."""

    source_of: Mapping[str, str] = field(default_factory=dict)
    together: Mapping[str, frozenset[str]] = field(default_factory=dict)
    common: frozenset[str] = frozenset()

    @classmethod
    def of(cls, seen: Iterable[tuple[int, str, str]]) -> "Clients":
        """From the source (last) of each type (second) in some accounts."""
        sources: defaultdict[str, dict[int, str]] = defaultdict(dict)
        for account_id, kind, source in seen:
            sources[kind][account_id] = source
        together = {
            kind: frozenset(other for other, theirs in sources.items() if other != kind and _shared(own, theirs))
            for kind, own in sources.items()
        }
        usual = {kind: _most_usual(list(own.values())) for kind, own in sources.items()}
        common = (kind for kind, own in sources.items() if 2 * list(own.values()).count(usual[kind]) >= len(own) > 1)
        return cls(usual, together, frozenset(common))


def _shared(own: Mapping[int, str], theirs: Mapping[int, str]) -> bool:
    both = own.keys() & theirs.keys()
    return bool(both) and 2 * sum(own[one] == theirs[one] for one in both) > len(both)


def _most_usual(sources: Sequence[str]) -> str:
    return max(sorted(set(sources)), key=sources.count)


def gaps(paths: Paths, accounts: Sequence[Standing], clients: Clients, unmetered: Iterable[Unmetered]) -> Sequence[Gap]:
    """Ordered by account, type, path and code; one of each."""
    found: dict[tuple[int, str, str, str], Gap] = {}
    by_id = {one.account_id: one for one in accounts}
    for one in (*_unmetered(paths, by_id, unmetered), *_not_sent(paths, accounts, clients), *_absent(paths, accounts)):
        found.setdefault((one.account_id, one.type, one.path, one.code), one)
    counted = {place[:3] for place in found if place[3] == MISSING_PROPERTY.code}
    return [gap for place, gap in sorted(found.items()) if place[3] != ABSENT or place[:3] not in counted]


def _not_sent(paths: Paths, accounts: Sequence[Standing], clients: Clients) -> Iterable[Gap]:
    for kind in sorted(paths.known):
        for one in accounts:
            if kind not in one.types and paths.is_eligible(kind, one):
                yield Gap(one.account_id, kind, "", NOT_SENT, is_connected(paths, clients, kind, one), 0)


def is_connected(paths: Paths, clients: Clients, kind: str, account: Standing) -> bool:
    if kind in clients.common and account.sources:
        return clients.source_of[kind] in account.sources
    if kind in clients.source_of:
        return bool(clients.together[kind] & account.types)
    siblings = frozenset(other for one in paths.features_of(kind) for other in paths.siblings(one, kind))
    if siblings:
        return bool(siblings & account.types)
    return account.sends and not _of_partner(paths, kind)


def _of_partner(paths: Paths, kind: str) -> bool:
    providers = {paths.drivers[slug].provider for slug in paths.fed.get((kind, ""), ())}
    return bool(providers) and not providers & {SUPPLIER, BY_EVENT}


def _absent(paths: Paths, accounts: Sequence[Standing]) -> Iterable[Gap]:
    for meter in paths.meters:
        for path in dict.fromkeys((*read_paths(meter), *meter.dimensions)):
            for kind in meter.event_types:
                for one in accounts:
                    if kind in one.types and (kind, path) not in one.paths:
                        yield Gap(one.account_id, kind, path, ABSENT, connected=True, events=0)


def _unmetered(paths: Paths, accounts: Mapping[int, Standing], unmetered: Iterable[Unmetered]) -> Iterable[Gap]:
    """Of a meter of several types, the type that lacks the property; else the first that the account sends."""
    meters = {meter.slug: meter for meter in paths.meters}
    for one in unmetered:
        meter, account = meters.get(one.meter), accounts.get(one.account_id)
        if meter is None or meter.property is None or account is None:
            continue
        sent = [kind for kind in meter.event_types if kind in account.types]
        lacking = [kind for kind in sent if (kind, meter.property) not in account.paths]
        if sent:
            kind = (lacking or sent)[0]
            yield Gap(one.account_id, kind, meter.property, one.code, connected=True, events=one.events)
