"""cloudevents for Python, which only writes requests: sending them, and again, is up to its caller."""

from collections.abc import Callable, Mapping

import httpx
import pytest
from cloudevents.conversion import to_binary, to_structured
from cloudevents.http import CloudEvent

from tests.clients.conftest import Product
from tests.clients.faults import Fault, Proxies

Write = Callable[[CloudEvent], tuple[Mapping[str, str], bytes]]
MODES: dict[str, Write] = {"structured": to_structured, "binary": to_binary}


def event_of(account: str) -> CloudEvent:
    attributes = {"type": "job.done", "source": "/ce", "account": account, "subject": "kim"}
    return CloudEvent(attributes, {"minutes": 12.5})


def posted(product: Product, url: str, event: CloudEvent, mode: str) -> int:
    """The status, 0 where the connection was dropped."""
    headers, body = MODES[mode](event)
    sent = {**headers, "authorization": f"Bearer {product.key}"}
    try:
        return httpx.post(f"{url}/api/v1/events", headers=sent, content=body).status_code
    except httpx.TransportError:
        return 0


@pytest.mark.parametrize("mode", MODES)
def test_either_mode_is_taken_and_what_its_caller_retries_is_stored_once(
    product: Product, proxies: Proxies, mode: str
) -> None:
    account = f"ce-{mode}"
    events = [event_of(account) for _ in Fault]
    for event, fault in zip(events, Fault, strict=True):
        proxy = proxies.start(fault)
        assert posted(product, proxy.url, event, mode) != 204
        assert posted(product, proxy.url, event, mode) == 204
        assert proxy.reached == (2 if fault is Fault.DROPPED_AFTER else 1)
    assert product.stored(account) == sorted(event["id"] for event in events)
    assert product.conflicts(account) == 0


def test_both_modes_write_the_same_event(product: Product) -> None:
    event = event_of("ce-both")
    assert [posted(product, product.url, event, mode) for mode in MODES] == [204, 204]
    assert product.stored("ce-both") == [event["id"]]
    assert product.conflicts("ce-both") == 0
