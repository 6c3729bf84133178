"""segment-analytics-python, whose back-off cannot be set: it begins at once, then 0.5 s and 1 s."""

from typing import Any

from segment.analytics.client import Client

from tests.clients.conftest import Product
from tests.clients.faults import Fault, Proxies, Proxy
from tests.clients.retries import check_neither_lost_nor_doubled

EVERYTHING = tuple(Fault)


class Sender:
    """A client that remembers what it was given, and what it gave up."""

    def __init__(self, product: Product, proxy: Proxy, account: str, **options: Any) -> None:
        self.proxy = proxy
        self.account = account
        self.failed: list[str] = []
        self.client = Client(
            product.key, host=f"{proxy.url}/ingest/segment", on_error=self._failed, upload_interval=0.05, **options
        )
        self.given = sorted(self._track(number) for number in range(5))

    def _track(self, number: int) -> str:
        context = {"groupId": self.account}
        taken, message = self.client.track("kim", "Job Done", {"minutes": number + 0.5}, context=context)
        assert taken
        return str(message["messageId"])

    def _failed(self, _error: Exception, batch: list[dict[str, Any]]) -> None:
        self.failed += [message["messageId"] for message in batch]

    def finish(self) -> None:
        self.client.flush()
        self.client.join()


def test_what_it_retries_is_neither_lost_nor_doubled(product: Product, proxies: Proxies) -> None:
    plans = [*((fault,) for fault in Fault), EVERYTHING]

    def make(proxy: Proxy, number: int) -> Sender:
        return Sender(product, proxy, f"py-segment-{number}", gzip=bool(number % 2))

    check_neither_lost_nor_doubled(product, proxies, plans, make)


def test_what_it_was_not_told_success_for_and_gave_up_it_may_send_again(product: Product, proxies: Proxies) -> None:
    sender = Sender(product, proxies.start(Fault.DROPPED_AFTER), "py-segment-gives-up", max_retries=0)
    sender.finish()
    assert sorted(sender.failed) == sender.given == product.stored(sender.account)
    again = Client(product.key, host=f"{product.url}/ingest/segment", sync_mode=True)
    for message_id in sender.given:
        again.track("kim", "Job Done", {"other": True}, context={"groupId": sender.account}, message_id=message_id)
    assert product.stored(sender.account) == sender.given


def test_a_user_stays_in_the_group_that_a_call_named(product: Product) -> None:
    client = Client(product.key, host=f"{product.url}/ingest/segment", upload_interval=0.05)
    calls = [
        client.track("lee", "Job Begun"),
        client.group("lee", "py-segment-first"),
        client.track("lee", "Job Done"),
        client.page("lee", "Docs", "Home"),
    ]
    client.flush()
    client.group("lee", "py-segment-second")
    moved = client.track("lee", "Job Done")
    named = client.track("lee", "Job Done", context={"groupId": "py-segment-first"})
    client.flush()
    client.join()
    assert product.stored("py-segment-first") == sorted(message["messageId"] for _, message in [*calls, named])
    assert moved[1]["messageId"] in product.stored("py-segment-second")


def test_who_is_in_no_group_is_kept_and_named(product: Product) -> None:
    Client(product.key, host=f"{product.url}/ingest/segment", sync_mode=True).track(
        "nobody", "Job Done", message_id="n"
    )
    assert product.column("SELECT code FROM rejected_event WHERE id = 'n'") == ["missing_account"]


def test_its_other_calls_are_taken_in_one_batch(product: Product) -> None:
    client = Client(product.key, host=f"{product.url}/ingest/segment", upload_interval=0.05)
    context = {"groupId": "py-segment-calls"}
    calls = [
        client.identify("kim", {"email": "kim@calls.example", "name": "Kim"}, context=context),
        client.group("kim", "py-segment-calls", {"name": "Calls Inc."}),
        client.page("kim", "Docs", "Home", context=context),
        client.screen("kim", "App", "Home", context=context),
        client.alias("anonymous", "kim", context=context),
        client.track("kim", "Job Done", context=context),
    ]
    client.flush()
    client.join()
    assert product.stored("py-segment-calls") == sorted(message["messageId"] for _, message in calls)
    assert product.column("SELECT name FROM account WHERE key = 'py-segment-calls'") == ["Calls Inc."]
    assert product.column("SELECT name FROM person WHERE email = 'kim@calls.example'") == ["Kim"]
