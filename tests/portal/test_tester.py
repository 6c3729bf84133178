"""The tester: what an event would become, told before it is sent."""

import re
from typing import Any

import msgspec
import pytest

from tests.api.world import HARBOR
from tests.portal.browsers import OPERATOR, STEWARD, Browser, Portal
from tests.portal.test_connect_key import give, key_of
from tests.telemetry.factories import cloud_event
from tests.telemetry.test_otlp import metrics, point
from tests.telemetry.test_posthog import used
from tests.telemetry.test_segment import call
from valueplatform.core.authorization import KeyKind, UserRole, operator_scope
from valueplatform.core.errors import OverloadedError
from valueplatform.core.users import create_user
from valueplatform.telemetry.preview import Previewer


@pytest.fixture
async def steward(bare_portal: Portal) -> Browser:
    return await bare_portal.browser(STEWARD)


async def tried(browser: Browser, body: object, dialect: str = "cloudevents", key: str = "", status: int = 200) -> str:
    text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
    answer = await browser.post("/connect/try", body=text, dialect=dialect, key=key)
    assert answer.status_code == status, answer.text
    return str(answer.text)


def verdicts(page: str) -> list[str]:
    return re.findall(r'class="chip chip-[a-z-]+">.*?</svg>([A-Z][a-z]+)<', page)


async def test_each_event_is_told_and_nothing_of_it_is_kept(bare_portal: Portal, steward: Browser) -> None:
    await give(bare_portal, cloud_event(id="1", account=HARBOR, type="sync.done"))
    before = await bare_portal.run("SELECT count(*) FROM event_key")
    page = await tried(
        steward,
        [
            cloud_event(id="1", account=HARBOR, type="sync.done"),
            cloud_event(id="1", account=HARBOR, type="sync.done", data={}),
            cloud_event(id="2", account="newcomer", type="sync.done", data={"system": "erp"}),
            cloud_event(id="3", type=None),
        ],
    )
    assert "Of four events, there would be one stored, one a duplicate, one in conflict and one rejected." in page
    assert verdicts(page) == ["Duplicate", "Conflict", "Stored", "Rejected"]
    assert "would be created" in page
    assert "would feed syncs" in page
    assert "system erp" in page
    assert "invoices_synced" in page
    assert "The event has no type; set the attribute type." in page
    assert await bare_portal.run("SELECT count(*) FROM event_key") == before
    assert await bare_portal.run("SELECT 1 FROM account WHERE key = 'newcomer'") == []
    assert len(await bare_portal.run("SELECT 1 FROM recent_event")) == 1


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("segment", call()),
        ("segment", {"batch": [call()]}),
        ("posthog", used()),
        ("otlp-metrics", metrics("gauge", point(asInt=1, timeUnixNano="1780308000000000000"))),
    ],
)
async def test_every_dialect_is_read_as_its_address_reads_it(
    bare_portal: Portal, steward: Browser, dialect: str, body: object
) -> None:
    page = await tried(steward, body, dialect)
    assert "This event would be stored." in page
    assert f'value="{dialect}" selected' in page


async def test_a_key_is_tried_with_its_own_limits(bare_portal: Portal, steward: Browser) -> None:
    world = bare_portal.world
    await world.make_key(KeyKind.INGEST, "limited", [world.harbor], sources=["/app"])
    key = str(await key_of(bare_portal, "limited"))
    good, elsewhere, other = (
        cloud_event(account=HARBOR),
        cloud_event(account="globex"),
        cloud_event(account=HARBOR, source="/other"),
    )
    assert "Of three events, there would be three stored." in await tried(steward, [good, elsewhere, other])
    page = await tried(steward, [good, elsewhere, other], key=key)
    assert verdicts(page) == ["Stored", "Rejected", "Rejected"]
    assert "unknown_account" in page
    assert "source_not_allowed" in page
    assert f'value="{key}" selected' in page


async def test_who_sees_some_accounts_tries_for_those_alone(bare_portal: Portal) -> None:
    async with bare_portal.world.databases.worker.transaction(operator_scope()) as tx:
        await create_user(tx, "some@fieldnote.example", UserRole.STEWARD, account_ids=[bare_portal.world.harbor])
    browser = await bare_portal.browser("some@fieldnote.example")
    page = await tried(browser, [cloud_event(account=HARBOR), cloud_event(account="globex")])
    assert verdicts(page) == ["Stored", "Rejected"]
    assert "unknown_account" in page


@pytest.mark.parametrize(
    ("body", "dialect", "said"),
    [
        ("", "cloudevents", "Paste the body of a request first."),
        ("   \n", "segment", "Paste the body of a request first."),
        ('{"id": 1,', "cloudevents", "The body is not JSON"),
        ("hello", "segment", "The body is no JSON object"),
        ("[" * 4000, "cloudevents", "body"),
        ("[{}]", "posthog", ""),
    ],
)
async def test_what_is_wrong_with_the_request_is_said_beside_it_in_words(
    bare_portal: Portal, steward: Browser, body: str, dialect: str, said: str
) -> None:
    page = await tried(steward, body, dialect, status=400 if said else 200)
    assert said in page
    assert "nothing was stored" not in page
    assert ('aria-invalid="true"' in page) == bool(said)


async def test_too_many_events_are_refused_in_words(bare_portal: Portal, steward: Browser) -> None:
    page = await tried(steward, f"[{','.join(['{}'] * 2501)}]", status=400)
    assert "2501 events in one request; send at most 2500." in page


async def test_a_body_that_is_larger_than_any_form_is_refused(bare_portal: Portal, steward: Browser) -> None:
    answer = await steward.post("/connect/try", body="x" * 300_000)
    assert answer.status_code == 413


async def test_many_events_are_summed_up_and_the_first_are_shown(bare_portal: Portal, steward: Browser) -> None:
    page = await tried(steward, [cloud_event(id=str(n), account=HARBOR) for n in range(120)])
    assert "Of 120 events, there would be 120 stored." in page
    assert page.count('<li class="ev"') == 50
    assert "The first 50 are shown." in page


async def test_when_too_many_are_trying_the_page_says_to_come_back(
    bare_portal: Portal, steward: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: Any) -> None:
        raise OverloadedError("More previews are waiting than can be made; ask again shortly.", retry_after=1)

    monkeypatch.setattr(Previewer, "preview", refuse)
    answer = await steward.post("/connect/try", body="{}", dialect="cloudevents")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert "ask again shortly" in answer.text
    assert ">{}</textarea>" in answer.text


async def test_what_is_pasted_is_text_and_never_markup(bare_portal: Portal, steward: Browser) -> None:
    odd = "</textarea><b>'\"&{{ 7 * 7 }}</b>"
    page = await tried(steward, cloud_event(id=odd, account=odd, type=odd, source=odd, subject=odd))
    assert "<b>'" not in page
    assert page.count("</textarea>") == 1


@pytest.mark.parametrize("key", ["not-a-key", "00000000-0000-0000-0000-000000000001"])
async def test_a_key_that_is_not_there_cannot_be_tried(bare_portal: Portal, steward: Browser, key: str) -> None:
    assert (await steward.post("/connect/try", body="{}", key=key)).status_code == 404
    assert (await steward.get(f"/connect/try?key={key}")).status_code == 404


async def test_a_form_from_elsewhere_tries_nothing(bare_portal: Portal, steward: Browser) -> None:
    answer = await steward.send("/connect/try", {"_csrf": "x", "body": "{}"}, {"sec-fetch-site": "same-origin"})
    assert answer.status_code == 403


async def test_a_rejected_event_opens_in_the_tester_as_it_was_sent(bare_portal: Portal) -> None:
    operator = await bare_portal.browser(OPERATOR)
    await give(bare_portal, cloud_event(id="1", account=HARBOR, time="soon"))
    page = (await operator.get(f"/connect/{await key_of(bare_portal)}")).text
    form = re.findall(r'action="/connect/try">(.*?)</form>', page)[0]
    fields = dict(re.findall(r'name="(dialect|key|body)" value="([^"]*)"', form))
    again = await tried(operator, fields["body"].replace("&#34;", '"'), fields["dialect"], fields["key"])
    assert "This event would be rejected." in again
    assert "time must be an RFC 3339 string" in again
