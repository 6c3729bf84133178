"""Next best on the sample supplier, whose features' effects are known: is the step that would bring most the first, or
among the first three suggestions, and does the 90 % interval hold what each step would bring?
Run: `python -m benchmarks.next_best_sample [--quick]`.

Months of value are what the sample plans for each account, with noise of `NOISE` a month; use begins on planted days.
What a step would bring is the sample's own reckoning at today's volume, in a year of which the first two months count a
third and two thirds. The baseline is the order by popularity, and for intervals the coverage that is stated.
"""

import argparse
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import numpy as np
import polars as pl

from benchmarks.figures import Measured, figure
from valueplatform.core.periods import next_month
from valueplatform.narrative.next_best import USED_YEAR, Situation, Suggestion, suggest
from valueplatform.narrative.next_best_model import COVERAGE, Fit, fit
from valueplatform.narrative.next_best_panel import ACCOUNT_SCHEMA, USAGE_SCHEMA, VALUE_SCHEMA, Panel
from valueplatform.narrative.offers import offers_of
from valueplatform.sample.cast import Account, settle, written_cast
from valueplatform.sample.fieldnote import model_toml
from valueplatform.sample.invented import invented
from valueplatform.sample.shared import shared_episodes
from valueplatform.sample.truths import Deliveries, Truth, planted
from valueplatform.sample.worth import PRICED, monthly_value
from valueplatform.value.model import ValueModel
from valueplatform.value.model_file import read_model

SEED: Final = 7
NOISE: Final = 0.05
TODAY: Final = date(2026, 5, 20)
DAYS: Final = 548
TOPS: Final = (1, 3)
TOLD: Final = {"feature_missing", "best_next_feature"}


def _cast(count: int) -> tuple[Account, ...]:
    written = written_cast()[:count]
    specs = (*written, *(invented(number, SEED) for number in range(len(written), count)))
    return tuple(settle(spec, TODAY, DAYS, shared_episodes(spec, TODAY, DAYS)) for spec in specs)


def _panel(cast: tuple[Account, ...]) -> Panel:
    draw = np.random.default_rng(SEED)
    accounts, values, usage = [], [], []
    for number, account in enumerate(cast, 1):
        accounts.append((number, account.spec.segment, TODAY))
        by_driver = monthly_value(account, SEED)
        for month in sorted({month for found in by_driver.values() for month in found}):
            brought = sum(by_driver[driver].get(month, 0.0) for driver in PRICED if driver in by_driver)
            noisy = brought * float(np.exp(draw.normal(0, NOISE)))
            values.append((number, month, Decimal(repr(round(noisy, 4)))))
        last = min(account.ended or TODAY, TODAY) - timedelta(days=1)
        for feature, begun in account.features.items():
            usage += [(number, feature, month, 20, min(last, next_month(month))) for month in _months(begun, last)]
    return Panel(
        pl.DataFrame(accounts, schema=ACCOUNT_SCHEMA, orient="row"),
        pl.DataFrame(values, schema=VALUE_SCHEMA, orient="row"),
        pl.DataFrame(usage, schema=USAGE_SCHEMA, orient="row"),
    )


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = next_month(month)


def _situation(panel: Panel, number: int, account: Account) -> Situation:
    mine = pl.col("account_id") == number
    return Situation(
        account_key=account.key,
        account_id=number,
        segment=account.spec.segment,
        currency=account.spec.currency,
        today=TODAY,
        values=panel.values.filter(mine),
        usage=panel.usage.filter(mine),
        stage=account.spec.stage,
    )


def _popular(fitted: Fit, model: ValueModel, situation: Situation) -> list[str]:
    found = [(fitted.popularity(one.slug, situation.segment), one.slug) for one in situation.candidates(model.features)]
    shares = [(-(known.users / known.accounts) if known else 0.0, slug) for known, slug in found]
    return [slug for _, slug in sorted(shares)]


def _place(feature: str, ranked: list[str]) -> int:
    """From 0; behind all where it is not among them."""
    return ranked.index(feature) if feature in ranked else len(ranked) + max(TOPS)


def _holds(suggestion: Suggestion, gain: Decimal) -> bool | None:
    """Before costs; None where no value was stated."""
    if suggestion.low is None or suggestion.high is None:
        return None
    cost = sum((cost.amount for cost in suggestion.costs), Decimal(0)) if suggestion.net else Decimal(0)
    return suggestion.low + cost <= gain * USED_YEAR <= suggestion.high + cost


def main(*, quick: bool) -> None:
    cast = _cast(60 if quick else 160)
    model, panel = read_model(model_toml(), "fieldnote.toml"), _panel(cast)
    fitted = fit(panel, offers_of(model))
    truths: dict[str, list[Truth]] = {}
    for truth in planted(cast, SEED, (), Deliveries(0, {}, {})):
        if truth.kind in TOLD:
            truths.setdefault(truth.account, []).append(truth)
    ours, usual, held = [], [], []
    for number, account in enumerate(cast, 1):
        situation = _situation(panel, number, account)
        found = suggest(fitted, model, situation)
        by_feature = {one.feature: one for one in found}
        for truth in truths.get(account.key, []):
            if truth.kind == "best_next_feature":
                ours.append(_place(truth.subject, [one.feature for one in found]))
                usual.append(_place(truth.subject, _popular(fitted, model, situation)))
            elif truth.subject in by_feature and truth.magnitude is not None:
                held.append(_holds(by_feature[truth.subject], truth.magnitude))
    stated = [one for one in held if one is not None]
    for top in TOPS:
        among = Measured(float(np.mean(np.less(ours, top))), float(np.mean(np.less(usual, top))))
        name = f"planted best step among the first {top}, beside popularity"
        figure("J4", name, among, target=0.8, unit="share", n=len(ours))
    inside = Measured(float(np.mean(stated)) if stated else 0.0, COVERAGE)
    figure("J4", "planted gains inside the stated interval", inside, target=COVERAGE, unit="share", n=len(stated))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="60 accounts instead of 160")
    main(quick=parser.parse_args().quick)
