"""A digest as an e-mail: plain text, and the same in HTML. Every sentence links to where it stands."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Final
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from valueplatform.narrative.document import Audience
from valueplatform.stewardship.digests.content import BAD_NEWS, Digest, Line

WIDTH: Final = 78
UNSUBSCRIBE_PATH: Final = "/unsubscribe"
SETTINGS_PATH: Final = "/settings"
MARKS: Final = {
    "ahead": "▲ Ahead",
    "on-plan": "● On plan",
    "behind": "▼ Behind",
    "insufficient-data": "◌ Insufficient data",
}


@cache
def templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


@dataclass(frozen=True, slots=True)
class Envelope:
    """From whom to whom, when, under which id; `domain` is the sender's."""

    digest_id: UUID
    sender: str
    domain: str
    to: str
    at: datetime


def digest_mail(digest: Digest, envelope: Envelope, public_url: str, token: str) -> EmailMessage:
    """The message; made again from the same digest it is the same, with the same Message-ID.

    `token` unsubscribes its reader. Raises ValueError for an address that cannot stand in a header.
    """
    off = f"{public_url}{UNSUBSCRIBE_PATH}/{token}"
    text, html = digest_text(digest, public_url, off), digest_html(digest, public_url, off)
    return message(envelope, digest.subject, off, text, html)


def message(envelope: Envelope, subject: str, off: str, text: str, html: str) -> EmailMessage:
    """`off` is where its reader unsubscribes. Raises ValueError for an address that cannot stand in a header."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = envelope.sender
    mail["To"] = envelope.to
    mail["Subject"] = subject
    mail["Date"] = format_datetime(envelope.at)
    mail["Message-ID"] = f"<{envelope.digest_id}@{envelope.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["List-Unsubscribe"] = f"<{off}>"
    if off.startswith("https://"):  # RFC 8058 asks for it
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(text, cte="quoted-printable")
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    return mail


def title_of(digest: Digest) -> str:
    """What stands above the new lines."""
    if digest.kind == BAD_NEWS:
        return "Told for the first time"
    if digest.since_version:
        return "New since you were last told"
    return f"{'Its' if digest.audience == Audience.STEWARD.value else 'Your'} story has begun"


def why_sent(digest: Digest) -> str:
    if digest.kind == BAD_NEWS:
        return f"You asked to hear of bad news at once, as the steward of {digest.account_name}."
    return f"You chose to be told what is new in the value story of {digest.account_name}."


def digest_text(digest: Digest, public_url: str, off: str) -> str:
    return "\n".join(_lines(digest, public_url, off)) + "\n"


def _lines(digest: Digest, public_url: str, off: str) -> Iterator[str]:
    yield f"{' '.join(digest.account_name.split())}   {digest.period}   {MARKS[digest.status]}"
    yield ""
    yield from textwrap.wrap(digest.headline.text, WIDTH)
    if digest.lead:
        yield ""
        yield from textwrap.wrap(" ".join(line.text for line in digest.lead), WIDTH)
    yield ""
    yield title_of(digest)
    yield "-" * len(title_of(digest))
    for line in digest.lines:
        yield ""
        yield from textwrap.wrap(line.text, WIDTH - 2, initial_indent="* ", subsequent_indent="  ")
        yield f"  {public_url}{line.path}"
    yield ""
    yield f"The whole story: {public_url}{digest.story_path}"
    yield ""
    yield from textwrap.wrap(why_sent(digest), WIDTH)
    yield f"Settings: {public_url}{SETTINGS_PATH}"
    yield f"Unsubscribe: {off}"


def digest_html(digest: Digest, public_url: str, off: str) -> str:
    def href(line: Line) -> str:
        return public_url + line.path

    return (
        templates()
        .get_template("digest.html")
        .render(
            digest=digest,
            mark=MARKS[digest.status],
            title=title_of(digest),
            why=why_sent(digest),
            href=href,
            story=public_url + digest.story_path,
            settings=public_url + SETTINGS_PATH,
            off=off,
            behind=digest.status == "behind",
            its=digest.audience == Audience.STEWARD.value,
        )
    )
