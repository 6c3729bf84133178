"""The driver library as the supplier's people see it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from urllib.parse import quote, urlencode

from valueplatform.core.periods import local_day
from valueplatform.portal.catalog_view import PATH as CATALOG
from valueplatform.portal.catalog_view import months_words
from valueplatform.portal.chart import CLASS_WORDS, EVIDENCE_WORDS
from valueplatform.portal.exact import bare_text, cents_text, count_text, day_text, short_text, unit_words
from valueplatform.portal.view import drivers as view
from valueplatform.portal.view.drawings import Column, TableView
from valueplatform.portal.view.words import Fact, Link, Span
from valueplatform.value.driver_library import InputRead, LibraryDriver, Shelf, library, shelves
from valueplatform.value.driver_library_read import DriverVersion, Uses, UseTotal
from valueplatform.value.model import ValueModel

PATH: Final = "/catalog/drivers"
EMPTY: Final = "No driver says all of this. Choose fewer words."
BARE: Final = "The value model has no driver yet. Say what usage is worth as [[driver]] in the model file."
NO_PLAY: Final = "The model does not say yet how this value is delivered; say it as `play` of the driver."
_METHODS: Final = {
    "measured-before": "measured before",
    "control-group": "control group",
    "benchmark": "benchmark",
    "customer-statement": "customer statement",
}


@dataclass(frozen=True, slots=True)
class Setting:
    model: ValueModel
    today: date
    timezone: str


def library_view(setting: Setting, shelf: Shelf, uses: Uses | None) -> view.Library:
    found = library(setting.model, shelf)
    total = len(setting.model.drivers)
    chosen = any((shelf.objective, shelf.benefit_class, shelf.category, shelf.stage, shelf.persona))
    return view.Library(
        headline=_headline(len(found), total, chosen=chosen),
        lead=_lead(uses),
        choices=tuple(_choices(setting.model, shelf)),
        rows=tuple(_row(one, uses) for one in found),
        empty="" if found else EMPTY if total else BARE,
        back=Link("Back to the catalog", CATALOG),
        action=PATH,
        all=Link("All drivers", PATH) if chosen else None,
    )


def _headline(found: int, total: int, *, chosen: bool) -> str:
    drivers = f"driver{'s' if total != 1 else ''}"
    if not total:
        return "No drivers are known yet."
    if not chosen:
        return f"{count_text(total).capitalize()} {drivers} turn usage into value."
    return f"{count_text(found).capitalize()} of {total} {drivers}."


def _lead(uses: Uses | None) -> str:
    if uses is None:
        return "What accounts have of each is not shown to you."
    if not uses.months:
        return "What accounts have of each is summed up about a minute after the first whole month."
    return f"Value is of {months_words(uses.months)}, as computed now."


def _choices(model: ValueModel, shelf: Shelf) -> Iterator[view.Choice]:
    words = shelves(model)
    kinds: tuple[tuple[str, str, Sequence[str], str | None], ...] = (
        ("objective", "Objective", words.objectives, shelf.objective),
        ("benefit_class", "Benefit class", words.benefit_classes, shelf.benefit_class),
        ("category", "Category", words.categories, shelf.category),
        ("stage", "Stage", words.stages, shelf.stage),
        ("persona", "Persona", words.personas, shelf.persona),
    )
    for name, label, options, asked in kinds:
        known = [*options, *([asked] if asked and asked not in options else [])]
        yield view.Choice(
            name,
            label,
            (
                ("", "Any", not asked),
                *((one, CLASS_WORDS.get(one, one[:1].upper() + one[1:]), one == asked) for one in known),
            ),
        )


def _row(one: LibraryDriver, uses: Uses | None) -> view.DriverRow:
    totals = [each for each in uses.totals if each.driver == one.slug] if uses else []
    return view.DriverRow(
        title=Link(one.title, _path(one.slug)),
        about=one.description or "",
        benefit_class=CLASS_WORDS[one.benefit_class],
        category=one.category or "",
        stages=_listed(one.stages),
        personas=_listed(one.personas),
        evidence=EVIDENCE_WORDS[one.evidence],
        used=tuple(_total(each) for each in totals) or (("No account yet",) if uses and uses.months else ()),
    )


def _listed(words: Sequence[str]) -> str:
    text = ", ".join(words)
    return text[:1].upper() + text[1:]


def _total(one: UseTotal) -> str:
    if one.expected is None or one.accounts is None:
        return f"Too few accounts in {one.unit} to tell"
    return f"{short_text(one.expected, one.unit)} in {one.accounts:,} account{'s' if one.accounts != 1 else ''}"


def _path(slug: str) -> str:
    return f"{PATH}/{quote(slug, safe='')}"


def driver_view(
    setting: Setting, one: LibraryDriver, versions: Sequence[DriverVersion], uses: Uses | None
) -> view.OpenedDriver:
    return view.OpenedDriver(
        title=one.title,
        about=one.description or "",
        play=one.play or NO_PLAY,
        facts=tuple(_facts(setting, one)),
        in_words=one.in_words,
        formula=one.formula,
        inputs=tuple(_inputs(setting, one)),
        versions=tuple(_version(each, setting) for each in versions),
        used=_lead(uses),
        totals=tuple(_spelled(each) for each in uses.totals) if uses else (),
        uses=_uses(uses),
        links=tuple(_links(one)),
        back=Link("Back to the driver library", PATH),
    )


def _facts(setting: Setting, one: LibraryDriver) -> Iterator[Fact]:
    titles = {driver.slug: driver.label for driver in setting.model.drivers}
    pools = {pool.slug: pool.label for pool in setting.model.pools}
    features = {feature.slug: feature.label for feature in setting.model.features}
    yield Fact("Benefit class", CLASS_WORDS[one.benefit_class], one.unit if one.benefit_class == "strategic" else "")
    yield Fact("Category", one.category or "None said")
    yield Fact("Stages", _listed(one.stages) or "None said")
    yield Fact("Personas", _listed(one.personas) or "None said")
    yield Fact("Evidence at best", EVIDENCE_WORDS[one.evidence])
    yield Fact(
        "Brought by",
        {"supplier": setting.model.supplier.name, "event": "Whoever sends it"}.get(one.provider, one.provider),
    )
    if one.pool:
        shared = ", ".join(titles[slug] for slug in one.pool_with)
        yield Fact(
            "Draws on", pools.get(one.pool, one.pool.replace("_", " ").capitalize()), f"with {shared}" if shared else ""
        )
        yield Fact("Cap of a month", one.cap or "None")
    if one.features:
        yield Fact("Shown by", ", ".join(features.get(slug, slug) for slug in one.features))
    if one.counterfactual:
        yield Fact("Without it", one.counterfactual)
    if one.sunset:
        yield Fact("An estimate again from", day_text(one.sunset))
    if one.effective_from or one.effective_to:
        yield Fact("In force", _span(one.effective_from, one.effective_to))


def _span(start: date | None, end: date | None) -> str:
    if start is None and end is None:
        return "For all days"
    since = f"from {day_text(start)}" if start else "from the first day"
    text = f"{since} to before {day_text(end)}" if end else since
    return text[:1].upper() + text[1:]


def _inputs(setting: Setting, one: LibraryDriver) -> Iterator[TableView]:
    if one.meters:
        rows = tuple((Span(each.title), Span(each.unit or ""), Span(str(each.version))) for each in one.meters)
        yield TableView("Meters", (Column("Meter"), Column("Unit"), Column("Version", numeric=True)), rows)
    for caption, inputs in (("Baselines", one.baselines), ("Assumptions", one.assumptions)):
        if inputs:
            columns = (
                Column(caption[:-1]),
                *(Column(text, numeric=True) for text in ("Low", "Expected", "High")),
                Column("Unit"),
                Column("Version", numeric=True),
            )
            yield TableView(caption, columns, tuple(row for each in inputs for row in _rates(setting, each)))


def _rates(setting: Setting, one: InputRead) -> Iterator[tuple[Span, ...]]:
    segments = {segment.slug: segment.label for segment in setting.model.segments}
    method = f" ({_METHODS.get(one.method, one.method)})" if one.method else ""
    bounds = (one.low, one.expected, one.high)
    yield _bounds(f"{one.title}{method}", bounds, unit_words(one.unit), str(one.version))
    for segment, value in one.segments.items():
        yield _bounds(f"… in {segments.get(segment, segment)}", (value.low, value.expected, value.high), "", "")


def _bounds(title: str, bounds: Sequence[Decimal | None], unit: str, version: str) -> tuple[Span, ...]:
    said = (Span("Not set" if bound is None else bare_text(bound)) for bound in bounds)
    return (Span(title), *said, Span(unit), Span(version))


_FIELDS: Final = {
    "benefit_class": "benefit class",
    "effective_from": "in force from",
    "effective_to": "in force to",
    "redeployment": "redeployment share",
}


def _version(one: DriverVersion, setting: Setting) -> view.Version:
    changes = tuple(
        f"{_FIELDS.get(each.field, each.field).capitalize()}: {_said(each.before)} → {_said(each.after)}"
        for each in one.changes
    )
    done = {"added": "Added", "removed": "Taken out"}.get(one.action, "")
    return view.Version(
        title=f"Version {one.version}",
        day=day_text(local_day(one.applied_at, setting.timezone)),
        holds=_span(one.effective_from, one.effective_to),
        changes=(done,) if done else changes,
    )


def _said(value: object) -> str:
    """A field of the model as a person reads it."""
    if value is None or value == []:
        return "nothing"
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items() if name != "kind" and part is not None)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def _spelled(one: UseTotal) -> str:
    if one.withheld or one.low is None or one.high is None or one.counted is None:
        return f"{one.unit}: {one.withheld}"
    return (
        f"{_total(one)}, likely between {short_text(one.low, one.unit)} and {short_text(one.high, one.unit)}; "
        f"{short_text(one.counted, one.unit)} of it counts."
    )


def _uses(uses: Uses | None) -> TableView | None:
    if uses is None or not uses.accounts:
        return None
    columns = (
        Column("Account"),
        *(Column(text, numeric=True) for text in ("Low", "Expected", "High", "Counts")),
        Column("Evidence"),
    )
    rows = tuple(
        (
            Span(one.name),
            *(Span(cents_text(amount, one.unit)) for amount in (one.low, one.expected, one.high, one.counted)),
            Span(EVIDENCE_WORDS[one.evidence]),
        )
        for one in uses.accounts
    )
    months = months_words(uses.months) if uses.months else ""
    return TableView(f"Accounts, {months}", columns, rows)


def _links(one: LibraryDriver) -> Iterator[tuple[str, str]]:
    """Where the same words lead: the library by each of them."""
    words = [("objective", word) for word in one.objectives]
    words += [("benefit_class", str(one.benefit_class))]
    words += [("category", one.category)] if one.category else []
    words += [("stage", word) for word in one.stages] + [("persona", word) for word in one.personas]
    for name, word in words:
        text = CLASS_WORDS.get(word, word)
        yield text[:1].upper() + text[1:], f"{PATH}?{urlencode({name: word})}"
