"""One e-mail with all accounts of a steward: what is bad first, bounded, whole over every try."""

import asyncio
import json
import re
import uuid
from datetime import timedelta

import pytest

from tests.core.mail_server import MailServer
from tests.core.receiver import Receiver
from tests.stewardship.digests.factories import AUDIENCES, STEWARD, USER, Readers, news
from tests.stewardship.digests.test_mail import OFF, URL, a_digest, envelope
from tests.stewardship.digests.test_sending import Killed, _dies, hook
from tests.stewardship.factories import account, document, tell
from valueplatform.narrative.document import Language
from valueplatform.stewardship.digests import sending
from valueplatform.stewardship.digests.content import Digest, Line
from valueplatform.stewardship.digests.gathered import (
    MOST_ACCOUNTS,
    MOST_LINES,
    MOST_NAMES,
    gathered,
    gathered_html,
    gathered_mail,
    gathered_text,
    message_id,
)
from valueplatform.stewardship.digests.sending import Means, send_next
from valueplatform.stewardship.digests.service import DigestService

DAY = timedelta(days=1)


def of(name: str, *lines: str, bad: tuple[str, ...] = (), status: str = "on-plan") -> Digest:
    base = f"/accounts/{name.lower()}"
    said = tuple(Line(text, f"ins_{text}", f"{base}/story#c-{number}") for number, text in enumerate(lines or ("A.",)))
    return a_digest(
        audience="steward", account=name.lower(), account_name=name, lines=said, status=status,
        story_path=f"{base}/story", bad=tuple(f"ins_{text}" for text in bad),
    )  # fmt: skip


def test_bad_news_comes_first_then_who_is_behind_then_who_has_most_news() -> None:
    found = gathered([
        of("Calm"), of("Busy", "A.", "B."), of("Behind", status="behind"), of("Bad", "A.", bad=("A.",)),
        of("Worse", "A.", "B.", bad=("A.", "B.")),
    ])  # fmt: skip

    assert [one.name for one in found.told] == ["Worse", "Bad", "Behind", "Busy", "Calm"]
    assert found.subject == "News from 5 of your accounts, bad from 2"


def test_of_one_account_the_bad_sentences_come_first_and_are_marked() -> None:
    text = gathered_text(gathered([of("Harbor", "Good.", "Fell.", bad=("Fell.",)), of("Other")]), URL, OFF)

    assert re.findall(r"^\* (.*)$", text, re.MULTILINE) == ["▼ Fell.", "Good.", "A."]


def test_the_message_is_bounded_and_says_what_it_leaves_out() -> None:
    many = [of(f"Account {n:02}", *(f"Said {n} {m}." for m in range(5))) for n in range(60)]
    found = gathered(many)
    text, html = gathered_text(found, URL, OFF), gathered_html(found, URL, OFF)

    assert (len(found.told), len(found.named), found.more) == (
        MOST_ACCOUNTS,
        MOST_NAMES,
        60 - MOST_ACCOUNTS - MOST_NAMES,
    )
    assert found.subject == "News from 60 of your accounts"
    for part in (text, html):
        assert part.count("Said ") == MOST_ACCOUNTS * MOST_LINES
        assert part.count("2 more in its story") == MOST_ACCOUNTS
        assert "and 18 more too." in " ".join(part.split())
        assert f"{URL}/portfolio" in part


def test_every_line_and_every_account_is_a_link_in_both_forms() -> None:
    found = gathered([of("Harbor", "Fell."), of("Kestrel", "Rose.")])
    text, html = gathered_text(found, URL, OFF), gathered_html(found, URL, OFF)
    for path in ("/accounts/harbor/story#c-0", "/accounts/kestrel/story#c-0", "/portfolio", "/settings"):
        assert URL + path in text
        assert f'href="{URL}{path}"' in html
    assert OFF in text
    assert OFF in html


def test_a_name_from_hell_is_neither_markup_nor_a_line_of_its_own() -> None:
    found = gathered([of("<b>A\r\nBcc: x@y.example"), of("B")])

    assert "<b>A" not in gathered_html(found, URL, OFF)
    assert "\nBcc" not in gathered_text(found, URL, OFF)
    assert gathered_mail([of("A\r\nBcc: x@y.example"), of("B")], envelope(), URL, "1.a")["Bcc"] is None


def test_german_sentences_say_that_they_are() -> None:
    html = gathered_html(gathered([a_digest(language=Language.GERMAN, account="a"), of("B")]), URL, OFF)

    assert html.count('<p lang="de"') == 1


def test_the_id_is_that_of_the_digests_in_whatever_order() -> None:
    one, other = uuid.UUID(int=1), uuid.UUID(int=2)

    assert message_id([one, other]) == message_id([other, one])
    assert len({message_id([one, other]), message_id([one]), one}) == 3


KEYS = ("kestrel", "portside", "ironbridge")


async def several(harbor: Readers, means: Means, choice: object = None) -> dict[str, int]:
    """A steward of four accounts with news of today in each, bad in one; ids by key."""
    ids = {key: await account(harbor.databases, key, name=key.title()) for key in KEYS}
    await harbor.tell()
    for account_id in ids.values():
        for audience in AUDIENCES:
            await tell(harbor.databases, account_id, document(audience=audience.value), 1, harbor.clock())
    await (harbor.choose(STEWARD, choice) if choice else harbor.choose(STEWARD))  # type: ignore[arg-type]
    harbor.clock.advance(timedelta(hours=1))
    await harbor.tell(news("a", "Value rose by 3%."))
    for key, account_id in ids.items():
        for audience in AUDIENCES:
            story = document(news(f"n_{key}", f"News of {key}."), audience=audience.value)
            await tell(harbor.databases, account_id, story, 2, harbor.clock())
    await harbor.run(
        "INSERT INTO bad_news (account_id, insight_id, told_at, position, text)"
        " VALUES (:a, 'n_portside', :now, 0, 'Fell.')",
        a=ids["portside"], now=harbor.clock(),
    )  # fmt: skip
    harbor.clock.advance(DAY)
    return ids


def body(sent: object) -> str:
    return str(sent.get_body(("plain",)).get_content())  # type: ignore[attr-defined]


async def test_a_steward_gets_one_mail_with_all_accounts_and_the_bad_one_first(
    harbor: Readers, means: Means, mail: MailServer
) -> None:
    await several(harbor, means)
    await harbor.serve(means)

    (sent,) = mail.taken
    assert sent["Subject"] == "News from 4 of your accounts, bad from 1"
    places = [body(sent).index(said) for said in ("News of portside.", "Value rose by 3%.", "News of kestrel.")]
    assert places[0] == min(places)
    assert f"{URL}/accounts/portside/story" in body(sent)
    assert [state for _, state in await harbor.states()] == ["sent"] * 4
    marks = await harbor.rows("SELECT version, sent_at FROM digest_mark")
    assert all(mark["version"] == 2 and mark["sent_at"] is not None for mark in marks)

    harbor.clock.advance(DAY)
    await harbor.serve(means)
    assert len(mail.taken) == 1, "what was told is told once"


async def test_of_one_account_with_news_the_mail_is_that_accounts_own(
    harbor: Readers, means: Means, mail: MailServer
) -> None:
    await several(harbor, means)
    await harbor.serve(means)
    await harbor.tell(news("b", "Value rose again."))
    harbor.clock.advance(DAY)
    await harbor.serve(means)

    assert mail.taken[-1]["Subject"] == "Harbor Logistics: 1 thing new in its value story"


async def test_a_webhook_is_called_for_each_account(harbor: Readers, means: Means, receiver: Receiver) -> None:
    await several(harbor, means, hook(receiver))
    await harbor.serve(means)

    told = [json.loads(heard.partition(b"\r\n\r\n")[2])["data"]["account"] for heard in receiver.heard]
    assert sorted(told) == sorted([*KEYS, "harbor"])


@pytest.mark.parametrize("killed", [
    ("claim", "before", 1), ("tried", "after", 1), ("claim", "after", 1), ("transmit", "before", 1),
    ("transmit", "after", 2), ("settle_sent", "before", 2), ("settle_sent", "after", 2),
])  # fmt: skip
async def test_a_worker_that_is_killed_leaves_the_whole_message_to_the_next_try_under_the_same_id(
    harbor: Readers, means: Means, mail: MailServer, monkeypatch: pytest.MonkeyPatch, killed: tuple[str, str, int]
) -> None:
    where, when, arrives = killed
    await several(harbor, means)
    await harbor.look()
    with monkeypatch.context() as killing:
        killing.setattr(sending, where, _dies(getattr(sending, where), after=when == "after"))
        with pytest.raises(Killed):
            await send_next(harbor.databases.worker, means, harbor.clock)
    await harbor.serve(means, timedelta(minutes=10))

    assert [sent["Message-ID"] for sent in mail.taken] == [mail.taken[0]["Message-ID"]] * arrives
    assert {sent["Subject"] for sent in mail.taken} == {"News from 4 of your accounts, bad from 1"}
    assert [state for _, state in await harbor.states()] == ["sent"] * 4


async def test_many_workers_make_one_message_of_it(harbor: Readers, means: Means, mail: MailServer) -> None:
    await several(harbor, means)
    await harbor.choose(USER)
    services = [DigestService(harbor.databases.worker, means, harbor.clock) for _ in range(4)]
    await asyncio.gather(*(service.once() for service in services))

    assert [sent["Subject"] for sent in mail.taken] == ["News from 4 of your accounts, bad from 1"]


async def test_news_that_comes_while_a_message_waits_comes_in_the_next_and_doubles_nothing(
    harbor: Readers, means: Means, mail: MailServer
) -> None:
    ids = await several(harbor, means)
    mail.answers["RCPT"] = "450 come again"
    await harbor.serve(means)
    other = document(news("n_kestrel", "News of kestrel."), news("later", "Later."), audience="steward")
    await tell(harbor.databases, ids["kestrel"], other, 3, harbor.clock())
    mail.answers.clear()
    harbor.clock.advance(DAY)
    await harbor.serve(means)
    harbor.clock.advance(DAY)
    await harbor.serve(means)

    said = " ".join(map(body, mail.taken))
    assert (said.count("News of kestrel."), said.count("Later.")) == (1, 1)
    assert [state for _, state in await harbor.states()] == ["sent"] * 5


async def test_a_steward_who_turned_digests_off_is_sent_none_of_them(
    harbor: Readers, means: Means, mail: MailServer
) -> None:
    await several(harbor, means)
    await harbor.look()
    await harbor.run("UPDATE digest_choice SET channel = 'none'")
    await harbor.serve(means)

    assert mail.taken == []
    assert [state for _, state in await harbor.states()] == ["dropped"] * 4
