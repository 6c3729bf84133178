"""A digest as an e-mail: the same in both forms, every sentence a link; a name becomes neither markup nor header."""

import re
import uuid
from datetime import UTC, datetime

import pytest

from valueplatform.stewardship.digests.content import BAD_NEWS, DIGEST, Digest, Line
from valueplatform.stewardship.digests.mail import Envelope, digest_html, digest_mail, digest_text

URL = "https://value.example"
OFF = f"{URL}/unsubscribe/1.a"
AT = datetime(2026, 6, 15, 6, tzinfo=UTC)
ID = uuid.UUID(int=7)


def a_digest(**changes: object) -> Digest:
    given: dict[str, object] = {
        "kind": DIGEST, "supplier": "Fieldnote", "account": "harbor", "account_name": "Harbor Logistics",
        "audience": "customer", "version": 4, "since_version": 3, "composed_at": AT, "period": "1 Jan to 14 Jun 2026",
        "status": "behind", "reason": "", "headline": Line("You have realized $451K.", "ins_1", "/story#stand"),
        "lead": (Line("That is below plan.", "ins_2", "/story#stand"),),
        "lines": (Line("Repeat visits fell by $1,568.", "ins_3", "/story#c-visits"),), "story_path": "/story",
    }  # fmt: skip
    return Digest(**(given | changes))  # type: ignore[arg-type] # a test may try what is not allowed


def envelope(to: str = "una@harbor.example") -> Envelope:
    return Envelope(ID, "Fieldnote <value@fieldnote.example>", "fieldnote.example", to, AT)


def test_every_sentence_stands_in_both_forms_word_for_word_with_its_link() -> None:
    digest = a_digest()
    text, html = digest_text(digest, URL, OFF), digest_html(digest, URL, OFF)
    for line in (digest.headline, *digest.lead, *digest.lines):
        assert line.text in " ".join(text.split())
        assert f'href="{URL}{line.path}"' in html
        assert line.text in html
    for line in digest.lines:
        assert URL + line.path in text


@pytest.mark.parametrize("public_url", [URL, "http://127.0.0.1:8000"])
def test_one_click_is_offered_where_it_is_safe_and_unsubscribing_everywhere(public_url: str) -> None:
    mail = digest_mail(a_digest(), envelope(), public_url, "1.a")

    assert mail["List-Unsubscribe"] == f"<{public_url}/unsubscribe/1.a>"
    assert (mail["List-Unsubscribe-Post"] is not None) is public_url.startswith("https")
    assert "/unsubscribe/1.a" in digest_text(a_digest(), public_url, f"{public_url}/unsubscribe/1.a")


def test_made_again_it_is_the_same_but_for_the_boundary() -> None:
    one, other = (digest_mail(a_digest(), envelope(), URL, "1.a").as_string() for _ in range(2))

    assert re.sub("=====+[0-9]+==", "", one) == re.sub("=====+[0-9]+==", "", other)


@pytest.mark.parametrize(
    "name", ["A\r\nBcc: x@y.example", "A\nB", "A\u2028B", "\u202eA", "<script>", "é" * 300, "A\x00B"]
)
def test_a_name_is_one_line_of_the_subject(name: str) -> None:
    mail = digest_mail(a_digest(account_name=name), envelope(), URL, "1.a")

    assert mail["Bcc"] is None
    assert str(mail["Subject"]).isprintable()
    assert b"\nBcc" not in mail.as_bytes().partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize("to", ["a@b.example\r\nBcc: c@d.example", "a@b.example\nX: y"])
def test_an_address_that_would_add_a_header_is_refused(to: str) -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline|header"):
        digest_mail(a_digest(), envelope(to), URL, "1.a")


def test_markup_stays_text() -> None:
    hostile = "<img src=x onerror=alert(1)>'\"{{ 7 * 7 }}"
    line = Line(hostile, "ins_x", '/story#"><script>')
    html = digest_html(a_digest(headline=line, lines=(line,), account_name=hostile, supplier=hostile), URL, OFF)

    assert "<img" not in html
    assert "<script" not in html
    assert "49" not in html


def test_bad_news_says_so_and_a_story_that_began_is_told_once() -> None:
    bad = a_digest(kind=BAD_NEWS, audience="steward")
    assert "Told for the first time" in digest_text(bad, URL, OFF)
    assert bad.subject == "Harbor Logistics: Repeat visits fell by $1,568."

    assert "Your story has begun" in digest_html(a_digest(since_version=0), URL, OFF)
    assert "Its story has begun" in digest_html(a_digest(since_version=0, audience="steward"), URL, OFF)
