"""Simulated suppliers whose planted effects are known: the only place where a prediction can be held to the truth."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from valueplatform.core.periods import next_month
from valueplatform.narrative.next_best import Situation
from valueplatform.narrative.next_best_panel import ACCOUNT_SCHEMA, USAGE_SCHEMA, VALUE_SCHEMA, Panel
from valueplatform.value.model import Feature, Product, Segment, Supplier, ValueModel

TODAY = date(2026, 3, 10)
MONTHS = 18


@dataclass(frozen=True)
class World:
    """`effects` by feature, in logarithms; `own` (accounts, features): each account's own effects; `users` likewise."""

    panel: Panel
    features: tuple[Feature, ...]
    own: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    users: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

    def situation(self, account: int) -> Situation:
        """Accounts are numbered from 1."""
        mine = pl.col("account_id") == account
        return Situation(
            account_key=f"account-{account}",
            account_id=account,
            segment=self.panel.accounts.filter(mine)["segment"].item(),
            currency="USD",
            today=TODAY,
            values=self.panel.values.filter(mine),
            usage=self.panel.usage.filter(mine),
        )


def model_of(features: tuple[Feature, ...]) -> ValueModel:
    return ValueModel(
        supplier=Supplier(name="Fieldnote", currency="USD", timezone="UTC"),
        features=features,
        products=(Product(slug="core"), Product(slug="plus")),
        segments=(Segment(slug="north", title="Northern trade"), Segment(slug="south", title="Southern trade")),
    )


def feature(slug: str, **given: Any) -> Feature:
    settings: dict[str, Any] = {"event_types": (slug,), "included": True}
    return Feature(slug=slug, **(settings | given))


def world(
    seed: int,
    effects: tuple[float, ...],
    *,
    accounts: int = 60,
    spread: float = 0.0,
    noise: float = 0.08,
    uptake: float = 0.5,
) -> World:
    """Accounts join, grow and have good and bad months; who grows anyway takes up more. Prices follow value."""
    rng = np.random.default_rng(seed)
    months = _months()
    own = np.asarray(effects) + rng.normal(0, spread, (accounts, len(effects)))
    users = np.zeros(own.shape, dtype=np.bool_)
    values: list[tuple[int, date, Decimal]] = []
    usage: list[tuple[int, str, date, int, date]] = []
    for account in range(accounts):
        first = int(rng.integers(0, 8))
        growth = rng.normal(0.005, 0.015)
        chance = uptake + (0.15 if growth > 0.005 else -0.15)
        starts = [int(rng.integers(first - 2, MONTHS - 1)) if rng.random() < chance else None for _ in effects]
        level, disturbance = rng.normal(10, 1), rng.normal(0, noise)
        for at in range(first, MONTHS):
            disturbance = 0.5 * disturbance + rng.normal(0, noise * np.sqrt(0.75))
            log_value = level + growth * at + 0.1 * np.sin(at / 12 * 2 * np.pi) - 0.4 * np.exp(-(at - first) / 2)
            for number, start in enumerate(starts):
                if start is not None and at >= start:
                    log_value += own[account, number] * min(1, (at - start + 1) / 3)
                    users[account, number] = True
                    usage.append((account + 1, f"f{number}", months[at], 20, _last_day(months[at])))
            values.append((account + 1, months[at], Decimal(str(round(float(np.exp(log_value + disturbance)), 4)))))
    segments = [(account + 1, ("north", "south")[account % 2], TODAY) for account in range(accounts)]
    panel = Panel(
        accounts=pl.DataFrame(segments, schema=ACCOUNT_SCHEMA, orient="row"),
        values=pl.DataFrame(values, schema=VALUE_SCHEMA, orient="row"),
        usage=pl.DataFrame(usage, schema=USAGE_SCHEMA, orient="row"),
    )
    return World(panel, tuple(feature(f"f{number}") for number in range(len(effects))), own, users)


def _months() -> list[date]:
    """The last month is the one that holds TODAY."""
    ordinal = TODAY.year * 12 + TODAY.month - MONTHS
    return [date((ordinal + n) // 12, (ordinal + n) % 12 + 1, 1) for n in range(MONTHS)]


def _last_day(month: date) -> date:
    return min(next_month(month) - timedelta(days=1), TODAY)
