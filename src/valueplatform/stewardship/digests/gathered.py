"""The digests of one steward's accounts in one e-mail: what is bad first, bounded, every line a link.

Each account keeps a digest of its own in the outbox; what was composed in one pass is sent together. Webhooks are read
by machines and stay one for each account.
"""

import textwrap
import uuid
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from typing import Final

import msgspec

from valueplatform.stewardship.digests.content import Digest, Line, one_line
from valueplatform.stewardship.digests.mail import (
    MARKS,
    SETTINGS_PATH,
    UNSUBSCRIBE_PATH,
    WIDTH,
    Envelope,
    message,
    templates,
)

MOST_ACCOUNTS: Final = 12
"""Told with sentences; further ones are named."""
MOST_LINES: Final = 3
"""Sentences of one account; its story has the others."""
MOST_NAMES: Final = 30
PORTFOLIO_PATH: Final = "/portfolio"
BEHIND: Final = "behind"
BAD: Final = "▼"
WHY: Final = "You chose to be told what is new in the value stories of your accounts."
_NAMESPACE: Final = uuid.UUID("0b0c9a52-1c2d-4b53-9a3f-2f6f3b1b8a77")
"""Any will do; ids of messages are names in it."""


class Told(msgspec.Struct, frozen=True):
    """One account in the message: its first lines with whether each is bad news, and how many more its story has."""

    digest: Digest
    lines: tuple[tuple[Line, bool], ...]
    more: int

    @property
    def name(self) -> str:
        return one_line(self.digest.account_name)

    @property
    def mark(self) -> str:
        return MARKS[self.digest.status]

    @property
    def behind(self) -> bool:
        return self.digest.status == BEHIND


class Gathered(msgspec.Struct, frozen=True):
    """`told` in order of what matters, `named` the first of what is left, `more` how many have no room for a name."""

    supplier: str
    told: tuple[Told, ...]
    named: tuple[str, ...]
    more: int
    bad: int

    @property
    def subject(self) -> str:
        number = len(self.told) + len(self.named) + self.more
        said = f"News from {number} of your accounts"
        return one_line(f"{said}, bad from {self.bad}" if self.bad else said)


def gathered(digests: Sequence[Digest]) -> Gathered:
    """Accounts with bad news first, then those behind their commitment, then those with most news."""
    order = sorted(digests, key=_place)
    left = [one_line(digest.account_name) for digest in order[MOST_ACCOUNTS:]]
    return Gathered(
        supplier=order[0].supplier,
        told=tuple(map(_told, order[:MOST_ACCOUNTS])),
        named=tuple(left[:MOST_NAMES]),
        more=len(left[MOST_NAMES:]),
        bad=sum(bool(digest.bad) for digest in order),
    )


def _place(digest: Digest) -> tuple[bool, bool, int, int, str, str]:
    behind = digest.status == BEHIND
    return not digest.bad, not behind, -len(digest.bad), -len(digest.lines), digest.account_name, digest.account


def _told(digest: Digest) -> Told:
    lines = sorted(((line, line.insight_id in digest.bad) for line in digest.lines), key=lambda one: not one[1])
    return Told(digest, tuple(lines[:MOST_LINES]), len(lines[MOST_LINES:]))


def message_id(ids: Sequence[uuid.UUID]) -> uuid.UUID:
    """Of the message that carries these digests: the same for the same ones."""
    return uuid.uuid5(_NAMESPACE, " ".join(sorted(map(str, ids))))


def gathered_mail(digests: Sequence[Digest], envelope: Envelope, public_url: str, token: str) -> EmailMessage:
    """As `mail.digest_mail`. Raises ValueError for an address that cannot stand in a header."""
    off, all_of_it = f"{public_url}{UNSUBSCRIBE_PATH}/{token}", gathered(digests)
    text, html = gathered_text(all_of_it, public_url, off), gathered_html(all_of_it, public_url, off)
    return message(envelope, all_of_it.subject, off, text, html)


def gathered_text(all_of_it: Gathered, public_url: str, off: str) -> str:
    return "\n".join(_lines(all_of_it, public_url, off)) + "\n"


def _lines(all_of_it: Gathered, public_url: str, off: str) -> Iterator[str]:
    yield all_of_it.subject
    for one in all_of_it.told:
        yield ""
        yield f"{one.name}   {one.mark}"
        yield "-" * min(len(one.name), WIDTH)
        for line, is_bad in one.lines:
            said = f"{BAD} {line.text}" if is_bad else line.text
            yield from textwrap.wrap(said, WIDTH - 2, initial_indent="* ", subsequent_indent="  ")
            yield f"  {public_url}{line.path}"
        if one.more:
            yield f"{one.more} more in its story: {public_url}{one.digest.story_path}"
    yield ""
    if all_of_it.named:
        yield from textwrap.wrap(also(all_of_it), WIDTH)
    yield f"Your portfolio: {public_url}{PORTFOLIO_PATH}"
    yield ""
    yield from textwrap.wrap(WHY, WIDTH)
    yield f"Settings: {public_url}{SETTINGS_PATH}"
    yield f"Unsubscribe: {off}"


def also(all_of_it: Gathered) -> str:
    """Accounts that have no sentences here."""
    rest = f" and {all_of_it.more} more" if all_of_it.more else ""
    return f"There is news from {', '.join(all_of_it.named)}{rest} too."


def gathered_html(all_of_it: Gathered, public_url: str, off: str) -> str:
    def href(line: Line) -> str:
        return public_url + line.path

    return (
        templates()
        .get_template("gathered.html")
        .render(
            gathered=all_of_it,
            also=also(all_of_it) if all_of_it.named else "",
            why=WHY,
            bad_mark=BAD,
            href=href,
            url=public_url,
            portfolio=public_url + PORTFOLIO_PATH,
            settings=public_url + SETTINGS_PATH,
            off=off,
        )
    )
