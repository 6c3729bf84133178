"""What is better known of the driver library: how each driver is delivered, and words that differ in case alone."""

from collections.abc import Iterator, Sequence
from typing import Final

from valueplatform.value.driver_kinds import Disruption, Effort
from valueplatform.value.model import Driver, ValueModel
from valueplatform.value.model_findings import Finding, Place

LONGEST_PLAY: Final = 2000
_SHELVES: Final = (("objective", "objectives"), ("category", "category"), ("stage", "stages"), ("persona", "personas"))


def library_warnings(model: ValueModel) -> Iterator[Finding]:
    """Where some drivers have a play and others none; a play that nobody reads to its end; words spelled two ways.
    Nobody delivers a disruption or an effort."""
    plays = any(driver.play for driver in model.drivers)
    for number, driver in enumerate(model.drivers, 1):
        at = Place("driver", number, driver.slug, "play")
        if plays and not driver.play and not isinstance(driver.kind, Disruption | Effort):
            yield Finding(at, "is missing, and other drivers have one", "say how this value is delivered")
        elif driver.play and len(driver.play) > LONGEST_PLAY:
            message = f"has {len(driver.play):,} characters"
            yield Finding(at, message, f"say it in at most {LONGEST_PLAY:,}, and link to the rest")
    yield from _spelling_warnings(model)


def _spelling_warnings(model: ValueModel) -> Iterator[Finding]:
    for key, field in _SHELVES:
        spelled: dict[str, str] = {}
        seen: set[str] = set()
        for number, driver in enumerate(model.drivers, 1):
            for word in words_of(driver, field):
                first = spelled.setdefault(word.casefold(), word)
                is_new = word not in seen
                seen.add(word)
                if is_new and first != word:
                    message = f'"{word}" and "{first}" are told apart in the driver library'
                    yield Finding(Place("driver", number, driver.slug, key), message, "spell them alike")


def words_of(driver: Driver, field: str) -> Sequence[str]:
    """What the driver says under a field of the library."""
    said = getattr(driver, field)
    return said if isinstance(said, tuple) else ((said,) if said else ())
