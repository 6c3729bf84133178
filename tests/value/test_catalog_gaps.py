"""What could be sent, and what it takes: rules that follow from what accounts send already."""

from collections.abc import Mapping, Sequence

import pytest

from tests.conftest import Databases
from tests.value.factories import NOW
from tests.value.worth_worlds import BEFORE, DAYS, Sent, install, jobs, opens, put_sent, work
from tests.value.worths import the_model
from valueplatform.core.authorization import accounts_or_all
from valueplatform.core.errors import NotFoundError
from valueplatform.telemetry.wanted import Size, Wish, set_wish
from valueplatform.value.catalog_gaps import CatalogGap, Kind, Rule, catalog_gaps, owned_types, require_capturable
from valueplatform.value.feeds import Paths
from valueplatform.value.model import ValueModel
from valueplatform.value.type_worth import read_worth

ROUTES = '\n[[feature]]\nslug = "routes"\nevent = "route.planned"\neligible_segments = ["big"]\n'


async def gaps(
    databases: Databases, model: ValueModel | None = None, accounts: Sequence[int] | None = None
) -> Mapping[tuple[str, str, str], CatalogGap]:
    async with databases.web.transaction(accounts_or_all(accounts)) as tx:
        book = await read_worth(tx, Paths(model), "USD") if model else None
        return {(one.kind.value, one.type, one.property): one for one in await catalog_gaps(tx, model, book)}


async def test_without_a_model_only_wishes_stand(databases: Databases) -> None:
    assert await gaps(databases) == {}
    async with databases.web.transaction(accounts_or_all(None)) as tx:
        await set_wish(tx, Wish("x.y", "n", "w", Size.LARGE, "pia", NOW))
        assert await owned_types(tx, None) == {"x.y"}
    (gap,) = (await gaps(databases)).values()
    assert (gap.kind, gap.effort.size, gap.effort.rule) == (Kind.WISH, Size.LARGE, Rule.STATED)


async def test_before_any_event_everything_is_a_new_source(databases: Databases) -> None:
    await install(databases, {})
    found = await gaps(databases, the_model())
    assert {one.kind for one in found.values()} == {Kind.TYPE}
    assert {one.effort.rule for one in found.values()} == {Rule.NEW_SOURCE}
    assert {one.accounts for one in found.values()} == {0}


async def test_the_rule_that_holds_for_most_accounts_decides_and_says_for_how_many(databases: Databases) -> None:
    logins: list[Sent] = [(day, "login", {}) for day in DAYS]
    none: dict[str, list[Sent]] = {f"lists-{n}": [] for n in range(3)}
    ids = await install(databases, {f"both-{n}": [*jobs(3), *logins] for n in range(2)} | none)
    for key in none:
        await put_sent(databases, ids[key], [(DAYS[-1], "list.done", {})], source="/lists")
    await work(databases, ids.values())
    found = await gaps(databases, the_model())
    login = found["type", "login", ""]
    assert (login.accounts, login.connected, login.effort.rule) == (3, 0, Rule.NEW_SOURCE)
    assert login.effort.says == "Connect a new source in 3 accounts."
    incident = found["type", "incident.reported", ""]
    assert (incident.accounts, incident.connected, incident.effort.rule) == (5, 5, Rule.NEW_TYPE)
    assert incident.effort.says == "Send a new event type from a client that is connected in 5 accounts."
    await put_sent(databases, ids["lists-0"], jobs(2))
    await put_sent(databases, ids["lists-1"], jobs(2))
    await work(databases, ids.values())
    login = (await gaps(databases, the_model()))["type", "login", ""]
    assert login.effort.says == (
        "Send a new event type from a client that is connected in 2 accounts; the other one needs a new source."
    )


async def test_what_comes_now_and_then_may_have_had_nothing_to_tell(databases: Databases) -> None:
    rare: list[Sent] = [(DAYS[0], "incident.reported", {})]
    await install(databases, {"a": [*jobs(3, [BEFORE]), *jobs(3), *rare], "b": jobs(3), "c": [*jobs(3), *opens(2)]})
    found = await gaps(databases, the_model())
    assert "now and then" in found["type", "incident.reported", ""].says
    assert "now and then" not in found["type", "tracking.opened", ""].says


async def test_accounts_whose_segment_may_not_have_a_feature_do_not_lack_it(databases: Databases) -> None:
    model = the_model(ROUTES)
    await install(databases, {"a": jobs(3)}, model)
    gap = (await gaps(databases, model))["type", "route.planned", ""]
    assert (gap.accounts, gap.sent, gap.features) == (0, False, ["routes"])


async def test_nobody_elses_gaps_are_counted_for_a_reader_of_some_accounts(databases: Databases) -> None:
    ids = await install(databases, {"a": jobs(3), "b": [*jobs(3), *opens(3)], "c": jobs(3)})
    assert (await gaps(databases, the_model(), [ids["a"]]))["type", "tracking.opened", ""].accounts == 1
    assert (await gaps(databases, the_model()))["type", "tracking.opened", ""].accounts == 2


@pytest.mark.parametrize(
    "place", [("nothing", ""), ("job.done", "nothing"), ("job.done", "opens"), ("a\0b", ""), ("login", "minutes")]
)
async def test_of_what_cannot_be_captured_no_effort_is_said(databases: Databases, place: tuple[str, str]) -> None:
    await install(databases, {"a": jobs(3)})
    async with databases.web.transaction(accounts_or_all(None)) as tx:
        for good in (("job.done", ""), ("job.done", "minutes"), ("job.done", "team"), ("safety.checked", "hours")):
            await require_capturable(tx, the_model(), *good)
        with pytest.raises(NotFoundError):
            await require_capturable(tx, the_model(), *place)
