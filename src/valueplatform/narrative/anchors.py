"""Where on the story's page each sentence stands; links from elsewhere lead there."""

from typing import Final

from valueplatform.narrative.document import Chapter, StoryDocument

STAND: Final = "stand"
"""Of headline and lead."""


def chapter_anchor(chapter: Chapter) -> str:
    """Apart from the ids that the page itself uses."""
    return f"c-{chapter.id}"


def anchors(document: StoryDocument) -> dict[str, str]:
    """The anchor of each sentence and note, by insight."""
    found: dict[str, str] = {}
    for chapter in document.chapters:
        ids = [sentence.insight_id for sentence in chapter.insights] + [note.insight_id for note in chapter.notes]
        found |= dict.fromkeys(ids, chapter_anchor(chapter))
    return found | {sentence.insight_id: STAND for sentence in (document.headline, *document.lead)}
