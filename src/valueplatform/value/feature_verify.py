"""`verify`, what features are worth: what is told of the last three whole months, of each use, of what is not realized,
and of before and after releases, against what raw events and accruals give."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value.feature_book import BeforeAfter, FeatureBook, FeatureWorth, Stretch
from valueplatform.value.feature_releases import before_after
from valueplatform.value.feature_worth_read import feature_book, period_asked
from valueplatform.value.model import ValueModel
from valueplatform.value.models import newest_model
from valueplatform.value.proof_features import Days, Numbers, division_numbers, number_of, see, stretch_numbers
from valueplatform.value.proof_record import Source, read_source
from valueplatform.value.verify import Discrepancy

_ACCOUNTS: Final = text("SELECT account_id FROM account WHERE account_id > 0 ORDER BY account_id")
_BEHIND: Final = text("SELECT EXISTS (SELECT FROM changed_day) OR EXISTS (SELECT FROM catalog_due)")


async def verify_features(tx: Transaction, today: date, since: date) -> tuple[int, list[Discrepancy]]:
    """How many numbers were recomputed over all accounts, and those that differ. Nothing while changes wait for the
    worker, since uses are counted a little after events come in."""
    model = await newest_model(tx)
    if not model.features or await tx.scalar(_BEHIND):
        return 0, []
    found = [await read_source(tx, row.account_id) for row in await tx.rows(_ACCOUNTS)]
    sources = [one for one in found if one is not None]
    period = period_asked(None, None, today)
    if not sources or period.end <= since:
        return 0, []
    stated = book_numbers(await feature_book(tx, model, period))
    seen = await see(tx, sources, (period.start, period.end))
    document = sources[0].model
    recomputed = {f"division {name}": number for name, number in division_numbers(seen, document).items()}
    for feature in document.get("features", ()):
        own = number_of(feature, seen, sources)
        recomputed |= {f"{feature['slug']} {name}": number for name, number in own.items()}
    told, again = await _releases(tx, model, sources, today)
    return _compared(stated | told, recomputed | again)


def _compared(stated: Numbers, recomputed: Numbers) -> tuple[int, list[Discrepancy]]:
    found = [
        Discrepancy("feature", name, _shown(stated, name), _shown(recomputed, name))
        for name in sorted({*stated, *recomputed})
        if name not in stated or name not in recomputed or stated[name] != recomputed[name]
    ]
    return len(stated), found


def _shown(numbers: Numbers, name: str) -> str:
    return str(numbers[name]) if name in numbers else "not there"


def book_numbers(book: FeatureBook) -> Numbers:
    """Every number of a book, by the names of the proof."""
    found: Numbers = {}
    for one in book.features:
        found |= {f"{one.feature} {name}": number for name, number in _worth_numbers(one).items()}
    for division in book.divisions:
        for part in division.parts:
            at = f"division {division.driver} {division.unit} {division.benefit_class} {part.feature or 'none'}"
            found |= {f"{at}, expected": part.expected, f"{at}, counted": part.counted}
    return found


def _worth_numbers(one: FeatureWorth) -> Numbers:
    found: Numbers = {"eligible": one.eligible, "accounts": one.accounts, "uses": one.uses}
    if one.per_use:
        found[f"a use is one of {one.use.meter or 'its events'}{', as carried' if one.use.carried else ''}"] = 1
    for amount in one.value:
        at = f"{amount.driver} {amount.unit} {amount.benefit_class} {amount.state}"
        found |= {f"{at}, {name}": getattr(amount, name) for name in ("accounts", "expected", "counted", "low", "high")}
    for rate in one.per_use:
        at = f"{rate.unit} {rate.benefit_class}"
        found |= {
            f"{at}, uses": rate.uses,
            f"{at}, expected per use": rate.expected,
            f"{at}, counted per use": rate.counted,
        }
    for missed in one.unrealized:
        at = f"{missed.unit} {missed.benefit_class}"
        found |= {f"{at}, unrealized accounts": missed.accounts, f"{at}, not compared": missed.not_compared}
        found |= {f"{at}, unrealized {name}": getattr(missed, name) for name in ("low", "expected", "high")}
    return found


async def _releases(
    tx: Transaction, model: ValueModel, sources: Sequence[Source], today: date
) -> tuple[Numbers, Numbers]:
    """Before and after each release of a feature: what is told, and what is recomputed."""
    told: Numbers = {}
    again: Numbers = {}
    for release in model.releases:
        for feature in (one for one in model.features if one.slug in release.features):
            at = f"{feature.slug} {release.slug}"
            stated = await before_after(tx, model, feature, release, today)
            told[f"{at}, accounts"] = stated.accounts
            again |= {f"{at}, accounts": 0}
            if stated.days >= 1 and release.day < today:
                span = timedelta(days=stated.days)
                sides = (release.day - span, release.day), (release.day, release.day + span)
                await _sides(tx, sources, (feature.slug, at), sides, stated, told, again)
    return told, again


async def _sides(
    tx: Transaction,
    sources: Sequence[Source],
    named: tuple[str, str],
    sides: Sequence[Days],
    stated: BeforeAfter,
    told: Numbers,
    again: Numbers,
) -> None:
    slug, at = named
    if stated.before is None or stated.after is None:
        return
    seen = [await see(tx, sources, days, slug) for days in sides]
    same = seen[0].present & seen[1].present
    again[f"{at}, accounts"] = len(same)
    for side, one, name in zip((stated.before, stated.after), seen, ("before", "after"), strict=True):
        told |= {f"{at} {name} {what}": number for what, number in _stretch(side).items()}
        recomputed = stretch_numbers(slug, one, same, stated.days)
        again |= {f"{at} {name} {what}": number for what, number in recomputed.items()}


def _stretch(side: Stretch) -> Numbers:
    found: Numbers = {"using": side.using, "uses": side.uses, "uses a day": side.uses_a_day}
    for one in side.value:
        at = f"{one.unit} {one.benefit_class}"
        found |= {
            f"{at}, expected": one.expected,
            f"{at}, counted": one.counted,
            f"{at}, a day": one.a_day,
            f"{at}, per use": one.per_use,
        }
    return found
