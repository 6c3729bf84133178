"""posthog, whose back-off cannot be set: 1 s, then 2 s."""

from typing import Any
from uuid import uuid4

from posthog import Posthog

from tests.clients.conftest import Product
from tests.clients.faults import Fault, Proxies, Proxy
from tests.clients.retries import check_neither_lost_nor_doubled


class Sender:
    """A client that remembers what it was given, and what it gave up."""

    def __init__(self, product: Product, proxy: Proxy, account: str, **options: Any) -> None:
        self.proxy = proxy
        self.account = account
        self.failed: list[str] = []
        self.client = Posthog(
            product.key, host=f"{proxy.url}/ingest/posthog", on_error=self._failed, flush_interval=0.05, **options
        )
        self.given = sorted(self._capture(number) for number in range(5))

    def _capture(self, number: int) -> str:
        properties = {"minutes": number + 0.5}
        uuid = self.client.capture(
            "Job Done", distinct_id="kim", properties=properties, groups={"company": self.account}
        )
        return str(uuid)

    def finish(self) -> None:
        self.client.flush(timeout_seconds=60)
        self.client.shutdown()

    def _failed(self, _error: Exception, batch: list[dict[str, Any]]) -> None:
        self.failed += [str(event["uuid"]) for event in batch]


def test_what_it_retries_is_neither_lost_nor_doubled(product: Product, proxies: Proxies) -> None:
    plans = [*((fault,) for fault in Fault), (Fault.DROPPED_AFTER, Fault.UNAVAILABLE)]

    def make(proxy: Proxy, number: int) -> Sender:
        return Sender(product, proxy, f"py-posthog-{number}", gzip=bool(number % 2))

    check_neither_lost_nor_doubled(product, proxies, plans, make)


def test_what_it_gave_up_may_come_again(product: Product, proxies: Proxies) -> None:
    sender = Sender(product, proxies.start(Fault.DROPPED_AFTER), "py-posthog-gives-up", max_retries=0)
    sender.finish()
    assert sorted(sender.failed) == sender.given == product.stored(sender.account)


def test_groups_and_persons_that_it_sets_are_known(product: Product) -> None:
    client = Posthog(product.key, host=f"{product.url}/ingest/posthog", flush_interval=0.05)
    groups, uuid = {"company": "py-posthog-calls"}, str(uuid4())
    client.group_identify("company", "py-posthog-calls", {"name": "Calls Inc.", "seats": 5}, uuid=uuid)
    properties = {"$set": {"email": "pat@calls.example", "name": "Pat"}}
    client.capture("$identify", distinct_id="pat", properties=properties, groups=groups)
    client.shutdown()
    assert uuid in product.stored("py-posthog-calls")
    query = "SELECT name || ' ' || (attributes->>'seats') FROM account WHERE key = 'py-posthog-calls'"
    assert product.column(query) == ["Calls Inc. 5"]
    assert product.column("SELECT name FROM person WHERE email = 'pat@calls.example'") == ["Pat"]
