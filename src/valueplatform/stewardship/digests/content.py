"""What a digest says: the story as it stands, and what is new in it. Sentences are those of the page, word for word."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import msgspec

from valueplatform.core.database import Transaction
from valueplatform.narrative.anchors import anchors
from valueplatform.narrative.document import Audience, Language, Sentence, StoryDocument
from valueplatform.narrative.forms import dateline
from valueplatform.narrative.since import SinceLine
from valueplatform.narrative.store import StoredStory, newest_story
from valueplatform.stewardship.bad_news import BadNews, open_bad_news

DIGEST: Final = "digest"
BAD_NEWS: Final = "bad-news"
_NAMESPACE: Final = uuid.UUID("5d0c3f0e-8a0b-4b8e-9a53-6a5b3f0f6a2c")
"""Any will do; ids of digests are names in it."""


class Line(msgspec.Struct, frozen=True):
    """One sentence; `path` is where it stands, from the root of the pages."""

    text: str
    insight_id: str
    path: str


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """`lines` are new since `since_version`; headline, lead and status say how it stands. For `kind` bad-news the lines
    are the bad news alone. `language` is that of the sentences; what stands around them is English. `bad` are the
    insights of the lines that are bad news, for a steward."""

    kind: str
    supplier: str
    account: str
    account_name: str
    audience: str
    version: int
    since_version: int
    composed_at: datetime
    period: str
    status: str
    reason: str
    headline: Line
    lead: tuple[Line, ...]
    lines: tuple[Line, ...]
    story_path: str
    language: Language = Language.ENGLISH
    bad: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """One line, whatever a name has in it."""
        if self.kind == BAD_NEWS:
            said = f"{self.account_name}: {self.lines[0].text}"
        else:
            said = f"{self.account_name}: {_count(len(self.lines))} new in your value story"
            if self.audience == Audience.STEWARD.value:
                said = f"{self.account_name}: {_count(len(self.lines))} new in its value story"
        return one_line(said)


def one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _count(number: int) -> str:
    return "1 thing" if number == 1 else f"{number} things"


class Subject(msgspec.Struct, frozen=True):
    """Of which account a digest is, and who sends it."""

    account_id: int
    key: str
    name: str
    supplier: str


def digest_id(account_id: int, user_id: int, kind: str, what: str) -> uuid.UUID:
    """The same for the same news to the same reader, so that it is queued once."""
    return uuid.uuid5(_NAMESPACE, f"{account_id}/{user_id}/{kind}/{what}")


async def story_digest(
    tx: Transaction,
    subject: Subject,
    audience: Audience,
    stored: StoredStory,
    lines: Sequence[SinceLine],
    since_version: int,
) -> Digest:
    digest = _digest(DIGEST, subject, audience, stored, await _places(tx, subject, audience), lines, since_version)
    if audience is not Audience.STEWARD:
        return digest
    told = {line.insight_id for line in digest.lines}
    bad = [one.insight_id for one in await open_bad_news(tx, subject.account_id) if one.insight_id in told]
    return msgspec.structs.replace(digest, bad=tuple(bad))


async def bad_news_digest(tx: Transaction, subject: Subject, stored: StoredStory, news: Sequence[BadNews]) -> Digest:
    """What the steward is told at once."""
    lines = [SinceLine(one.text, one.insight_id) for one in news]
    places = await _places(tx, subject, Audience.STEWARD)
    return _digest(BAD_NEWS, subject, Audience.STEWARD, stored, places, lines, stored.version)


class _Places(msgspec.Struct, frozen=True):
    """Where sentences stand on the page, which shows the customer's story to everybody."""

    base: str
    found: dict[str, str]

    def line(self, text: str, insight_id: str) -> Line:
        anchor = self.found.get(insight_id)
        path = f"{self.base}/story#{quote(anchor, safe='')}" if anchor else f"/proof/{quote(insight_id, safe='')}"
        return Line(text, insight_id, path)

    def sentence(self, sentence: Sentence) -> Line:
        return self.line(sentence.text, sentence.insight_id)


async def _places(tx: Transaction, subject: Subject, audience: Audience) -> _Places:
    base = f"/accounts/{quote(subject.key, safe='')}" if audience is Audience.STEWARD else ""
    shown = await newest_story(tx, subject.account_id, Audience.CUSTOMER)
    return _Places(base, anchors(shown.document) if shown is not None else {})


def _digest(
    kind: str,
    subject: Subject,
    audience: Audience,
    stored: StoredStory,
    places: _Places,
    lines: Sequence[SinceLine],
    since_version: int,
) -> Digest:
    document: StoryDocument = stored.document
    began = kind == DIGEST and since_version <= 0  # all of it is new: what leads the story is told once
    return Digest(
        kind=kind,
        supplier=subject.supplier,
        account=subject.key,
        account_name=subject.name,
        audience=audience.value,
        version=stored.version,
        since_version=since_version,
        composed_at=stored.composed_at,
        period=dateline(document),
        status=document.status.value,
        reason=document.reason,
        headline=places.sentence(document.headline),
        lead=() if began else tuple(map(places.sentence, document.lead)),
        lines=tuple(places.line(line.text, line.insight_id) for line in lines[began:] or lines),
        story_path=f"{places.base}/story",
        language=document.language,
    )


def digest_json(digest: Digest, public_url: str) -> dict[str, Any]:
    """As webhooks carry it; addresses are whole."""

    def line(one: Line) -> dict[str, str]:
        return {"text": one.text, "insight_id": one.insight_id, "url": public_url + one.path}

    def lines(several: Sequence[Line]) -> list[dict[str, str]]:
        return [line(one) for one in several]

    return {
        "account": digest.account,
        "account_name": digest.account_name,
        "audience": digest.audience,
        "language": digest.language.value,
        "version": digest.version,
        "since_version": digest.since_version,
        "composed_at": digest.composed_at.isoformat(),
        "period": digest.period,
        "status": digest.status,
        "reason": digest.reason,
        "headline": line(digest.headline),
        "lead": lines(digest.lead),
        "since": lines(digest.lines),
        "url": public_url + digest.story_path,
    }
