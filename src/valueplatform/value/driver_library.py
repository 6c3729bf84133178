"""The driver library: every driver of the model by objective, benefit class, category, stage and persona. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from valueplatform.core.errors import NotFoundError
from valueplatform.value.accruals import input_names
from valueplatform.value.formula import Formula
from valueplatform.value.library_check import words_of
from valueplatform.value.model import Baseline, BenefitClass, Driver, Evidence, Rate, ValueModel
from valueplatform.value.ranges import Range

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SIGNS: Final = {" * ": " \N{MULTIPLICATION SIGN} ", " - ": " \N{MINUS SIGN} "}


class Shelf(msgspec.Struct, frozen=True):
    """Which drivers are asked for; None = all."""

    objective: str | None = None
    benefit_class: BenefitClass | None = None
    category: str | None = None
    stage: str | None = None
    persona: str | None = None

    def holds(self, driver: Driver) -> bool:
        right_class = self.benefit_class is None or driver.benefit_class is self.benefit_class
        asked = (
            (self.objective, "objectives"),
            (self.category, "category"),
            (self.stage, "stages"),
            (self.persona, "personas"),
        )
        return right_class and all(word is None or word in words_of(driver, field) for word, field in asked)


class MeterRead(msgspec.Struct, frozen=True):
    slug: str
    title: str
    unit: str | None
    version: int


class InputRead(msgspec.Struct, frozen=True):
    """An assumption or baseline. `low` to `high` is what holds where no segment and no account says otherwise, null
    where nothing does; `segments` say otherwise. `method` is of baselines."""

    slug: str
    title: str
    unit: str
    version: int
    low: Decimal | None
    expected: Decimal | None
    high: Decimal | None
    segments: Mapping[str, Range]
    method: str | None


class LibraryDriver(msgspec.Struct, frozen=True):
    """`formula` is what is computed, `in_words` the same with titles. `evidence` is a ceiling. `cap` is what all
    drivers of the pool, `pool_with` among them, may come to in a month. `play` says how the value is delivered."""

    slug: str
    title: str
    description: str | None
    version: int
    benefit_class: BenefitClass
    category: str | None
    objectives: Sequence[str]
    stages: Sequence[str]
    personas: Sequence[str]
    play: str | None
    unit: str
    formula: str
    in_words: str
    meters: Sequence[MeterRead]
    baselines: Sequence[InputRead]
    assumptions: Sequence[InputRead]
    evidence: Evidence
    provider: str
    features: Sequence[str]
    pool: str | None
    pool_with: Sequence[str]
    cap: str | None
    counterfactual: str | None
    sunset: date | None
    effective_from: date | None
    effective_to: date | None


class Shelves(msgspec.Struct, frozen=True):
    """The words that there are to choose from, in the order of the model."""

    objectives: Sequence[str]
    benefit_classes: Sequence[str]
    categories: Sequence[str]
    stages: Sequence[str]
    personas: Sequence[str]


def shelves(model: ValueModel) -> Shelves:
    def words(field: str) -> list[str]:
        return list(dict.fromkeys(word for driver in model.drivers for word in words_of(driver, field)))

    classes = [str(one) for one in BenefitClass if any(driver.benefit_class is one for driver in model.drivers)]
    return Shelves(words("objectives"), classes, words("category"), words("stages"), words("personas"))


def library(model: ValueModel, shelf: Shelf) -> list[LibraryDriver]:
    """In the order of the model."""
    return [library_driver(model, driver) for driver in model.drivers if shelf.holds(driver)]


def driver_of(model: ValueModel, slug: str) -> Driver:
    """Raises NotFoundError."""
    driver = model.driver(slug)
    if driver is None:
        raise NotFoundError(f"There is no driver {slug!r}.")
    return driver


def library_driver(model: ValueModel, driver: Driver) -> LibraryDriver:
    names = Formula.parse(driver.formula).names
    reads = names | input_names(model, driver)
    return LibraryDriver(
        slug=driver.slug,
        title=driver.label,
        description=driver.description,
        version=driver.version,
        benefit_class=driver.benefit_class,
        category=driver.category,
        objectives=driver.objectives,
        stages=driver.stages,
        personas=driver.personas,
        play=driver.play,
        unit=driver.unit,
        formula=driver.formula,
        in_words=in_words(model, driver.formula),
        meters=[
            MeterRead(one.slug, one.title or one.slug, one.unit, one.version)
            for one in model.meters
            if one.slug in names
        ],
        baselines=[_input(one) for one in model.baselines if one.slug in reads],
        assumptions=[_input(one) for one in model.assumptions if one.slug in reads],
        evidence=driver.evidence,
        provider=driver.provider,
        features=driver.features,
        pool=driver.pool,
        pool_with=[one.slug for one in model.drivers if driver.pool and one.pool == driver.pool and one != driver],
        cap=model.cap_of(driver),
        counterfactual=driver.counterfactual,
        sunset=driver.sunset,
        effective_from=driver.effective_from,
        effective_to=driver.effective_to,
    )


def in_words(model: ValueModel, formula: str) -> str:
    """The formula with titles in place of slugs."""
    titles = {one.slug: one.title or one.slug for one in model.meters}
    titles |= {one.slug: one.label for one in (*model.baselines, *model.assumptions)}
    text = formula
    for sign, shown in _SIGNS.items():
        text = text.replace(sign, shown)
    return _NAME.sub(lambda found: _lower(titles[found[0]]) if found[0] in titles else found[0], text)


def _lower(title: str) -> str:
    """As in the middle of a sentence, unless it begins with an abbreviation."""
    return title if title[1:2].isupper() else f"{title[:1].lower()}{title[1:]}"


def _input(rate: Rate) -> InputRead:
    default = rate.default
    return InputRead(
        slug=rate.slug,
        title=rate.label,
        unit=rate.unit,
        version=rate.version,
        low=None if default is None else default.low,
        expected=None if default is None else default.expected,
        high=None if default is None else default.high,
        segments={one.segment: one.value for one in rate.segments},
        method=str(rate.method) if isinstance(rate, Baseline) else None,
    )
