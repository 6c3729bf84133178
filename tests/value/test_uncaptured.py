from collections.abc import Sequence
from dataclasses import replace

from tests.value.worths import standing, the_model
from valueplatform.value.feeds import Paths
from valueplatform.value.uncaptured import ABSENT, NOT_SENT, Clients, Gap, Unmetered, gaps, is_connected
from valueplatform.value.worth import Standing

PATHS = Paths(the_model())
WHOLE = [("job.done", path) for path in ("minutes", "channel", "team")]


def found(*accounts: Standing, clients: Clients | None = None, left: Sequence[Unmetered] = ()) -> list[Gap]:
    return list(gaps(PATHS, accounts, clients or Clients(), left))


def test_each_type_that_an_account_might_send_and_does_not_is_a_gap() -> None:
    types = {one.type for one in found(standing(1, ["job.done"], {}, paths=WHOLE))}
    assert types == {"tracking.opened", "incident.reported", "safety.checked", "login", "list.done"}


def test_who_sends_nothing_at_all_lacks_no_single_type() -> None:
    assert found(Standing(1, None, "USD", sends=False)) == []


def test_a_property_that_never_came_is_a_gap_also_where_it_only_cuts() -> None:
    gap = [one for one in found(standing(1, ["job.done"], {}, paths=WHOLE[:2])) if one.path]
    assert [(one.type, one.path, one.code, one.events) for one in gap] == [("job.done", "team", ABSENT, 0)]


def test_events_that_could_not_be_metered_say_why_and_how_many() -> None:
    left = [Unmetered(1, "minutes", "not_a_number", 7), Unmetered(1, "gone", "not_a_number", 9)]
    gap = [one for one in found(standing(1, ["job.done"], {}, paths=WHOLE), left=left) if one.path]
    assert [(one.type, one.path, one.code, one.events) for one in gap] == [("job.done", "minutes", "not_a_number", 7)]


def test_a_property_that_is_missing_is_told_once_with_its_events() -> None:
    left = [Unmetered(1, "minutes", "missing_property", 7)]
    gap = [one for one in found(standing(1, ["job.done"], {}, paths=WHOLE[1:]), left=left) if one.path]
    assert [(one.code, one.events) for one in gap] == [("missing_property", 7)]


def test_two_types_are_of_one_client_where_most_accounts_send_them_so() -> None:
    seen = [(n, "a", f"/client-{n}") for n in range(3)] + [(n, "b", f"/client-{n}") for n in range(3)]
    clients = Clients.of([*seen, (0, "c", "/elsewhere"), (1, "c", "/client-1")])
    assert clients.together["a"] == {"b"}  # c: in one of two accounts, not in most
    assert clients.source_of["c"] in {"/elsewhere", "/client-1"}


def test_an_account_is_connected_where_another_type_of_the_same_client_comes() -> None:
    clients = Clients({"login": "/app"}, {"login": frozenset({"job.done"})})
    assert is_connected(PATHS, clients, "login", standing(1, ["job.done"], {}))
    assert not is_connected(PATHS, clients, "login", standing(1, ["list.done"], {}))


def test_an_account_is_connected_by_the_source_itself_where_accounts_share_it() -> None:
    """Another type of the same client may come from elsewhere here."""
    clients = Clients({"login": "/partner"}, {"login": frozenset({"job.done"})}, frozenset({"login"}))
    here, elsewhere = (replace(standing(1, ["job.done"], {}), sources=frozenset({one})) for one in ("/partner", "/app"))
    assert is_connected(PATHS, clients, "login", here)
    assert not is_connected(PATHS, clients, "login", elsewhere)


def test_a_source_is_shared_where_half_of_the_accounts_have_it() -> None:
    shared = [(n, "a", "/app") for n in range(3)]
    own = [(n, "b", f"/client-{n}") for n in range(3)]
    assert Clients.of([*shared, *own, (0, "c", "/once")]).common == {"a"}


def test_a_type_that_nobody_sends_goes_by_its_product_or_by_anything_that_is_sent() -> None:
    sends = standing(1, ["login"], {})
    assert not is_connected(PATHS, Clients(), "tracking.opened", sends)  # nothing of its product comes
    assert is_connected(PATHS, Clients(), "incident.reported", sends)


def test_what_a_partner_would_send_needs_the_partners_own_client() -> None:
    more = """
[[meter]]
slug = "arrivals"
event = "arrival.recorded"
aggregation = "COUNT"

[[driver]]
slug = "on_time"
unit = "arrival"
formula = "arrivals"
provider = "waypoint"
"""
    assert not is_connected(Paths(the_model(more)), Clients(), "arrival.recorded", standing(1, ["login"], {}))


def test_gaps_are_in_one_order_and_each_is_there_once() -> None:
    accounts = [standing(n, ["job.done"], {}) for n in (3, 1, 2)]
    places = [(one.account_id, one.type, one.path, one.code) for one in found(*accounts)]
    assert places == sorted(set(places))
    assert NOT_SENT in {place[3] for place in places}
