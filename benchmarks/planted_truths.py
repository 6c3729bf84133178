"""J7: what the generator of the sample supplier planted, and wrote down, against what the engine tells of it.

The sample is loaded through the product's own code, without its server, and the insights that are admitted on its last
day are set against the truths by the rules of `truth_rules`, kind by kind. Recall: of the truths that are asked of
insights and are news on that day, how many are told. Precision: of the insights that say that something planted is
there, how many are borne out; where nothing was written down that could decide (a standing so near to the edge of its
range that noise decides it), an insight is left out and counted. Run: `python -m benchmarks.planted_truths [--quick]`.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path

import msgspec
from sqlalchemy import text

from benchmarks.figures import Measured, figure
from benchmarks.truth_rules import GRADED, NOT_ASKED, RULES, YEAR, borne_out
from valueplatform.commands import seeding
from valueplatform.commands.context import connect, upgrade_schema
from valueplatform.core.authorization import accounts_or_all, operator_scope
from valueplatform.core.embedded import running
from valueplatform.core.settings import Settings
from valueplatform.narrative.gathering import gather
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.telling import discover_admitted
from valueplatform.sample import SampleSupplier, Truth, generate
from valueplatform.sample.events import arrivals
from valueplatform.telemetry.cloudevents import parse_json
from valueplatform.telemetry.group_commit import commit_requests
from valueplatform.telemetry.requests import IngestRequest, Sender
from valueplatform.telemetry.storing import Ledger
from valueplatform.worker import Worker

TARGET = 0.9
_ENCODER = msgspec.json.Encoder(decimal_format="number")

Told = Mapping[str, Sequence[Insight]]


async def told_of(supplier: SampleSupplier, now: datetime) -> Told:
    """The admitted insights of every account of the loaded sample, by its key."""
    found: dict[str, Sequence[Insight]] = {}
    with tempfile.TemporaryDirectory(prefix="vp-bench-") as folder, running(Path(folder)) as server:
        databases = connect(Settings(None, Path(folder)), server.url)
        await upgrade_schema(databases)
        await seeding.load_rows(databases, supplier, lambda *_: None)
        await seeding.load_agreements(databases, supplier, lambda *_: None)
        ledger, each = Ledger(), (a.event for a in arrivals(supplier.cast, supplier.seed, supplier.until))
        while batch := list(islice(each, 1000)):
            parsed = parse_json(_ENCODER.encode(batch), now)
            request = IngestRequest(Sender("benchmark", "supplier"), now, parsed.events, parsed.rejections)
            await commit_requests(databases.ingest, [request], ledger)
        await Worker(databases.worker).drain()
        async with databases.worker.transaction(operator_scope()) as tx:
            accounts = await tx.rows(text("SELECT account_id, key FROM account WHERE account_id > 0 ORDER BY key"))
        for row in accounts:
            async with databases.worker.transaction(accounts_or_all([row.account_id])) as tx:
                facts = await gather(tx, row.account_id, now)
                found[row.key] = [a.insight for a in await discover_admitted(tx, row.account_id, facts)]
        await databases.dispose()
    return found


def asked(truth: Truth, today: date, years: Mapping[str, date]) -> bool:
    """Whether a truth is asked of insights, and news today."""
    rule = RULES.get(truth.kind)
    if rule is None:
        return False
    if rule.since == YEAR:
        return truth.start > years.get(truth.account, date.min)
    return rule.since == 0 or truth.start >= today - timedelta(days=rule.since)


def contract_years(supplier: SampleSupplier, today: date) -> dict[str, date]:
    """When the running contract year of each account began."""
    terms = [(row["account"], date.fromisoformat(row["start"])) for row in supplier.contracts if "-term-" in row["id"]]
    return {account: max(s for a, s in terms if a == account and s <= today) for account, s in terms if s <= today}


def recall(supplier: SampleSupplier, told: Told, today: date) -> dict[str, list[tuple[Truth, bool]]]:
    """By kind of truth: each that is asked for, and whether it is told."""
    years = contract_years(supplier, today)
    found: defaultdict[str, list[tuple[Truth, bool]]] = defaultdict(list)
    for truth in supplier.truths:
        if asked(truth, today, years):
            rule = RULES[truth.kind]
            own = (insight for insight in told.get(truth.account, ()) if insight.kind in rule.kinds)
            found[truth.kind].append((truth, any(rule.fits(truth, insight) for insight in own)))
    return found


def precision(supplier: SampleSupplier, told: Told) -> dict[str, list[tuple[str, Insight, bool | None]]]:
    """By kind of insight: each that says that something planted is there, and whether it is."""
    truths: defaultdict[str, list[Truth]] = defaultdict(list)
    for truth in supplier.truths:
        truths[truth.account].append(truth)
    found: defaultdict[str, list[tuple[str, Insight, bool | None]]] = defaultdict(list)
    for account, insights in told.items():
        for insight in insights:
            if insight.kind in GRADED:
                found[insight.kind].append((account, insight, borne_out(insight, truths[account])))
    return found


def _swapped(supplier: SampleSupplier, told: Told) -> float:
    """The precision of every account's insights against the truths of the next account: what the rules let pass."""
    keys = sorted(told)
    others = {after: told[before] for before, after in zip(keys, [*keys[1:], keys[0]], strict=True)}
    found = precision(supplier, others)
    judged = [is_true for each in found.values() for *_, is_true in each if is_true is not None]
    return sum(judged) / len(judged)


def report(supplier: SampleSupplier, told: Told, today: date, *, misses: bool) -> None:
    unknown = {truth.kind for truth in supplier.truths} - RULES.keys() - NOT_ASKED.keys()
    if unknown:
        raise ValueError(f"No rule says whether {sorted(unknown)} are asked of insights.")
    by_truth, by_insight = recall(supplier, told, today), precision(supplier, told)
    for truth, is_told in (each for found in by_truth.values() for each in found):
        if misses and not is_told:
            sys.stderr.write(f"not told: {truth}\n")
    for account, insight, is_true in (each for found in by_insight.values() for each in found):
        if misses and is_true is False:
            days = f"{insight.period_from} to {insight.period_to}"
            sys.stderr.write(f"not planted: {account} {insight.kind} {insight.subject} {days} {insight.terms}\n")
    every = [is_told for found in by_truth.values() for _, is_told in found]
    judged = [is_true for found in by_insight.values() for *_, is_true in found if is_true is not None]
    name = f"planted truths that are told, of {len(by_truth)} kinds"
    figure("J7-recall", name, Measured(sum(every) / len(every), 0), target=TARGET, unit="share", n=len(every))
    name = f"insights that say something planted, and it was, of {len(by_insight)} kinds"
    figure(
        "J7-precision",
        name,
        Measured(sum(judged) / len(judged), _swapped(supplier, told)),
        target=TARGET,
        unit="share",
        n=len(judged),
    )
    for kind, found in sorted(by_truth.items()):
        share = Measured(sum(is_told for _, is_told in found) / len(found), 0)
        figure("J7-recall-kind", kind, share, target=TARGET, unit="share", n=len(found))
    for kind, graded in sorted(by_insight.items()):
        known = [is_true for *_, is_true in graded if is_true is not None]
        if known:
            share = Measured(sum(known) / len(known), 0)
            figure("J7-precision-kind", kind, share, target=TARGET, unit="share", n=len(known))
    undecided = len([1 for found in by_insight.values() for *_, is_true in found if is_true is None])
    figure("J7-undecided", "insights that no truth decides", Measured(undecided, 0), target=0, unit="insights", n=0)


async def main(*, quick: bool, misses: bool) -> None:
    now = datetime.now(UTC)
    accounts, days = (16, 400) if quick else (36, 548)
    supplier = generate(accounts=accounts, days=days, today=now.date(), until=now)
    report(supplier, await told_of(supplier, now), now.date(), misses=misses)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer accounts")
    parser.add_argument(
        "--misses", action="store_true", help="name each truth that is not told, and each false insight"
    )
    parser.add_argument("--data", help="taken for the sake of one form; this benchmark makes its own data")
    given = parser.parse_args()
    asyncio.run(main(quick=given.quick, misses=given.misses))
