"""@segment/analytics-node, whose back-off begins at 1 to 2 s and cannot be set, and cloudevents for Node."""

import json

from tests.clients.conftest import HERE, Product, Run
from tests.clients.faults import Fault, Proxies


def test_what_segment_for_node_retries_is_neither_lost_nor_doubled(
    product: Product, proxies: Proxies, node: Run
) -> None:
    accounts = {f"node-segment-{number}": proxies.start(fault) for number, fault in enumerate(Fault)}
    places = [part for account, proxy in accounts.items() for part in (proxy.url, account)]
    outcomes = json.loads(node("segment.mjs", product.key, *places))
    for outcome, proxy in zip(outcomes, accounts.values(), strict=True):
        assert not outcome["failed"]
        assert len(proxy.statuses) == 2, "nothing was retried"
        assert len(outcome["given"]) == 5
        assert product.stored(outcome["account"]) == outcome["given"]
        assert product.conflicts(outcome["account"]) == 0


def test_cloudevents_for_node_writes_both_modes_in_chunks_without_a_length(product: Product, node: Run) -> None:
    ids = json.loads(node("cloudevents.mjs", f"{product.url}/api/v1/events", product.key, "node-ce"))
    assert product.stored("node-ce") == ids
    assert len(ids) == 2
    assert product.conflicts("node-ce") == 0


def test_the_lock_file_names_no_place_to_load_from() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    wanted = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    assert {name: lock["packages"][f"node_modules/{name}"]["version"] for name in wanted} == wanted
