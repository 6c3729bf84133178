"""Sending what waits: exactly once as far as the other side allows, whatever is killed, slow, rude or away."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from tests.core.mail_server import MailServer
from tests.core.receiver import Receiver
from tests.stewardship.digests.conftest import PUBLIC_URL
from tests.stewardship.digests.factories import CHAMPION, MONDAY, STEWARD, USER, Readers, news
from tests.stewardship.digests.test_due import hold
from valueplatform.core.outbound import Outbound
from valueplatform.stewardship.digests import sending
from valueplatform.stewardship.digests.choice import Cadence, Channel, Choice
from valueplatform.stewardship.digests.sending import Means, send_next
from valueplatform.stewardship.digests.service import DigestService

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


class Killed(BaseException):
    """What no handler of ours catches."""


async def something_waits(harbor: Readers, email: str = USER, choice: Choice | None = None) -> str | None:
    """A digest of version 2, due now; the secret of a webhook."""
    await harbor.tell()
    secret = await (harbor.choose(email, choice) if choice else harbor.choose(email))
    await harbor.tell(news("a", "Value rose by 3%."))
    harbor.clock.advance(DAY)
    await harbor.look()
    return secret


def hook(receiver: Receiver) -> Choice:
    return Choice(
        channel=Channel.WEBHOOK, cadence=Cadence.CHANGED, hour=8, timezone="Europe/Berlin",
        webhook_url=f"http://127.0.0.1:{receiver.port}/in",
    )  # fmt: skip


async def test_a_mail_says_what_the_page_says_and_links_to_it(harbor: Readers, means: Means, mail: MailServer) -> None:
    await something_waits(harbor)
    await harbor.serve(means)
    (sent,) = mail.taken
    (row,) = await harbor.rows("SELECT digest_id FROM digest")
    text, html = (sent.get_body((kind,)) for kind in ("plain", "html"))

    assert sent["To"] == USER
    assert sent["Subject"] == "Harbor Logistics: 1 thing new in your value story"
    assert sent["Message-ID"] == f"<{row['digest_id']}@fieldnote.example>"
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert sent["List-Unsubscribe"].startswith(f"<{PUBLIC_URL}/unsubscribe/")
    for part in (text, html):
        assert part is not None
        said = part.get_content()
        assert "Value rose by 3%." in said
        assert f"{PUBLIC_URL}/story#c-c" in said
    assert await harbor.states() == [(2, "sent")]


async def test_a_webhook_is_signed_as_standard_webhooks_asks(harbor: Readers, means: Means, receiver: Receiver) -> None:
    secret = await something_waits(harbor, choice=hook(receiver))
    assert secret is not None
    await harbor.serve(means)
    (heard,) = receiver.heard
    head, _, body = heard.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    (row,) = await harbor.rows("SELECT digest_id FROM digest")
    document = json.loads(body)

    assert headers["webhook-signature"] == f"v1,{right}"
    assert headers["webhook-id"] == str(row["digest_id"])
    assert headers["webhook-timestamp"] == str(int(harbor.clock().timestamp()))
    assert document["type"] == "story.changed"
    assert (document["data"]["version"], document["data"]["since_version"]) == (2, 1)
    assert document["data"]["since"] == [
        {"text": "Value rose by 3%.", "insight_id": "a", "url": f"{PUBLIC_URL}/story#c-c"}
    ]


Step = Callable[..., Awaitable[Any]]


def _dies(real: Step, *, after: bool) -> Step:
    async def step(*given: Any, **named: Any) -> Any:
        if after:
            await real(*given, **named)
        raise Killed

    return step


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.WEBHOOK])
@pytest.mark.parametrize("killed", [
    ("claim", "before", 1),
    ("tried", "after", 1),  # the claim's own transaction is not committed
    ("claim", "after", 1),
    ("transmit", "before", 1),
    ("transmit", "after", 2),  # it was taken, and nobody could write that down: sent again, under the same id
    ("settle_sent", "before", 2),
    ("settle_sent", "after", 2),  # the transaction is not committed
])  # fmt: skip
async def test_a_worker_that_is_killed_at_any_step_neither_loses_nor_doubles(
    harbor: Readers, means: Means, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, channel: Channel,
    killed: tuple[str, str, int], mail: MailServer,
) -> None:  # fmt: skip
    where, when, arrives = killed
    await something_waits(harbor, choice=hook(receiver) if channel is Channel.WEBHOOK else None)
    with monkeypatch.context() as killing:
        killing.setattr(sending, where, _dies(getattr(sending, where), after=when == "after"))
        with pytest.raises(Killed):
            await send_next(harbor.databases.worker, means, harbor.clock)
    await harbor.serve(means, timedelta(minutes=10))

    ids = [sent["Message-ID"] for sent in mail.taken] or [
        line for heard in receiver.heard for line in heard.decode().split("\r\n") if line.startswith("webhook-id")
    ]
    assert len(ids) == arrives
    assert len(set(ids)) == 1, "the other side can tell that it is the same"
    assert await harbor.states() == [(2, "sent")]
    (mark,) = await harbor.rows("SELECT version FROM digest_mark")
    assert mark["version"] == 2


async def test_two_hundred_kills_at_random_lose_nothing_and_settle_each_once(
    harbor: Readers, means: Means, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harbor.tell()
    await harbor.choose(USER)
    steps = ("claim", "tried", "transmit", "settle_sent")
    kills = 0
    for day in range(50):
        await harbor.tell(news(f"n{day}", f"News {day}."))
        harbor.clock.advance(DAY)
        await harbor.look()
        for turn in range(4):
            with monkeypatch.context() as killing:
                name = steps[(day + turn) % len(steps)]
                killing.setattr(sending, name, _dies(getattr(sending, name), after=(day // 4 + turn) % 2 == 0))
                with pytest.raises(Killed):
                    await send_next(harbor.databases.worker, means, harbor.clock)
            kills += 1
            harbor.clock.advance(timedelta(hours=3))
        await harbor.serve(means)

    assert kills == 200
    assert [state for _, state in await harbor.states()] == ["sent"] * 50
    by_id: dict[str, str] = {sent["Message-ID"]: _said(sent) for sent in mail.taken}
    assert len(by_id) == 50
    assert sorted(said.count("News") for said in by_id.values()) == [1] * 50


def _said(sent: Any) -> str:
    return str(sent.get_body(("plain",)).get_content())


async def test_many_workers_send_each_digest_once(harbor: Readers, means: Means, mail: MailServer) -> None:
    await harbor.tell()
    for email in (USER, CHAMPION, STEWARD):
        await harbor.choose(email)
    await harbor.tell(news("a", "A."))
    harbor.clock.advance(DAY)
    services = [DigestService(harbor.databases.worker, means, harbor.clock) for _ in range(4)]
    await asyncio.gather(*(service.once() for service in services))

    assert sorted(sent["To"] for sent in mail.taken) == sorted([USER, CHAMPION, STEWARD])


async def test_a_receiver_that_is_down_for_three_days_is_sent_everything_signed(
    harbor: Readers, means: Means, receiver: Receiver
) -> None:
    await something_waits(harbor, choice=hook(receiver))
    receiver.status = "503 Service Unavailable"
    for _ in range(72):
        await harbor.serve(means)
        harbor.clock.advance(timedelta(hours=1))
    receiver.status = "200 OK"
    tries = len(receiver.heard)
    for _ in range(6):
        await harbor.serve(means)
        harbor.clock.advance(timedelta(hours=1))

    assert await harbor.states() == [(2, "sent")]
    assert 10 < tries < 25, "a receiver that is down is not hammered"
    ids = {line for heard in receiver.heard for line in heard.decode().split("\r\n") if line.startswith("webhook-id")}
    assert len(ids) == 1


async def test_after_more_than_three_days_it_is_given_up_and_the_next_news_carries_it(
    harbor: Readers, means: Means, receiver: Receiver
) -> None:
    await something_waits(harbor, choice=hook(receiver))
    receiver.status = "500 Oh"
    for _ in range(78):
        await harbor.serve(means)
        harbor.clock.advance(timedelta(hours=1))
    assert await harbor.states() == [(2, "given-up")]

    receiver.status, receiver.heard[:] = "200 OK", []
    await harbor.tell(news("b", "B."))
    harbor.clock.advance(DAY)
    await harbor.serve(means)
    (heard,) = receiver.heard
    lines = json.loads(heard.partition(b"\r\n\r\n")[2])["data"]["since"]

    assert [line["text"] for line in lines] == ["Value rose by 3%.", "B."]


async def test_an_address_that_says_it_is_gone_is_believed(harbor: Readers, means: Means, receiver: Receiver) -> None:
    await something_waits(harbor, choice=hook(receiver))
    receiver.status = "410 Gone"
    await harbor.serve(means)

    assert await harbor.states() == [(2, "given-up")]


async def test_a_mail_address_that_is_refused_is_given_up_and_a_greylisting_is_not(
    harbor: Readers, means: Means, mail: MailServer
) -> None:
    await something_waits(harbor)
    mail.answers["RCPT"] = "450 come again"
    await harbor.serve(means)
    assert await harbor.states() == [(2, "waiting")]

    mail.answers["RCPT"] = "550 unknown"
    harbor.clock.advance(2 * MINUTE)
    await harbor.serve(means)
    (row,) = await harbor.rows("SELECT state, error FROM digest")
    assert row["state"] == "given-up"
    assert "550 unknown" in row["error"]


async def test_a_webhook_that_turned_private_is_not_called(harbor: Readers, means: Means, receiver: Receiver) -> None:
    await something_waits(harbor, choice=hook(receiver))
    strict = Means(PUBLIC_URL, None, Outbound())
    await harbor.serve(strict)

    assert receiver.heard == []
    assert await harbor.states() == [(2, "waiting")]


async def test_what_is_no_longer_wanted_is_dropped(harbor: Readers, means: Means, mail: MailServer) -> None:
    await something_waits(harbor)
    await harbor.run("UPDATE digest_choice SET channel = 'none'")
    await harbor.serve(means)

    assert mail.taken == []
    assert await harbor.states() == [(2, "dropped")]


async def test_what_was_queued_before_a_hold_waits_for_its_end(harbor: Readers, means: Means, mail: MailServer) -> None:
    await harbor.tell()
    await harbor.choose(USER)
    harbor.clock.advance(MINUTE)
    await harbor.tell_bad()
    harbor.clock.advance(DAY)
    await harbor.look()
    await hold(harbor)
    await harbor.serve(means, timedelta(minutes=5))
    assert mail.taken == []

    harbor.clock.advance(DAY)
    await harbor.serve(means, timedelta(minutes=5))
    assert len(mail.taken) == 1
    (row,) = await harbor.rows("SELECT attempts FROM digest")
    assert row["attempts"] == 1, "waiting is no try"


async def test_names_and_sentences_are_text_in_html_and_cannot_add_a_header(
    harbor: Readers, means: Means, mail: MailServer
) -> None:
    name = "Har<b>bor\r\nBcc: all@x.example\r\n\r\n<script>alert(1)</script>"
    await harbor.run("UPDATE account SET name = :name", name=name)
    await harbor.tell()
    await harbor.choose(USER)
    await harbor.tell(news("a", "<img src=x onerror=alert(1)> rose & rose."))
    harbor.clock.advance(DAY)
    await harbor.serve(means)
    (sent,) = mail.taken
    html = sent.get_body(("html",))

    assert sent["Bcc"] is None
    assert [line.upper() for line in mail.recipients] == [f"RCPT TO:<{USER}>".upper()]
    assert html is not None
    assert "<script>" not in html.get_content()
    assert "&lt;img src=x" in html.get_content()
    assert "<b>bor" not in html.get_content()


async def test_logs_hold_neither_secrets_nor_addresses(harbor: Readers, means: Means, receiver: Receiver) -> None:
    secret = await something_waits(harbor, choice=hook(receiver))
    assert secret is not None
    receiver.status = "500 Oh"
    with capture_logs() as logs:
        await harbor.serve(means)
    said = msgspec.json.encode(logs, enc_hook=str).decode()

    assert "digest not sent" in said
    for hidden in (secret, secret.removeprefix("whsec_"), USER, "/in"):
        assert hidden not in said


async def test_a_database_that_is_away_does_not_end_the_service(harbor: Readers, means: Means) -> None:
    stop = asyncio.Event()
    service = DigestService(harbor.databases.worker, means, harbor.clock)
    seen = 0

    async def fails() -> int:
        nonlocal seen
        seen += 1
        if seen == 2:
            stop.set()
        raise ZeroDivisionError

    service.once = fails  # type: ignore[method-assign] # a fault of any kind
    sending_ = asyncio.create_task(service.run(stop))
    await asyncio.sleep(0)
    stop.set()
    await sending_

    assert seen == 1


async def test_nothing_is_sent_before_it_was_chosen(harbor: Readers) -> None:
    assert harbor.clock() == MONDAY
    assert not await send_next(harbor.databases.worker, Means(PUBLIC_URL), harbor.clock)
