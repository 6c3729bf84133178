"""openmeter, which takes nothing but 204 for success."""

from datetime import UTC, datetime
from typing import Any

import pytest
from corehttp.exceptions import BaseError
from openmeter import Client
from openmeter.models import Event

from tests.clients.conftest import Product
from tests.clients.faults import Fault, Proxies, Proxy

GIVEN_UP = {Fault.DROPPED_BEFORE, Fault.DROPPED_AFTER, Fault.LIMITED_FOR_WHO_KNOWS}
WAYS = ("ingest_event", "ingest_events", "ingest_events_json")


def client_of(product: Product, url: str) -> Client:
    return Client(endpoint=url, token=product.key, retry_backoff_factor=0.05)


def events_of(account: str) -> list[Event]:
    data = {"minutes": 12.5}
    time = datetime(2026, 5, 4, 10, tzinfo=UTC)
    fixed: Any = {"source": "openmeter", "specversion": "1.0", "type": "job.done", "subject": account}
    return [Event(id=f"{account} {number}", time=time, data=data, **fixed) for number in range(3)]


def send(client: Client, way: str, events: list[Event]) -> None:
    method = getattr(client.events, way)
    if way == "ingest_event":
        for event in events:
            method(event)
    else:
        method(events)


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_ingest_is_answered_with_success(product: Product, way: str) -> None:
    account, answers = f"om-{way}", []
    with Client(endpoint=product.url, token=product.key) as client:
        for _ in range(2):  # the second time they are known already
            method, events = getattr(client.events, way), events_of(account)
            body: Any = events[0] if way == "ingest_event" else events
            method(
                body,
                cls=lambda response, *_: answers.append(
                    (response.http_response.status_code, response.http_response.content)
                ),
            )
    assert answers == [(204, b"")] * 2
    assert product.stored(account) == [event.id for event in (events[:1] if way == "ingest_event" else events)]


def test_a_single_event_given_as_a_batch_is_taken(product: Product) -> None:
    event: Any = events_of("om-single-batch")[0]
    with Client(endpoint=product.url, token=product.key) as client:
        client.events.ingest_events(event)
        client.events.ingest_events_json(event)
    assert product.stored("om-single-batch") == [event.id]


@pytest.fixture
def plans(proxies: Proxies) -> list[tuple[Fault, Proxy]]:
    return [(fault, proxies.start(fault)) for fault in Fault]


def test_what_it_or_its_caller_retries_is_neither_lost_nor_doubled(
    product: Product, plans: list[tuple[Fault, Proxy]]
) -> None:
    for number, (fault, proxy) in enumerate(plans):
        account = f"om-fault-{number}"
        with client_of(product, proxy.url) as client:
            try:
                send(client, "ingest_events", events_of(account))
            except BaseError:
                assert fault in GIVEN_UP, "it gives up only where it is not told when to come back"
                send(client, "ingest_events", events_of(account))
        assert proxy.statuses[-1] == 204
        assert len(proxy.statuses) == 2
        assert product.stored(account) == [event.id for event in events_of(account)], fault
        assert product.conflicts(account) == 0
