"""What would be said twice: sentences that hold nothing but what another sentence of the story has said.

Amounts are compared as exact values, so nothing is taken for a repeat that differs by a cent.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from valueplatform.narrative.document import Chapter, Sentence

_SINCE: Final = frozenset({"go-live", "milestone"})
_STANDINGS: Final = frozenset({"attainment", "realized", "estimated"})
FEW_PARTS: Final = 2
"""So many drivers with value need no sentence on which of them are the largest: their chapters say it."""

Amount = tuple[Decimal, str]


def without_repeats(headline: Sentence, chapters: Sequence[Chapter]) -> tuple[Chapter, ...]:
    """The chapters without sentences that repeat another; a chapter of which nothing is left goes with them. A note
    beside a sentence that goes moves to the first that stays."""
    told = [(chapter, sentence) for chapter in chapters for sentence in chapter.insights]
    repeated = {
        sentence.insight_id
        for chapter, sentence in told
        if _repeats_headline(sentence, headline)
        or _repeats_drivers_estimate(sentence, chapter, told)
        or _repeats_cause(sentence, told)
        or _repeats_parts(sentence, told)
    }
    return tuple(kept for chapter in chapters if (kept := _without(chapter, repeated)) is not None)


def _without(chapter: Chapter, repeated: set[str]) -> Chapter | None:
    kept = tuple(sentence for sentence in chapter.insights if sentence.insight_id not in repeated)
    if not kept:
        return None
    moved = tuple(
        msgspec.structs.replace(note, beside=kept[0].insight_id) if note.beside in repeated else note
        for note in chapter.notes
    )
    return msgspec.structs.replace(chapter, insights=kept, notes=moved)


def _repeats_headline(sentence: Sentence, headline: Sentence) -> bool:
    """Since a day before the first value, as much was realized as in all."""
    return sentence.kind in _SINCE and amount(sentence, "since") == amount(headline, "realized")


def _repeats_drivers_estimate(sentence: Sentence, chapter: Chapter, told: Iterable[tuple[Chapter, Sentence]]) -> bool:
    """What is estimated beside the total is all of one driver, whose chapter says so."""
    if sentence.kind != "estimated-beside":
        return False
    whole = amount(sentence, "estimated")
    others = (one for other, one in told if other is not chapter and one.kind in {"estimated", "estimated-beside"})
    return any(amount(one, "estimated") == whole for one in others) and not chapter.meta


def _repeats_cause(sentence: Sentence, told: Iterable[tuple[Chapter, Sentence]]) -> bool:
    """A driver's change that stands among the causes of the total's, and says no cause of its own."""
    change = amount(sentence, "change")
    if sentence.kind not in {"period-over-period", "month-so-far"} or change is None:
        return False
    if amount(sentence, "volume") is not None:
        return False
    causes = (one for _, one in told if one.kind == "change-contributors" and one.period_from == sentence.period_from)
    return any(change == amount(cause, name) for cause in causes for name in ("first", "second", "third"))


def _repeats_parts(sentence: Sentence, told: Sequence[tuple[Chapter, Sentence]]) -> bool:
    """The largest parts of a total that has no others, where the drivers' chapters say the same amounts."""
    if sentence.kind != "top-contributors":
        return False
    standings = {amount(one, name) for _, one in told if one.kind in _STANDINGS for name in ("realized", "estimated")}
    drivers = {one.insight_id for _, one in told if one.kind in _STANDINGS}
    return len(drivers) <= FEW_PARTS and {amount(sentence, "first"), amount(sentence, "second")} <= standings


def amount(sentence: Sentence, name: str) -> Amount | None:
    return next(
        ((Decimal(n.value), n.unit or "") for n in sentence.numbers if n.name == name and n.value is not None), None
    )
