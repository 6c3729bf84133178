"""Who may call what (S1): the server's own routes and methods against this declaration. A route that is not declared
here fails; so does one that is declared and not there."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any, Final
from uuid import UUID

import pytest
import pytest_asyncio
from litestar.routes import HTTPRoute
from msgspec.structs import replace
from sqlalchemy import text

from tests.api.world import CHAMPION, GLOBEX, HARBOR, PUBLIC_URL, World, a_world, suggest
from tests.api.world import VALIDATOR as VERA
from tests.conftest import Databases, Server
from tests.stewardship.factories import prompt_for
from tests.telemetry.factories import cloud_event
from tests.value.factories import NOW, VALIDATOR, new_account, put_model
from tests.value.factories import SUPPLIER as SUPPLIER_SIDE
from tests.value.three_parties import JOINT_DRIVER, JOINTLY
from valueplatform.app import ServerDatabases, create_app
from valueplatform.core.authorization import operator_scope
from valueplatform.core.database import Database, Role
from valueplatform.telemetry.meters import Aggregation, Meter
from valueplatform.telemetry.segment import CALLS
from valueplatform.value import assumption_record as record
from valueplatform.value.assumption_record import Statement
from valueplatform.value.assumptions import EVER
from valueplatform.value.assumptions import Action as Saying
from valueplatform.value.discovery import Evidence, Parts, Proposal, Proposed
from valueplatform.value.discovery_store import Act, Decision, decide, keep, proposal_of
from valueplatform.value.model import Assumption
from valueplatform.value.ranges import Range
from valueplatform.worker import Worker

AWAY = "postgresql://nobody@127.0.0.1:1/nothing"
KEYS: Final = ("admin", "ingest", "tessera", "champion", "validator", "other", "revoked", "anonymous")
"""Every kind of caller. `tessera` is a partner of harbor, `champion` and `validator` are its people, `other` is a
partner of another account."""

SUPPLIER: Final = frozenset({"admin"})
INGEST: Final = SUPPLIER | {"ingest"}
READERS: Final = frozenset({"admin", "tessera", "champion", "validator"})
PLANNERS: Final = READERS - {"validator"}
DISPUTERS: Final = READERS - {"tessera"}
VALIDATORS: Final = frozenset({"validator"})
AGREEING: Final = frozenset({"admin", "tessera", "validator"})
PARTNERS: Final = frozenset({"tessera"})
CONSENTERS: Final = frozenset({"champion", "validator"})


@dataclass(frozen=True)
class Declared:
    """`callers` get a 2xx. Of the others, who has no valid key gets 401, who has not the right 403, and `other`, who
    has it for another account, 404 where the address names an account or something of one."""

    callers: frozenset[str]
    body: object = None
    query: Mapping[str, str] = field(default_factory=dict)

    def expected(self, caller: str, path: str) -> int:
        """The status, 200 for any 2xx."""
        if caller in {"revoked", "anonymous"}:
            return 401
        if caller == "other":
            bound = "{key}" in path or "{insight_id}" in path or path == CONTRIBUTIONS
            return (404 if bound else 200) if "tessera" in self.callers else 403
        return 200 if caller in self.callers else 403


CONTRIBUTIONS: Final = "/api/v1/contributions"
REPORTED: Final = {"account": HARBOR, "id": "new", "title": "t", "amount": "5", "period": "2026-05", "evidence": "e"}
SPLIT: Final = {"driver": JOINT_DRIVER, "provider": "tessera", "share": "0.3", "reason": "r"}
ACCOUNT: Final = "/api/v1/accounts/{key}"
CHANGE: Final = {"seats": True, "times": "1.5", "since": "2026-07-01", "over": 2}
TARGET: Final = {"objective": "o", "driver": "invoices_synced", "month": "2026-05-01", "expected": "10"}
SIGNS: Final = {"digest": "of what is signed"}
STATEMENT: Final = {"statement": "may", "start": "2026-05-01", "end": "2026-06-01"}
SEGMENT: Final = {"event": "job.done", "userId": "kim", "context": {"groupId": HARBOR}}
POSTHOG: Final = {"event": "job.done", "distinct_id": "kim", "properties": {"$groups": {"company": HARBOR}}}
"""Clients of Segment and PostHog carry the key in other ways too; tests/api says which."""
RESOURCE: Final = {"attributes": [{"key": "account.id", "value": {"stringValue": HARBOR}}]}
POINT: Final = {"timeUnixNano": "1777882800000000000", "startTimeUnixNano": "1777875600000000000", "asInt": "5"}
COUNTER: Final = {"name": "jobs", "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [POINT]}}
RECORD: Final = {"timeUnixNano": "1777882800000000000", "body": {"stringValue": "done"}}
API: Final[Mapping[str, Declared]] = {
    "POST /api/v1/events": Declared(INGEST, cloud_event(id="new")),
    "POST /api/v1/events/preview": Declared(INGEST, cloud_event(id="new")),
    "DELETE /api/v1/events": Declared(INGEST, query={"source": "/app", "id": "$event"}),
    "POST /ingest/otlp/v1/metrics": Declared(
        INGEST, {"resourceMetrics": [{"resource": RESOURCE, "scopeMetrics": [{"metrics": [COUNTER]}]}]}
    ),
    "POST /ingest/otlp/v1/logs": Declared(
        INGEST, {"resourceLogs": [{"resource": RESOURCE, "scopeLogs": [{"logRecords": [RECORD]}]}]}
    ),
    "GET /api/v1/rejected-events": Declared(INGEST),
    "POST /api/v1/rejected-events/{rejected_id}/replay": Declared(INGEST),
    **{f"POST /ingest/segment/v1/{call}": Declared(INGEST, {"messageId": call, **SEGMENT}) for call in CALLS},
    "POST /ingest/segment/v1/batch": Declared(INGEST, {"batch": [SEGMENT]}),
    **{f"POST /ingest/posthog/{way}": Declared(INGEST, POSTHOG) for way in ("capture", "i/v0/e")},
    "POST /ingest/posthog/batch": Declared(INGEST, {"batch": [POSTHOG]}),
    "GET /api/v1/accounts": Declared(READERS),
    f"GET {ACCOUNT}": Declared(READERS),
    f"GET {ACCOUNT}/value": Declared(READERS),
    f"GET {ACCOUNT}/bridge": Declared(READERS),
    f"GET {ACCOUNT}/benchmarks": Declared(READERS),
    f"GET {ACCOUNT}/projection": Declared(READERS),
    f"GET {ACCOUNT}/story": Declared(READERS),
    f"GET {ACCOUNT}/report": Declared(READERS),
    f"GET {ACCOUNT}/notices": Declared(DISPUTERS, query={"since": "0"}),
    f"GET {ACCOUNT}/hold": Declared(SUPPLIER),
    f"POST {ACCOUNT}/hold": Declared(SUPPLIER, {"reason": "r"}),
    f"DELETE {ACCOUNT}/hold": Declared(SUPPLIER),
    "GET /api/v1/insights/{insight_id}/proof": Declared(READERS),
    f"GET {ACCOUNT}/suggestions": Declared(READERS),
    f"GET {ACCOUNT}/suggestions/grades": Declared(READERS),
    f"POST {ACCOUNT}/suggestions/{{suggestion_id}}/accept": Declared(PLANNERS),
    f"POST {ACCOUNT}/suggestions/{{suggestion_id}}/done": Declared(PLANNERS),
    f"POST {ACCOUNT}/suggestions/{{suggestion_id}}/dismiss": Declared(PLANNERS),
    f"GET {ACCOUNT}/assumptions": Declared(READERS),
    f"POST {ACCOUNT}/assumptions": Declared(READERS, {"slug": "per_sync", "expected": "2", "reason": "r"}),
    f"POST {ACCOUNT}/assumptions/{{entry_id}}/withdraw": Declared(READERS),
    f"POST {ACCOUNT}/assumptions/{{entry_id}}/dispute": Declared(DISPUTERS, {"reason": "r"}),
    f"POST {ACCOUNT}/assumptions/{{entry_id}}/validate": Declared(VALIDATORS),
    f"POST {ACCOUNT}/assumptions/validate-default": Declared(VALIDATORS, {"slug": "driver:crews_reached"}),
    f"POST {ACCOUNT}/assumptions/estimate-from-comparable": Declared(SUPPLIER, {"slug": "etas_worth"}),
    f"GET {ACCOUNT}/objectives": Declared(READERS),
    f"POST {ACCOUNT}/objectives": Declared(PLANNERS, {"title": "t"}),
    f"PUT {ACCOUNT}/objectives/{{objective_id}}": Declared(DISPUTERS - {"validator"}, {"owner": "Carl"}),
    f"GET {ACCOUNT}/objectives/{{objective_id}}/versions": Declared(DISPUTERS),
    f"GET {ACCOUNT}/plans": Declared(READERS),
    f"GET {ACCOUNT}/attainment": Declared(READERS),
    f"GET {ACCOUNT}/timeline": Declared(READERS),
    f"GET {ACCOUNT}/time-to-value": Declared(READERS),
    f"GET {ACCOUNT}/plan-terms": Declared(DISPUTERS),
    f"PUT {ACCOUNT}/plans/{{plan}}/terms": Declared(DISPUTERS - {"validator"}, {"kind": "business-case"}),
    f"POST {ACCOUNT}/plans/{{plan}}/sign": Declared(SUPPLIER, SIGNS),
    f"POST {ACCOUNT}/plans/{{plan}}/withdraw": Declared(DISPUTERS - {"validator"}),
    f"PUT {ACCOUNT}/plans/{{plan}}": Declared(PLANNERS, [TARGET]),
    f"GET {ACCOUNT}/statements": Declared(DISPUTERS),
    f"GET {ACCOUNT}/statements/{{statement}}": Declared(DISPUTERS),
    f"POST {ACCOUNT}/statements": Declared(SUPPLIER, STATEMENT),
    f"POST {ACCOUNT}/statements/{{statement}}/sign": Declared(SUPPLIER, SIGNS),
    f"POST {ACCOUNT}/scenarios/preview": Declared(DISPUTERS, {"changes": [CHANGE], "name": "n", "months": 2}),
    f"GET {ACCOUNT}/scenarios": Declared(DISPUTERS),
    f"POST {ACCOUNT}/scenarios": Declared(DISPUTERS, {"changes": []}),
    f"GET {ACCOUNT}/scenarios/{{scenario}}": Declared(DISPUTERS),
    f"POST {ACCOUNT}/scenarios/{{scenario}}/share": Declared(DISPUTERS),
    f"DELETE {ACCOUNT}/scenarios/{{scenario}}": Declared(DISPUTERS),
    f"POST {ACCOUNT}/scenarios/{{scenario}}/restore": Declared(DISPUTERS),
    f"POST {ACCOUNT}/scenarios/{{scenario}}/plan": Declared(DISPUTERS - {"validator"}),
    f"POST {ACCOUNT}/scenarios/{{scenario}}/propose": Declared(DISPUTERS),
    f"GET {ACCOUNT}/milestones": Declared(READERS),
    f"PUT {ACCOUNT}/milestones/{{milestone_id}}": Declared(
        PLANNERS, {"kind": "rollout", "time": "2026-05-01T09:00:00Z"}
    ),
    "POST /api/v1/estimate": Declared(READERS, {"scale": "5"}),
    f"GET {ACCOUNT}/consents": Declared(READERS),
    f"POST {ACCOUNT}/consents": Declared(
        CONSENTERS, {"provider": "waypoint", "what": "contribute", "granted": True, "reason": "r"}
    ),
    f"POST {ACCOUNT}/consents/requests": Declared(PARTNERS, {"reason": "r"}),
    f"POST {CONTRIBUTIONS}": Declared(PARTNERS, REPORTED),
    f"GET {CONTRIBUTIONS}": Declared(READERS, query={"account": HARBOR}),
    f"DELETE {CONTRIBUTIONS}": Declared(PARTNERS, query={"account": HARBOR, "id": "sent"}),
    f"POST {ACCOUNT}/contributions/{{contribution_id}}/corroborate": Declared(VALIDATORS, {"reason": "r"}),
    f"POST {ACCOUNT}/contributions/{{contribution_id}}/dispute": Declared(CONSENTERS, {"reason": "r"}),
    f"GET {ACCOUNT}/splits": Declared(READERS),
    f"POST {ACCOUNT}/splits": Declared(AGREEING, SPLIT),
    **{
        f"POST {ACCOUNT}/splits/{{split_id}}/{act}": Declared(AGREEING, {"reason": "r"})
        for act in ("agree", "refuse", "withdraw")
    },
    "GET /api/v1/meters": Declared(READERS),
    "GET /api/v1/meters/{slug}/query": Declared(READERS),
    "GET /api/v1/portfolio": Declared(SUPPLIER),
    "GET /api/v1/signals": Declared(SUPPLIER),
    f"GET {ACCOUNT}/collaborations": Declared(DISPUTERS),
    f"POST {ACCOUNT}/collaborations/{{collaboration_id}}/dismiss": Declared(DISPUTERS),
    "GET /api/v1/finance": Declared(SUPPLIER),
    "GET /api/v1/finance/{metric}": Declared(SUPPLIER),
    "GET /api/v1/exchange-rates": Declared(SUPPLIER),
    "POST /api/v1/exchange-rates": Declared(
        SUPPLIER, {"currency": "EUR", "day": "2026-01-01", "rate": "1.08", "source": "ECB"}
    ),
    "GET /api/v1/catalog": Declared(SUPPLIER),
    "GET /api/v1/features": Declared(SUPPLIER),
    "GET /api/v1/features/{feature}": Declared(SUPPLIER),
    "GET /api/v1/ideal-customer": Declared(SUPPLIER),
    "GET /api/v1/data-quality": Declared(SUPPLIER),
    "GET /api/v1/ingest-keys": Declared(INGEST),
    "GET /api/v1/ingest-keys/{key_id}/events": Declared(INGEST),
    "PUT /api/v1/catalog/{event_type}/owner": Declared(SUPPLIER, {"owner": "Dispatch team"}),
    "GET /api/v1/catalog/gaps": Declared(SUPPLIER),
    "GET /api/v1/drivers": Declared(SUPPLIER),
    "GET /api/v1/drivers/{slug}": Declared(SUPPLIER),
    "GET /api/v1/catalog/estimates": Declared(SUPPLIER, query={"type": "job.dispatched"}),
    "POST /api/v1/catalog/efforts": Declared(SUPPLIER, {"type": "job.dispatched", "effort": "small"}),
    "POST /api/v1/catalog/wishes": Declared(
        SUPPLIER, {"type": "part.returned", "name": "n", "why": "w", "effort": "small"}
    ),
    "POST /api/v1/catalog/wishes/withdraw": Declared(SUPPLIER, {"type": "held"}),
    "GET /api/v1/proposals": Declared(SUPPLIER),
    "POST /api/v1/proposals/{proposal}/preview": Declared(SUPPLIER, {"title": "Scans"}),
    "POST /api/v1/proposals/{proposal}/accept": Declared(SUPPLIER, {"title": "Scans"}),
    "POST /api/v1/proposals/{proposal}/reject": Declared(SUPPLIER, {"reason": "r"}),
    "POST /api/v1/proposals/{proposal}/suggest": Declared(SUPPLIER, {"reason": "r"}),
    "POST /api/v1/proposals/{proposal}/withdraw": Declared(SUPPLIER, {"reason": "r"}),
}
PUBLIC: Final = frozenset(
    {
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        "GET /api",
        "GET /api/openapi.json",
        "GET /api/docs",
        "GET /static/{name}",
        "GET /sign-in",
        "POST /sign-in",
        "GET /sign-in/{token}",
        "POST /sign-in/{token}",
        "POST /sign-out",
        "GET /estimate",
        "GET /unsubscribe/{token}",
        "POST /unsubscribe/{token}",
    }
)
"""No key and no session needed."""

_OF_AN_ACCOUNT: Final = (
    "GET /story",
    "GET /story/live",
    "GET /story.md",
    "GET /why",
    "GET /benchmarks",
    "GET /together",
    "POST /together",
    "GET /together/new",
    "POST /together/new",
    "POST /together/prompts/{prompt_id}/dismiss",
    "GET /together/{conversation_id}",
    "POST /together/{conversation_id}",
    "GET /together/{conversation_id}/live",
    "GET /assumptions",
    "GET /assumptions/{slug}/preview",
    "POST /assumptions/{slug}/propose",
    "POST /assumptions/{slug}/estimate",
    "POST /assumptions/{slug}/{verb}",
    "GET /plan",
    "GET /plan/preview",
    "GET /plan/attainment",
    "POST /plan/sign",
    "POST /plan/withdraw",
    "POST /plan/restore",
    "POST /plan/objectives",
    "POST /plan/objectives/{objective}",
    "POST /plan/objectives/{objective}/{verb}",
    "POST /plan/keep",
    "POST /plan/{scenario}/{verb}",
    "GET /partners",
    "POST /partners/consents",
    "POST /partners/contributions/{contribution_id}",
    "POST /partners/splits",
    "POST /partners/splits/{split_id}",
    "POST /notices/dismiss",
    "GET /notices/live",
)
PAGES: Final = frozenset(
    {
        "GET /",
        "GET /portfolio",
        "GET /portfolio/live",
        "GET /finance",
        "GET /finance/measures.csv",
        "GET /finance/accounts.csv",
        "GET /finance/{metric}",
        "GET /catalog",
        "GET /catalog/live",
        "GET /catalog/worth",
        "GET /catalog/types.csv",
        "GET /catalog/drivers",
        "GET /catalog/drivers/{slug}",
        "GET /catalog/features",
        "GET /catalog/features/{feature}",
        "GET /catalog/ideal-customer",
        "GET /catalog/proposals",
        "GET /catalog/proposals/{proposal}",
        "GET /catalog/proposals/{proposal}/state",
        "POST /catalog/proposals/{proposal}/accept",
        "POST /catalog/proposals/{proposal}/reject",
        "POST /catalog/proposals/{proposal}/suggest",
        "POST /catalog/proposals/{proposal}/withdraw",
        "POST /catalog/owner",
        "POST /catalog/effort",
        "POST /catalog/wish",
        "POST /catalog/wish/withdraw",
        "GET /data-quality",
        "GET /connect",
        "POST /connect/keys",
        "GET /connect/try",
        "POST /connect/try",
        "GET /connect/{key_id}",
        "GET /connect/{key_id}/live",
        "POST /connect/{key_id}/revoke",
        "POST /connect/{key_id}/replay/{rejected_id}",
        "GET /accounts/{key}",
        "POST /accounts/{key}/hold",
        "POST /accounts/{key}/hold/release",
        "POST /bad-news/dismiss",
        "GET /settings",
        "POST /settings",
        "POST /settings/language",
        "POST /suggestions/{suggestion_id}/{decision}",
        "GET /shared",
        "GET /shared/{key}",
        "GET /shared/{key}/report.csv",
        "POST /shared/{key}/consents",
        "POST /shared/{key}/contributions",
        "POST /shared/{key}/contributions/withdraw",
        "POST /shared/{key}/splits",
        "POST /shared/{key}/splits/{split_id}",
        "GET /proof/{ref}",
        "GET /proof/{ref}/events",
        *_OF_AN_ACCOUNT,
        *(one.replace(" /", " /accounts/{key}/", 1) for one in _OF_AN_ACCOUNT),
    }
)
"""For people who signed in; no key opens them. Who may see which page is tested in tests/portal."""


def served() -> set[str]:
    databases = ServerDatabases(Database(AWAY, Role.WEB), Database(AWAY, Role.INGEST))
    routes = create_app(databases, public_url=PUBLIC_URL).routes
    assert all(isinstance(route, HTTPRoute) for route in routes)
    return {f"{m} {r.path_format}" for r in routes if isinstance(r, HTTPRoute) for m in r.methods if m != "OPTIONS"}


def test_every_route_of_the_server_is_declared_and_nothing_else_is() -> None:
    declared = API.keys() | PUBLIC | PAGES
    assert served() - declared == set(), "declare who may call these"
    assert declared - served() == set(), "these are declared and not served"


@pytest.fixture
async def world(server: Server) -> AsyncIterator[World]:
    async with a_world(server) as world:
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def read_only_world(server: Server) -> AsyncIterator[World]:
    """One for all tests here that change nothing: its database refuses every write."""
    async with a_world(server, read_only=True) as world:
        yield world


async def the_things(world: World) -> dict[str, Any]:
    """What the addresses name, made anew: all of harbor, and fit for whoever may."""
    ids = await suggest(world, "erp-connector")
    batch = [cloud_event(id="stored"), cloud_event(id="kept", time="soon")]
    cloud = {"content-type": "application/cloudevents-batch+json"}
    assert (await world.send("POST", "/api/v1/events", "ingest", batch, **cloud)).status_code == 200
    (rejected,) = (await world.get("/api/v1/rejected-events", "ingest")).json()["items"]
    await offer_comparable(world.databases)
    worker = Worker(world.databases.worker, world.clock)
    await worker.keep_catalog()
    while await worker.keep_worth():
        pass
    wish = {"type": "held", "name": "n", "why": "w", "effort": "small"}
    assert (await world.send("POST", "/api/v1/catalog/wishes", "admin", wish)).status_code == 201
    consent = {"provider": "tessera", "what": "contribute", "granted": True, "reason": "r"}
    assert (await world.send("POST", f"/api/v1/accounts/{HARBOR}/consents", "validator", consent)).status_code == 201
    await world.send("POST", CONTRIBUTIONS, "tessera", {**REPORTED, "id": "sent"})
    return {
        "suggestion_id": ids["erp-connector"],
        "rejected_id": rejected["id"],
        "event": "stored",
        "event_type": "job.done",
        "key_id": world.keys["ingest"]["authorization"].split("_")[2],
    }


async def offer_comparable(databases: Databases) -> None:
    """A joint driver, and an assumption of which harbor has no value, and five others have."""
    unsaid = Assumption(slug="etas_worth", unit="USD/eta")
    await put_model(databases, replace(JOINTLY, assumptions=(*JOINTLY.assumptions, unsaid)))
    for n in range(1, 6):
        account_id = await new_account(databases, f"other-{n}")
        async with databases.worker.transaction(operator_scope()) as tx:
            statement = Statement("etas_worth", Range.point(Decimal(n)), "USD/eta", EVER, "payroll")
            entry = await record.state_value(tx, account_id, Saying.PROPOSE, statement, SUPPLIER_SIDE, NOW)
            await record.validate(tx, account_id, entry.entry_id, VALIDATOR, NOW, NOW.date())


async def _entry(world: World, who: str) -> int:
    """A proposal that `who` may take back, and others may answer."""
    author = who if who in READERS else "champion"
    said = {"slug": "per_sync", "expected": "2", "reason": "r"}
    made = await world.send("POST", f"/api/v1/accounts/{HARBOR}/assumptions", author, said)
    return int(made.json()["entry_id"])


async def _scenario(world: World, who: str) -> int:
    """A scenario of `who`, where they may have one."""
    author = who if who in DISPUTERS else "champion"
    asked = {"changes": [{"slug": "hourly_cost", "expected": "50"}]}
    made = await world.send("POST", f"/api/v1/accounts/{HARBOR}/scenarios", author, asked)
    return int(made.json()["scenario_id"])


async def _contribution(world: World, who: str) -> int:
    sent = await world.send("POST", CONTRIBUTIONS, "tessera", {**REPORTED, "id": f"for {who}"})
    return int(sent.json()["contribution_id"])


async def _split(world: World, who: str) -> int:
    author = who if who in AGREEING else "admin"
    made = await world.send("POST", f"/api/v1/accounts/{HARBOR}/splits", author, SPLIT)
    return int(made.json()["split_id"])


async def _objective(world: World) -> int:
    made = await world.send("POST", f"/api/v1/accounts/{HARBOR}/objectives", "admin", {"title": "o"})
    return int(made.json()["objective_id"])


async def _digest(world: World) -> str:
    """Of a plan that waits to be signed."""
    base = f"/api/v1/accounts/{HARBOR}/plans/draft"
    stated = await world.send("PUT", f"{base}/terms", "admin", {"kind": "business-case"})
    assert stated.status_code == 200, stated.text
    assert (await world.send("PUT", base, "admin", [TARGET])).is_success
    plans = (await world.get(f"/api/v1/accounts/{HARBOR}/plan-terms")).json()["items"]
    return next(str(plan["digest"]) for plan in plans if plan["plan"] == "draft")


_NUMBERS: Final = count()


async def _statement(world: World) -> tuple[str, str]:
    """A statement's name, and its digest."""
    name = f"s-{next(_NUMBERS)}"
    sent = {**STATEMENT, "statement": name}
    made = await world.send("POST", f"/api/v1/accounts/{HARBOR}/statements", "admin", sent)
    return name, str(made.json()["digest"])


async def _news_to_hold(world: World, *, held: bool) -> None:
    """Bad news that was just told, which is held, or is not."""
    insert = text("INSERT INTO bad_news (account_id, insight_id, told_at, position, text) VALUES (:a, 'i', :t, 0, 'x') "
                  "ON CONFLICT DO NOTHING")  # fmt: skip
    async with world.databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(insert, {"a": world.harbor, "t": world.clock()})
    address = f"/api/v1/accounts/{HARBOR}/hold"
    await (world.send("POST", address, "admin", {"reason": "r"}) if held else world.send("DELETE", address, "admin"))


async def _insight(world: World, who: str) -> str:
    reader = who if who in READERS else "admin"
    story = (await world.get(f"/api/v1/accounts/{HARBOR}/story", reader)).json()
    return str(story["headline_insight"]["id"])


async def _collaboration(world: World, who: str) -> str:
    """A prompt of `who`, where they may have one."""
    reader = who if who in DISPUTERS else "admin"
    return await prompt_for(world.databases, world.harbor, {"champion": CHAMPION, "validator": VERA}.get(reader))


async def named(world: World, route: str, who: str, things: dict[str, Any]) -> dict[str, Any]:
    """What the address of the route names, fit for `who`."""
    path = route.split(" ", 1)[1]
    if path.endswith("/hold"):
        await _news_to_hold(world, held=route.startswith("DELETE"))
    if path.endswith("/consents/requests") or "/contributions" in path:
        said = {"provider": "tessera", "what": "contribute", "granted": "/contributions" in path, "reason": "r"}
        await world.send("POST", f"/api/v1/accounts/{HARBOR}/consents", "validator", said)
    answered = "champion" if who == "validator" and path.endswith("/validate") else who
    statement, digest = await _statement(world) if "{statement}" in path else ("", "")
    return {
        **things,
        "key": HARBOR,
        "slug": "dispatch_time" if "/drivers/" in path else "jobs",
        "metric": "nrr",
        "feature": "erp-connector",
        "plan": "draft" if path.endswith(("/terms", "/sign", "/withdraw")) else "case",
        "milestone_id": f"of-{who}",
        "entry_id": await _entry(world, answered) if "{entry_id}" in path else 0,
        "scenario": await _scenario(world, who) if "{scenario}" in path else 0,
        "split_id": await _split(world, who) if "{split_id}" in path else 0,
        "contribution_id": await _contribution(world, who) if "{contribution_id}" in path else 0,
        "objective_id": await _objective(world) if "{objective_id" in path else 0,
        "proposal": await _proposal(world, in_force=path.endswith("/withdraw")) if "{proposal}" in path else "",
        "statement": statement,
        "digest": digest or (await _digest(world) if path.endswith(("/sign", "plans/{plan}/withdraw")) else ""),
        "insight_id": await _insight(world, who) if "{insight_id}" in path else "",
        "collaboration_id": await _collaboration(world, who) if "{collaboration_id}" in path else "",
    }


async def _proposal(world: World, *, in_force: bool) -> str:
    """The count of an event type, proposed anew."""
    meter = Meter(slug="scans", event_types=(f"scan.{next(_NUMBERS)}",), aggregation=Aggregation.COUNT)
    made = Proposal(Proposed.METER, "scans", meter.event_types[0], "", "w", Parts(meters=(meter,)), Evidence())
    async with world.databases.worker.transaction(operator_scope()) as tx:
        await keep(tx, [made], NOW)
        if in_force:
            done = Decision(action=Act.APPLIED, author="worker", at=NOW)
            await decide(tx, await proposal_of(tx, made.id), done)
    return made.id


def query_of(route: str, things: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a good request; `$name` stands for one of the things."""
    given = API[route].query.items()
    return {name: things.get(value[1:], value) if value[0] == "$" else value for name, value in given}


async def call(world: World, route: str, who: str, things: dict[str, Any]) -> Any:
    method, path = route.split(" ", 1)
    names = await named(world, route, who, things)
    return await world.client.request(
        method,
        path.format(**names),
        headers=world.keys[who],
        json=body_of(route, names),
        params=query_of(route, things),
    )


def body_of(route: str, names: dict[str, Any]) -> object:
    """The body of a good request; plans and statements are signed as they were read."""
    return {"digest": names["digest"]} if API[route].body == SIGNS else API[route].body


@pytest.mark.parametrize("route", sorted(API))
async def test_each_kind_of_key_gets_what_is_declared(world: World, route: str) -> None:
    things = await the_things(world)
    path = route.split(" ", 1)[1]
    statuses = {}
    for who in sorted(KEYS, key=lambda who: who == "admin"):  # others first: they must not profit from what admin did
        answer = await call(world, route, who, things)
        statuses[who] = 200 if answer.is_success else answer.status_code
    if route == "DELETE /api/v1/events":
        statuses["admin"] = 200  # the ingest key took it back before
    assert statuses == {who: API[route].expected(who, path) for who in KEYS}


@pytest.mark.parametrize("route", sorted(r for r in API if "{key}" in r))
async def test_an_account_out_of_scope_is_answered_as_one_that_is_not_there(read_only_world: World, route: str) -> None:
    """To the letter, but for the name that was asked for."""
    method, path = route.split(" ", 1)
    named = {
        "suggestion_id": "x", "entry_id": 1, "plan": "case", "milestone_id": "x", "scenario": 1, "contribution_id": 1,
        "split_id": 1, "objective_id": 1, "statement": "x",
        "collaboration_id": "x",
    }  # fmt: skip
    answers = []
    for key in (GLOBEX, "nobody"):
        answer = await read_only_world.client.request(
            method, path.format(key=key, **named), headers=read_only_world.keys["tessera"], json=API[route].body
        )
        answers.append((answer.status_code, answer.json()["detail"].replace(key, "…")))
    assert answers[0] == answers[1]
    assert answers[0][0] == (404 if "tessera" in API[route].callers else 403)


async def test_no_key_opens_a_page(read_only_world: World) -> None:
    named = {"key": HARBOR, "ref": "x", "conversation_id": 1, "slug": "per_sync", "verb": "validate",
             "suggestion_id": "x", "decision": "dismiss", "key_id": UUID(int=1), "rejected_id": 1,
             "scenario": 1, "objective": 1, "metric": "nrr", "feature": "erp-connector", "contribution_id": 1,
             "split_id": 1, "proposal": "p", "prompt_id": "x"}  # fmt: skip
    for route in sorted(PAGES):
        method, path = route.split(" ", 1)
        for who in KEYS:
            answer = await read_only_world.client.request(
                method, path.format(**named), headers=read_only_world.keys[who], follow_redirects=False
            )
            assert answer.status_code in {303, 400, 401, 403}, (route, who, answer.status_code)
            # An account's address leads to its story, whoever asks; the story then asks who they are.
            assert answer.headers.get("location", "/sign-in") in {"/sign-in", f"/accounts/{HARBOR}/story"}


async def test_what_is_public_is_the_same_for_everybody(read_only_world: World) -> None:
    for route in sorted(PUBLIC):
        method, path = route.split(" ", 1)
        if method != "GET":
            continue
        statuses = {
            (
                await read_only_world.client.get(
                    path.format(name="app.css", token="x"), headers=read_only_world.keys[who]
                )
            ).status_code
            for who in KEYS
        }
        assert len(statuses) == 1, route
        assert statuses <= {200, 404, 410}, route
