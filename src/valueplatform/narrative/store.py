"""Insights and stories in the database: every version that told something else is kept."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Row, func, select, text

from valueplatform.core.database import Transaction
from valueplatform.narrative.document import Audience, Language, StoryDocument
from valueplatform.narrative.faithful import Admitted
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.story import fingerprint
from valueplatform.narrative.tables import story

_NEWEST = text("""
    SELECT DISTINCT ON (insight_id) insight_id, version, CASE WHEN until IS NULL THEN body::text END AS body, until
    FROM insight WHERE account_id = :account AND (until IS NULL OR insight_id = ANY(:ids))
    ORDER BY insight_id, version DESC
""")
_END = text("""
    UPDATE insight SET until = :now WHERE account_id = :account AND until IS NULL AND insight_id = ANY(:ids)
""")
_ADD = text("""
    INSERT INTO insight (account_id, insight_id, version, kind, subject, period_from, period_to, body, since)
    VALUES (:account, :insight_id, :version, :kind, :subject, :period_from, :period_to, CAST(:body AS jsonb), :now)
""")
_NEWEST_STORIES = text("""
    SELECT DISTINCT ON (audience) audience, version, fingerprint, document::text AS document FROM story
    WHERE account_id = :account AND audience = ANY(CAST(:audiences AS text[])) ORDER BY audience, version DESC
""")
_ADD_STORY = text("""
    INSERT INTO story (account_id, audience, version, document, translations, fingerprint, composed_at)
    VALUES (:account, :audience, :version, CAST(:document AS jsonb), CAST(:translations AS jsonb), :fingerprint, :now)
""")
_UPDATE_STORY = text("""
    UPDATE story SET document = CAST(:document AS jsonb), translations = CAST(:translations AS jsonb),
           composed_at = :now
    WHERE account_id = :account AND audience = :audience AND version = :version
""")


class StoredStory(msgspec.Struct, frozen=True):
    """`document` is in the language that was asked for, else in English."""

    version: int
    document: StoryDocument
    fingerprint: str
    composed_at: datetime


class SavedStory(msgspec.Struct, frozen=True):
    """`is_new`: something worth telling changed, so this is a new version. `is_changed`: an open page shows something
    else now."""

    version: int
    is_new: bool
    is_changed: bool


async def save_insights(
    tx: Transaction, account_id: int, admitted: Sequence[Admitted], now: datetime
) -> tuple[str, ...]:
    """Make `admitted` the insights that hold, and end the others. The ids that are new, or say something else now.

    The caller holds the account's lock. A version is added only where numbers or terms changed.
    """
    asked = {"account": account_id, "ids": [one.id for one in admitted]}
    newest = {row.insight_id: row for row in await tx.rows(_NEWEST, asked)}
    changed = [a for a in admitted if not _still_holds(newest.get(a.id), a.insight)]
    holding = {insight_id for insight_id, row in newest.items() if row.until is None}
    ended = (holding - {a.id for a in admitted}) | (holding & {a.id for a in changed})
    if ended:
        await tx.execute(_END, {"account": account_id, "ids": sorted(ended), "now": now})
    if changed:
        await tx.execute(_ADD, [_row(account_id, a, newest.get(a.id), now) for a in changed])
    return tuple(a.id for a in changed)


def _still_holds(row: Row[Any] | None, new: Insight) -> bool:
    if row is None or row.until is not None:
        return False
    old = msgspec.json.decode(row.body, type=Insight)
    return _said(old) == _said(new)


def _said(given: Insight) -> tuple[object, ...]:
    """What a reader could tell apart: importance is not, nor how far the window of an unchanged number reaches."""
    numbers = tuple((n.name, n.value, n.unit, n.standing) for n in given.numbers)
    return numbers, given.terms, given.strength, given.favorable, given.drivers, given.objective


def _row(account_id: int, admitted: Admitted, before: Row[Any] | None, now: datetime) -> dict[str, object]:
    given = admitted.insight
    return {
        "account": account_id,
        "insight_id": admitted.id,
        "version": before.version + 1 if before is not None else 1,
        "kind": given.kind,
        "subject": given.subject,
        "period_from": given.period_from,
        "period_to": given.period_to,
        "body": msgspec.json.encode(given).decode(),
        "now": now,
    }


class Telling(NamedTuple):
    """A story, and what it reads like in other languages, which has no version of its own."""

    document: StoryDocument
    translations: Mapping[Language, StoryDocument]


async def save_story(tx: Transaction, account_id: int, document: StoryDocument, now: datetime) -> SavedStory:
    """`save_stories` of one audience, in one language."""
    (saved,) = await save_stories(tx, account_id, [Telling(document, {})], now)
    return saved


async def save_stories(
    tx: Transaction, account_id: int, tellings: Sequence[Telling], now: datetime
) -> list[SavedStory]:
    """Keep stories, one an audience: a new version where its fingerprint changed, else the newest version brought up
    to date. What was kept of each, in their order.

    The caller holds the account's lock.
    """
    audiences = [told.document.audience for told in tellings]
    rows = await tx.rows(_NEWEST_STORIES, {"account": account_id, "audiences": audiences})
    newest = {row.audience: row for row in rows}
    marks = [fingerprint(told.document) for told in tellings]
    saved = [
        _saved(told.document, mark, newest.get(told.document.audience))
        for told, mark in zip(tellings, marks, strict=True)
    ]
    written = [
        {
            "account": account_id,
            "audience": told.document.audience,
            "version": kept.version,
            "document": msgspec.json.encode(told.document).decode(),
            "translations": msgspec.json.encode(dict(told.translations)).decode(),
            "fingerprint": mark,
            "now": now,
        }
        for told, mark, kept in zip(tellings, marks, saved, strict=True)
    ]
    for statement, is_new in ((_ADD_STORY, True), (_UPDATE_STORY, False)):
        own = [row for row, kept in zip(written, saved, strict=True) if kept.is_new is is_new]
        if own:
            await tx.execute(statement, own)
    return saved


def _saved(document: StoryDocument, mark: str, before: Row[Any] | None) -> SavedStory:
    if before is None:
        return SavedStory(1, is_new=True, is_changed=True)
    if before.fingerprint != mark:
        return SavedStory(before.version + 1, is_new=True, is_changed=True)
    known = msgspec.json.decode(before.document, type=StoryDocument)
    return SavedStory(before.version, is_new=False, is_changed=_timeless(known) != _timeless(document))


def _timeless(document: StoryDocument) -> StoryDocument:
    return msgspec.structs.replace(document, composed_at=None)


async def newest_story(
    tx: Transaction, account_id: int, audience: Audience, language: Language = Language.ENGLISH
) -> StoredStory | None:
    """None before the first is composed."""
    return await story_version(tx, account_id, audience, None, language)


async def story_version(
    tx: Transaction,
    account_id: int,
    audience: Audience,
    version: int | None,
    language: Language = Language.ENGLISH,
) -> StoredStory | None:
    """One version, or the newest; None where there is no such version."""
    asked = func.coalesce(story.c.translations[language.value], story.c.document)
    query = select(story.c.version, story.c.fingerprint, story.c.composed_at, asked.label("document")).where(
        story.c.account_id == account_id, story.c.audience == audience.value
    )
    if version is not None:
        query = query.where(story.c.version == version)
    row = await tx.row(query.order_by(story.c.version.desc()).limit(1))
    if row is None:
        return None
    return StoredStory(row.version, msgspec.convert(row.document, StoryDocument), row.fingerprint, row.composed_at)


class EarlierStory(msgspec.Struct, frozen=True):
    version: int
    headline: str
    composed_at: datetime


async def earlier_stories(
    tx: Transaction, account_id: int, audience: Audience, limit: int = 12
) -> tuple[EarlierStory, ...]:
    """Versions before the newest, newest first."""
    query = (
        select(story)
        .where(story.c.account_id == account_id, story.c.audience == audience.value)
        .order_by(story.c.version.desc())
        .offset(1)
        .limit(limit)
    )
    return tuple(
        EarlierStory(row.version, msgspec.convert(row.document, StoryDocument).headline.text, row.composed_at)
        for row in await tx.rows(query)
    )
