"""Next best (J4): which products that are new to an account does it buy after a cut-off? On invoice lines.
Run: `python -m benchmarks.next_best [--data DIR] [--cut DATE]`.

Rows with a customer, a positive quantity and a positive price count. A product is new to an account that had not bought
it before the cut. Every account that bought before the cut and buys one or more new products after it is asked for ten,
among all products there are, those that nobody had bought by then as well. HR@10: the share of these accounts with a
hit among the ten. NDCG@10: the mean over them of the gains 1 / log2(place + 1) of the hits, over the gains of the best
possible ten.

Ours is the product's model of adoption: its signs, its affinity, its logistic regression, learned at past moments that
end with the cut. Beside it, in the same run: popularity, implicit matrix factorization by alternating least squares
(Hu, Koren and Volinsky 2008) with 64 factors, and EASE (Steck 2019) with penalty 200.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.figures import Measured, figure
from valueplatform.narrative.next_best_adoption import Moment, crowd_of, learn, lesson_of, signs_of
from valueplatform.narrative.next_best_panel import Flags, Floats

SHARED: Final = Path(__file__).parents[2] / "shared" / "data" / "online-retail"
TOP: Final = 10
HORIZON: Final = 60
"""Days after each past moment that are learned from."""
MOMENTS: Final = 2
"""Past moments, thirty days apart, the newest a horizon before the cut."""
FACTORS, ROUNDS, CONFIDENCE, ALS_PENALTY, SEED = 64, 15, 40.0, 0.1, 20111001
EASE_PENALTY: Final = 200.0
HR_TARGET, NDCG_TARGET, SECONDS = 0.51, 0.11, 60.0


@dataclass(frozen=True)
class Bought:
    """One row a line: numbers of account and product, and the day since the first. `segments` by account."""

    accounts: npt.NDArray[np.intp]
    products: npt.NDArray[np.intp]
    days: npt.NDArray[np.intp]
    segments: tuple[str, ...]
    first: date
    products_count: int

    def at(self, day: date) -> int:
        return (day - self.first).days

    def between(self, start: int, end: int) -> Flags:
        """(accounts, products): bought in [start, end)."""
        found = np.zeros((len(self.segments), self.products_count), dtype=np.bool_)
        chosen = (self.days >= start) & (self.days < end)
        found[self.accounts[chosen], self.products[chosen]] = True
        return found

    def moment(self, cut: int) -> Moment:
        """As known at the start of a day; a month is thirty days."""
        size = len(self.segments)
        begun = np.full(size, cut, dtype=np.intp)
        before = self.days < cut
        np.minimum.at(begun, self.accounts[before], self.days[before])
        events = np.bincount(self.accounts[before & (self.days >= cut - 90)], minlength=size)
        return Moment(
            segments=self.segments,
            ever=self.between(0, cut),
            active=self.between(cut - 90, cut),
            lately=self.between(cut - 30, cut),
            months=np.ceil((cut - begun) / 30).astype(np.float64),
            events=events.astype(np.float64),
        )


def read(folder: Path) -> Bought:
    paths = sorted(folder.glob("online_retail_*.csv*"))
    if not paths:
        sys.exit(f"There is no online_retail_*.csv.gz in {folder}; name its folder with --data.")
    types: Any = {"InvoiceNo": pl.String, "StockCode": pl.String, "CustomerID": pl.String, "InvoiceDate": pl.String}
    lines = pl.concat([pl.read_csv(path, schema_overrides=types) for path in paths])
    counted = lines.filter(
        pl.col("CustomerID").is_not_null() & (pl.col("Quantity") > 0) & (pl.col("UnitPrice") > 0)
    ).with_columns(pl.col("InvoiceDate").str.slice(0, 10).str.to_date("%Y-%m-%d").alias("day"))
    segments = counted.group_by("CustomerID").agg(pl.col("Country").min()).sort("CustomerID")
    products = counted["StockCode"].unique().sort()
    placed = counted.select(
        account=pl.col("CustomerID").replace_strict(segments["CustomerID"], pl.arange(0, len(segments), eager=True)),
        product=pl.col("StockCode").replace_strict(products, pl.arange(0, len(products), eager=True)),
        day=(pl.col("day") - pl.col("day").min()).dt.total_days(),
    )
    first = counted["day"].min()
    assert isinstance(first, date)
    accounts, bought, days = (placed[name].to_numpy().astype(np.intp) for name in ("account", "product", "day"))
    return Bought(accounts, bought, days, tuple(segments["Country"].to_list()), first, len(products))


def ours(bought: Bought, cut: int) -> Floats:
    lessons = []
    for back in range(MOMENTS):
        then = cut - HORIZON - 30 * back
        moment = bought.moment(then)
        known = moment.ever.any(axis=0)
        at_risk = ~moment.ever & moment.present[:, None] & known
        lessons.append(lesson_of(signs_of(moment, crowd_of(moment)), at_risk, bought.between(then, then + HORIZON)))
    fitted = learn(lessons)
    assert fitted is not None
    now = bought.moment(cut)
    return fitted.chances(signs_of(now, crowd_of(now)))


def popularity(before: Flags) -> Floats:
    return np.broadcast_to(before.sum(axis=0).astype(np.float64), before.shape)


def ease(before: Flags) -> Floats:
    given = before.astype(np.float64)
    inverse = np.linalg.inv(given.T @ given + EASE_PENALTY * np.eye(given.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    scores: Floats = given @ weights
    return scores


def factorization(before: Flags) -> Floats:
    draw = np.random.default_rng(SEED)
    rows, columns = (draw.normal(0, 0.01, (size, FACTORS)) for size in before.shape)
    for _ in range(ROUNDS):
        rows = _solved(before, columns)
        columns = _solved(before.T, rows)
    scores: Floats = rows @ columns.T
    return scores


def _solved(uses: Flags, other: Floats) -> Floats:
    """Each row's factors, the other side's held still."""
    common = other.T @ other + ALS_PENALTY * np.eye(FACTORS)
    found = np.zeros((len(uses), FACTORS))
    for number, used in enumerate(uses):
        own = other[used]
        found[number] = np.linalg.solve(common + CONFIDENCE * own.T @ own, (1 + CONFIDENCE) * own.sum(axis=0))
    return found


def graded(scores: Floats, before: Flags, after: Flags) -> tuple[float, float, int]:
    """HR@10, NDCG@10 and how many accounts were asked."""
    new: Flags = np.asarray(after & ~before & np.asarray(before.any(axis=1))[:, None])
    asked = np.flatnonzero(new.any(axis=1))
    gains = 1 / np.log2(np.arange(2, TOP + 2))
    hits, ranked = [], []
    for row in asked:
        open_to_it = np.where(before[row], -np.inf, scores[row])
        hit = np.take(new[row], np.argsort(-open_to_it, kind="stable")[:TOP])
        hits.append(bool(hit.any()))
        ranked.append(float((hit * gains).sum() / gains[: min(TOP, int(new[row].sum()))].sum()))
    return float(np.mean(hits)), float(np.mean(ranked)), len(asked)


def _models(bought: Bought, cut: int) -> Iterator[tuple[str, Floats, float]]:
    before = bought.between(0, cut)
    for name, made in (("popularity", popularity), ("als-64", factorization), ("ease-200", ease)):
        begun = time.perf_counter()
        yield name, made(before), time.perf_counter() - begun
    begun = time.perf_counter()
    yield "ours", ours(bought, cut), time.perf_counter() - begun


def main(folder: Path | None, cut_off: date | None) -> None:
    if folder is None and not SHARED.is_dir():
        sys.stderr.write("Skipped: the invoice lines are not here; name their folder with --data.\n")
        return
    bought = read(folder or SHARED)
    last = bought.first + timedelta(days=int(bought.days.max()))
    day = cut_off or _two_months_before(last + timedelta(days=1))
    cut = bought.at(day)
    if not 150 <= cut <= bought.days.max():
        sys.exit(f"--cut must leave five months before it and some days after it: {bought.first} to {last}.")
    before, after = bought.between(0, cut), bought.between(cut, int(bought.days.max()) + 1)
    models = _models(bought, cut)
    found = {name: (*graded(scores, before, after), seconds) for name, scores, seconds in models}
    hit, ranked, asked, took = found.pop("ours")
    for name, (other_hit, other_ranked, _, _) in found.items():
        beside = f"cut {day}, beside {name}"
        figure("J4", f"HR@10, {beside}", Measured(hit, other_hit), target=HR_TARGET, unit="share", n=asked)
        figure("J4", f"NDCG@10, {beside}", Measured(ranked, other_ranked), target=NDCG_TARGET, unit="share", n=asked)
    times = Measured(took, found["als-64"][3])
    figure("J4", "fit and rank, beside als-64", times, target=SECONDS, unit="s", n=len(bought.segments))


def _two_months_before(day: date) -> date:
    """Two months before the first day without data: full months, as the cut of a year's data has them."""
    ordinal = day.year * 12 + day.month - 1 - 2
    return date(ordinal // 12, ordinal % 12 + 1, 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder with online_retail_*.csv.gz")
    parser.add_argument("--cut", type=date.fromisoformat, help="default: two months before the end")
    parser.add_argument("--quick", action="store_true", help="the same: it takes about a minute")
    given = parser.parse_args()
    main(given.data, given.cut)
