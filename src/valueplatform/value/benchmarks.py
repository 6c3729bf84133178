"""All that a run made of how accounts compare: figures of cohorts, what goes with a high one, and which inputs they
validated. Pure."""

from datetime import date
from typing import Final

import msgspec

from valueplatform.value.adopted import Adopted
from valueplatform.value.agreed_values import Agreed
from valueplatform.value.benchmark import EVERYBODY, Figure, Per, Withheld
from valueplatform.value.cohort_traits import Told
from valueplatform.value.practice import Practice
from valueplatform.value.typical_inputs import Typical

LEAST_AGAINST: Final = 30
"""Fewer accounts may hide that value grows with scale."""


class Benchmarks(msgspec.Struct, frozen=True):
    """What a run made, of which months. It names no account."""

    months: tuple[date, ...]
    scale: str | None
    figures: tuple[Figure, ...] = ()
    practices: tuple[Practice, ...] = ()
    values: tuple[Agreed, ...] = ()
    typical: tuple[Typical, ...] = ()
    adopted: tuple[Adopted, ...] = ()
    traits: tuple[Told, ...] = ()

    def figure(self, segment: str | None, driver: str, unit: str, per: Per) -> Figure | None:
        """Of the segment where that is a cohort, else of all; None where neither is."""
        for wanted in (segment or EVERYBODY, EVERYBODY):
            found = self.exactly(wanted, driver, unit, per)
            if found is not None and found.withheld is None:
                return found
        return None

    def practice(self, segment: str | None, driver: str) -> Practice | None:
        """Of the segment where its groups are large enough, else of all; None where neither's are."""
        for wanted in (segment or EVERYBODY, EVERYBODY):
            for one in self.practices:
                if (one.segment, one.driver) == (wanted, driver):
                    return one
        return None

    def why_not(self, driver: str, unit: str, per: Per) -> Withheld:
        """Why not even all accounts together are a cohort."""
        found = self.exactly(EVERYBODY, driver, unit, per)
        return found.withheld if found is not None and found.withheld is not None else Withheld.FEW

    @property
    def scale_tells(self) -> bool | None:
        """Whether what accounts realize grows with the scale, beyond chance; None where too few tell."""
        told = next((one for one in self.traits if one.attribute == self.scale), None)
        if told is None or (not told.holds and told.accounts < LEAST_AGAINST):
            return None
        return told.holds and told.strength > 0

    def exactly(self, segment: str, driver: str, unit: str, per: Per) -> Figure | None:
        asked = (segment, driver, unit, per)
        return next((one for one in self.figures if (one.segment, one.driver, one.unit, one.per) == asked), None)
