"""What was planted, written down for grading: each truth is known from cast_files, never found in the events."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from valueplatform.sample.agreements import Agreement
from valueplatform.sample.cast import Account
from valueplatform.sample.draw import exact
from valueplatform.sample.fieldnote import drivers_of, feature_of, may_use, model
from valueplatform.sample.inputs import tidy
from valueplatform.sample.partners import JOINT_DRIVER, Claimed, Consented, Replied, Saying, Shared
from valueplatform.sample.plans import HIGH, LOW
from valueplatform.sample.rates import COMPLEX
from valueplatform.sample.records import terms
from valueplatform.sample.season import is_holiday, weekend_share
from valueplatform.sample.worth import PRICED, Monthly, monthly_value, yearly_run_rate

_NEW_DAYS = 45
_RENEWAL_DAYS = 60
_TREND = 0.15
_SEASON = 0.15
_RECORD_LEAD = 1.02
_GAIN_WORTH_SAYING = 0.02


@dataclass(frozen=True, slots=True)
class Truth:
    """One planted fact. `subject` is a driver, feature, meter, assumption or team; `end` is inclusive, None = one day
    or still so. `magnitude` is in `unit` ("ratio" = a factor or share); `account` empty = the whole supplier.
    """

    kind: str
    account: str
    subject: str
    start: date
    end: date | None
    magnitude: Decimal | None
    unit: str
    note: str


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What was counted while the events were drawn: second deliveries and late ones, by account."""

    total: int
    again: dict[str, int]
    late: dict[str, int]


def planted(
    accounts: tuple[Account, ...],
    seed: int,
    said: tuple[Agreement, ...],
    deliveries: Deliveries,
    together: tuple[Saying, ...] = (),
) -> tuple[Truth, ...]:
    """Every truth of the sample, by account and day."""
    found = [truth for account in accounts for truth in _of(account, seed)]
    found.extend(_of_agreement(line, accounts) for line in said if line.action in {"dispute", "withdraw"})
    found.extend(_changed(said))
    found.extend(_of_deliveries(accounts, deliveries))
    found.extend(_of_features(accounts))
    found.extend(_of_partners(accounts, together))
    found.extend(_unmeasured(accounts))
    return tuple(sorted(found, key=lambda t: (t.account, t.start, t.kind, t.subject)))


def _of(account: Account, seed: int) -> Iterator[Truth]:
    yield from _lifecycle(account)
    yield from _changes(account)
    yield from _data(account)
    if account.live is not None and not account.spec.sparse:
        yield from _features(account, seed)
        yield from _seasons(account)
        yield from _records(account, monthly_value(account, seed))
    yield from _status(account)


def _lifecycle(account: Account) -> Iterator[Truth]:
    key, today = account.key, account.today
    if account.signed is None:
        yield Truth("prospect", key, "", today, None, None, "", "No contract and no events yet.")
        return
    if account.live is None:
        yield Truth("brand_new", key, "", account.signed, None, None, "", "Signed; nothing has been sent yet.")
        return
    yield Truth("go_live", key, "", account.live, None, None, "", "The first events come on this day.")
    end = terms(account)[-1][1]
    if account.ended is not None:
        yield Truth("churned", key, "", account.ended, None, None, "", "Use ends; the contract was not renewed.")
    elif (end - today).days <= _RENEWAL_DAYS:
        days = Decimal((end - today).days)
        yield Truth("renewal_due", key, "", end, None, days, "day", "The contract ends within 60 days.")


def _changes(account: Account) -> Iterator[Truth]:
    for e in account.episodes:
        unit, places = ("minute", 0) if e.quantity == "outage" else ("ratio", 2)
        end = e.last if e.last < account.today else None
        yield Truth(e.kind, account.key, e.subject, e.first, end, exact(e.factor, places), unit, e.note)
    for team, day in account.opened.items():
        note = f"{team} starts, and adds about a sixth to the jobs."
        yield Truth("team_launch", account.key, team, day, None, Decimal("0.16"), "ratio", note)
    for team in account.spec.lagging:
        note = "The team does not use guided checklists and is sent back more often."
        since = account.features.get("guided-checklists")
        if since is not None:
            yield Truth("team_lagging", account.key, team, since, None, None, "", note)
    growth = account.spec.growth
    if abs(growth) >= _TREND and account.live is not None:
        kind = "trend_up" if growth > 0 else "trend_down"
        note = "Jobs grow or shrink by this share a year."
        yield Truth(kind, account.key, "jobs_dispatched", account.live, account.ended, exact(growth, 2), "ratio", note)


def _data(account: Account) -> Iterator[Truth]:
    for gap in account.silent:
        days = Decimal((gap.last - gap.first).days + 1)
        for team in gap.teams or ("",):
            kind = "team_gap" if team else "data_gap"
            yield Truth(kind, account.key, team, gap.first, gap.last, days, "day", "No event was sent on these days.")
    for late in account.delayed:
        note = f"{', '.join(late.teams)}: sent {late.days} days after they happened."
        yield Truth("late_batch", account.key, "", late.first, late.last, Decimal(late.days), "day", note)
    for twice in account.repeated:
        yield Truth("retry_storm", account.key, "", twice.first, twice.last, None, "", "Every event was sent twice.")


def _features(account: Account, seed: int) -> Iterator[Truth]:
    for feature, day in sorted(account.features.items()):
        yield Truth(
            "feature_adopted", account.key, feature, day, None, None, "", "The feature is used from this day on."
        )
    for driver in drivers_of(account):
        begun = account.features[feature_of(driver)]
        if driver in PRICED and (account.today - begun).days <= _NEW_DAYS:
            yield Truth(
                "driver_new", account.key, driver, begun, None, None, "", "The driver brings value for the first time."
            )
    if "erp-connector" in account.features:
        begun, note = account.features["erp-connector"], "Share of the invoices that Tessera's connector sends."
        yield Truth("partner_share", account.key, "faster_invoicing", begun, None, Decimal("0.70"), "ratio", note)
    if account.ended is None:
        yield from _gaps(account, seed)


def _gaps(account: Account, seed: int) -> Iterator[Truth]:
    """What the features that are missing would add in a year; the largest is the next best step."""
    now = yearly_run_rate(account, seed)
    missing = [entry["slug"] for entry in model()["feature"] if not account.uses(entry["slug"])]
    gains = {f: yearly_run_rate(account, seed, frozenset({f})) - now for f in missing if may_use(account, f)}
    worth = {f: gain for f, gain in gains.items() if gain > _GAIN_WORTH_SAYING * now}
    for feature, gain in sorted(worth.items()):
        note = "What the feature would add in a year, at today's volume."
        money = (tidy(gain), account.spec.currency)
        yield Truth("feature_missing", account.key, feature, account.today, None, *money, note)
        if gain == max(worth.values()):
            best = "The missing feature that would add most."
            yield Truth("best_next_feature", account.key, feature, account.today, None, *money, best)


def _seasons(account: Account) -> Iterator[Truth]:
    spec, live = account.spec, account.live or account.today
    share, note = exact(weekend_share(spec.segment), 2), "A weekend day against a weekday."
    yield Truth("weekly_season", account.key, "jobs_dispatched", live, account.ended, share, "ratio", note)
    if spec.season >= _SEASON:
        swing, note = exact(spec.season, 2), f"Busiest around day {spec.peak} of the year."
        yield Truth("annual_season", account.key, "jobs_dispatched", live, account.ended, swing, "ratio", note)
    for day in account.days():
        if is_holiday(day, spec.timezone) and day < account.today and day.weekday() < 5:
            note = "A public holiday: a quarter of a usual day."
            yield Truth("holiday", account.key, "jobs_dispatched", day, None, Decimal("0.25"), "ratio", note)


def _records(account: Account, value: Monthly) -> Iterator[Truth]:
    """The last whole month, where it is expected to be clearly the best so far."""
    if account.ended is not None:
        return
    last = (account.today.replace(day=1) - timedelta(days=1)).replace(day=1)
    months = {month for by_month in value.values() for month in by_month if month <= last}
    totals = {m: sum(value[d].get(m, 0.0) for d in PRICED if d in value) for m in months}
    before = [amount for month, amount in totals.items() if month < last]
    if len(before) >= 3 and totals.get(last, 0.0) > _RECORD_LEAD * max(before):
        amount = tidy(totals[last])
        note = "The last whole month is the best so far."
        yield Truth("record_month", account.key, "", last, None, amount, account.spec.currency, note)


def _status(account: Account) -> Iterator[Truth]:
    spec = account.spec
    start = account.live or account.signed
    if start is None:
        return
    if account.live is None or spec.sparse:
        note = "Too few events to compare with the commitment."
        yield Truth("insufficient_data", account.key, "", start, None, None, "", note)
    elif spec.trust != "validated":
        note = "Value that nobody has validated, or only in part, stands beside the headline."
        yield Truth("not_validated", account.key, "", start, None, None, "", note)
    else:
        kind = "ahead_of_plan" if spec.attainment > HIGH else "behind_plan" if spec.attainment < LOW else "on_plan"
        last = account.ended or account.today.replace(day=1) - timedelta(days=1)
        note = "Realized over committed of the planned drivers of money, from go-live to the last whole month."
        yield Truth(kind, account.key, "", start, last, exact(spec.attainment, 2), "ratio", note)


def _of_agreement(line: Agreement, accounts: tuple[Account, ...]) -> Truth:
    today = accounts[0].today
    kind = "assumption_disputed" if line.action == "dispute" else "assumption_withdrawn"
    return Truth(kind, line.account, line.slug, min(line.at.date(), today), None, line.expected, line.unit, line.reason)


def _changed(said: tuple[Agreement, ...]) -> Iterator[Truth]:
    """A validated value that followed another validated one, and has not been disputed since."""
    disputed = {(line.account, line.slug, line.expected) for line in said if line.action == "dispute"}
    before: dict[tuple[str, str], Agreement] = {}
    for line in said:
        if line.action != "validate" or line.expected is None or (line.account, line.slug, line.expected) in disputed:
            continue
        earlier = before.get((line.account, line.slug))
        if earlier is not None:
            start, note = line.effective_from, f"Was {earlier.expected}; holds from this day on."
            yield Truth("assumption_changed", line.account, line.slug, start, None, line.expected, line.unit, note)
        before[line.account, line.slug] = line


def _of_deliveries(accounts: tuple[Account, ...], deliveries: Deliveries) -> Iterator[Truth]:
    for account in accounts:
        for kind, counts in (("duplicate_events", deliveries.again), ("late_events", deliveries.late)):
            if counts.get(account.key):
                count, note = Decimal(counts[account.key]), "Events that arrived so, over the whole time."
                start = account.live or account.today
                yield Truth(kind, account.key, "", start, account.ended, count, "event", note)


def _of_partners(accounts: tuple[Account, ...], together: tuple[Saying, ...]) -> Iterator[Truth]:
    """How the joint driver is shared, who may not report, and how what was reported stands."""
    answers = {(one.account, one.id): one.action for one in together if isinstance(one, Replied)}
    stands = {"corroborate": "corroborated", "dispute": "disputed", "withdraw": "withdrawn"}
    proposed: dict[str, Shared] = {}
    yes: dict[str, set[str]] = {}
    for one in together:
        if isinstance(one, Claimed):
            # Of a driver so little is claimed that telemetry bears it out.
            unanswered = "corroborated" if one.driver else "reported"
            kind = "contribution_" + stands.get(answers.get((one.account, one.id), ""), unanswered)
            yield Truth(kind, one.account, one.id, one.month, None, one.amount, "", one.reason)
        if isinstance(one, Shared):
            proposed[one.account] = one if one.action == "propose" else proposed[one.account]
            yes[one.account] = {one.party} | (set() if one.action == "propose" else yes[one.account])
            if len(yes[one.account]) == len(("customer", "supplier", "partner")):
                share, note = proposed[one.account].share, "Tessera's agreed share from this day on."
                yield Truth("joint_split", one.account, JOINT_DRIVER, one.at.date(), None, share, "ratio", note)
    for key, one in proposed.items():
        if len(yes[key]) < len(("customer", "supplier", "partner")):
            note = "A share that Tessera would have, and that not all have agreed to."
            yield Truth("split_waiting", key, JOINT_DRIVER, one.at.date(), None, one.share, "ratio", note)
    let = {one.account for one in together if isinstance(one, Consented) and one.what == "contribute"}
    for account in accounts:
        begun = account.features.get("erp-connector")
        if begun is not None and account.key not in let:
            note = "Nobody has let Tessera report value here."
            yield Truth("consent_missing", account.key, "tessera", begun, None, None, "", note)


def _unmeasured(accounts: tuple[Account, ...]) -> Iterator[Truth]:
    """Event types that show a feature in use and that no meter reads: what discovery has to propose."""
    if not accounts:
        return
    read = {meter["event"] for meter in model()["meter"]}
    for feature in model()["feature"]:
        if feature["event"] not in read:
            note = f"Shows {feature['slug']} in use, and no meter reads it."
            yield Truth("unmeasured_type", "", feature["event"], accounts[0].today, None, None, "", note)


def _of_features(accounts: tuple[Account, ...]) -> Iterator[Truth]:
    """What the features do, everywhere: the pattern that a model can learn."""
    if not accounts:
        return
    today = accounts[0].today
    effects = [
        ("guided-checklists", "", "0.17", "Lowers the repeat rate by this share of the baseline."),
        ("parts-check", "", "0.06", "Lowers the repeat rate by this share of the baseline."),
        ("same-day-invoicing", "", "3.8", "Invoices go out this many days sooner."),
        ("erp-connector", "", "1.9", "Invoices go out this many days sooner still."),
        ("route-planning", "", "0.38", "Lowers late arrivals by this share of the baseline."),
    ]
    both = "With guided checklists: lowers the repeat rate by this further share in"
    effects += [("parts-check", segment, "0.12", f"{both} {segment}.") for segment in sorted(COMPLEX)]
    for feature, segment, size, note in effects:
        kind, unit = ("feature_interaction" if segment else "feature_effect"), "day" if "days" in note else "ratio"
        subject = f"{feature} in {segment}" if segment else feature
        yield Truth(kind, "", subject, today, None, Decimal(size), unit, note)
