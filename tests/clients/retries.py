"""What every client that retries is held to."""

from collections.abc import Callable, Sequence
from typing import Protocol

from tests.clients.conftest import Product
from tests.clients.faults import Fault, Proxies, Proxy


class Sender(Protocol):
    """A client that remembers the ids that it was given, and those that it gave up."""

    proxy: Proxy
    account: str
    given: list[str]
    failed: list[str]

    def finish(self) -> None: ...


def check_neither_lost_nor_doubled(
    product: Product, proxies: Proxies, plans: Sequence[tuple[Fault, ...]], make: Callable[[Proxy, int], Sender]
) -> None:
    """A sender a plan of faults, all at once; `make` is given the number of the plan."""
    senders = [make(proxies.start(*plan), number) for number, plan in enumerate(plans)]
    for sender, plan in zip(senders, plans, strict=True):
        sender.finish()
        assert not sender.failed, plan
        assert len(sender.proxy.statuses) > len(plan), "nothing was retried"
        assert sender.proxy.statuses[-1] == 200
        assert product.stored(sender.account) == sender.given, plan
        assert product.conflicts(sender.account) == 0
