"""The measures of finance: one written definition each, for the API, the page, docs/finance.md and the proof.

`formula` is what the measure is, in the names of its parts and of other measures; the proof evaluates this very text
(`finance_proof`). A measure is told where what it is divided by is above zero; in `min`, what would be divided by zero
is left out.

Sources: *Skok* is David Skok, "SaaS Metrics 2.0: Detailed Definitions" (forentrepreneurs.com), for churn, ARPA,
lifetime, LTV, CAC and the months to recover it; *Farris* is Farris, Bendle, Pfeifer and Reibstein, "Marketing Metrics",
for retention, customer profitability and the cost of acquisition. What a customer invests is value rule 7.
"""

from enum import StrEnum
from typing import Final

import msgspec

LEAST_COHORT: Final = 5
"""Fewer accounts than this tell no rate at which accounts are lost, and rank no segment (value rule 20)."""
HORIZON: Final = 60
"""Months that a lifetime is bounded by: five years, as far as anybody plans for software."""


class Unit(StrEnum):
    MONEY = "money"
    """In the supplier's currency."""
    RATIO = "ratio"
    SHARE = "share"
    MONTHS = "months"
    COUNT = "count"


class Metric(StrEnum):
    VALUE_PER_DOLLAR = "value-per-dollar"
    OWN_VALUE_PER_DOLLAR = "own-value-per-dollar"
    NRR = "nrr"
    GRR = "grr"
    EXPANSION = "expansion-rate"
    REVENUE_CHURN = "revenue-churn"
    LOGO_CHURN = "logo-churn"
    RECURRING = "recurring-revenue"
    ARPA = "arpa"
    GROSS_MARGIN = "gross-margin"
    LIFETIME = "lifetime"
    LTV = "ltv"
    CAC = "cac"
    LTV_CAC = "ltv-cac"
    CAC_PAYBACK = "cac-payback"
    VALUE = "value-delivered"
    REVENUE = "revenue-by-contribution"


class Part(msgspec.Struct, frozen=True):
    """An amount that measures are made of: one of each account, or, where `shared`, of the supplier as a whole."""

    name: str
    title: str
    says: str
    unit: Unit = Unit.MONEY
    shared: bool = False


class Definition(msgspec.Struct, frozen=True):
    """`names` are what the formula is made of, in its order. It is told where `needs` is above zero."""

    metric: Metric
    title: str
    unit: Unit
    formula: str
    says: str
    source: str
    needs: str = "1"

    @property
    def names(self) -> tuple[str, ...]:
        words = "".join(each if each.isalnum() or each == "_" else " " for each in self.formula).split()
        return tuple(dict.fromkeys(word for word in words if word != "min" and not word.isdigit()))


PARTS: Final = {
    part.name: part
    for part in (
        Part("opening", "Recurring at the start", "Monthly recurring revenue on the day before the window, of accounts "
             "that had any; both ends at the exchange rate of the window's first day"),
        Part("expansion", "Expansion", "By how much the recurring revenue of such an account is higher at the end"),
        Part("contraction", "Contraction", "By how much that of one which stayed is lower at the end"),
        Part("churned", "Churned", "What those had that have none on the last day"),
        Part("cohort", "Accounts at the start", "Accounts with recurring revenue on the day before the window",
             Unit.COUNT),
        Part("lost", "Accounts lost", "Those of them without any on the last day", Unit.COUNT),
        Part("recurring", "Recurring at the end", "Monthly recurring revenue on the last day, at that day's rate"),
        Part("payers", "Paying accounts", "Accounts with recurring revenue on the last day", Unit.COUNT),
        Part("won", "Accounts won", "Accounts whose first day with recurring revenue lies in the window", Unit.COUNT),
        Part("won_recurring", "Recurring of those won", "Their monthly recurring revenue on the last day"),
        Part("revenue", "Paid to us", "What contracts with the supplier cost in the window, by the day"),
        Part("partner_fees", "Partner fees", "What contracts with partners cost in the window, by the day"),
        Part("implementation", "Implementation", "Costs of that kind in the window. The record does not say which side "
             "bears them, so they count on both"),
        Part("internal", "Internal effort", "The customer's own effort, as far as it is known"),
        Part("acquisition", "Acquisition", "What winning the account cost the supplier"),
        Part("service", "Service", "What serving the account cost the supplier"),
        Part("value", "Value delivered", "Counted value (value rule 10), by the day it is shown on"),
        Part("value_paid_for", "Value of those who invested",
             "Counted value of accounts with a contract or a known effort in the window"),
        Part("shared_acquisition", "Shared acquisition", "Acquisition cost of no single account", shared=True),
        Part("shared_implementation", "Shared implementation", "Implementation cost of no single account", shared=True),
        Part("shared_service", "Shared service", "Service cost of no single account", shared=True),
        Part("shared_internal", "Shared internal effort", "Internal effort of no single account", shared=True),
        Part("months", "Months", "Length of the window; a month that is cut counts by its days", Unit.MONTHS,
             shared=True),
    )
}  # fmt: skip

_SKOK: Final = "Skok, SaaS Metrics 2.0"
_FARRIS: Final = "Farris et al., Marketing Metrics"
DEFINITIONS: Final = {
    one.metric: one
    for one in (
        Definition(
            Metric.VALUE_PER_DOLLAR,
            "Value per dollar the customers invested",
            Unit.RATIO,
            "value_paid_for / (revenue + partner_fees + implementation + internal + shared_implementation"
            " + shared_internal)",
            "Counted value over all that customers are known to have put in: what they paid us and partners, "
            "implementation, and their own effort. Value of accounts that put nothing in is not in it.",
            "Value rule 7",
        ),
        Definition(
            Metric.OWN_VALUE_PER_DOLLAR,
            "Value per dollar we invested",
            Unit.RATIO,
            "value / (acquisition + implementation + service + shared_acquisition + shared_implementation"
            " + shared_service)",
            "Counted value over what winning, starting and serving the accounts cost us, shared cost included.",
            "Value rule 7",
        ),
        Definition(
            Metric.NRR,
            "Net revenue retention",
            Unit.SHARE,
            "(opening + expansion - contraction - churned) / opening",
            "Of the recurring revenue at the start, how much the same accounts pay at the end, what they added "
            "included. Accounts won in the window, prospects and accounts that come back are not in it.",
            _SKOK,
        ),
        Definition(
            Metric.GRR,
            "Gross revenue retention",
            Unit.SHARE,
            "(opening - contraction - churned) / opening",
            "The same without what they added, account by account: never above 100%.",
            _SKOK,
        ),
        Definition(
            Metric.EXPANSION,
            "Expansion",
            Unit.SHARE,
            "expansion / opening",
            "What accounts of the start added, as a share of what they paid then.",
            _SKOK,
        ),
        Definition(
            Metric.REVENUE_CHURN,
            "Revenue churn",
            Unit.SHARE,
            "(contraction + churned) / opening",
            "Recurring revenue of the start that is gone, from accounts that left and from those that pay less.",
            _SKOK,
        ),
        Definition(
            Metric.LOGO_CHURN,
            "Account churn",
            Unit.SHARE,
            "lost / cohort",
            "Accounts of the start that pay nothing at the end. One that left and came back within the window stayed.",
            _SKOK,
        ),
        Definition(
            Metric.RECURRING,
            "Monthly recurring revenue",
            Unit.MONEY,
            "recurring",
            "Months, and a twelfth of years, of the contracts with us that are in force on the last day.",
            _SKOK,
        ),
        Definition(
            Metric.ARPA,
            "Revenue per account",
            Unit.MONEY,
            "recurring / payers",
            "Monthly recurring revenue on the last day, by paying account.",
            _SKOK,
        ),
        Definition(
            Metric.GROSS_MARGIN,
            "Gross margin",
            Unit.SHARE,
            "(revenue - service - shared_service) / revenue",
            "What is left of what customers paid us once they are served, shared cost included.",
            _FARRIS,
        ),
        Definition(
            Metric.LIFETIME,
            "Expected lifetime",
            Unit.MONTHS,
            f"min({HORIZON}, months * cohort / lost)",
            f"One over the monthly rate at which accounts are lost, bounded by {HORIZON} months; where none was lost "
            f"it is that bound. Told for {LEAST_COHORT} accounts and more.",
            _SKOK,
            needs=f"cohort - {LEAST_COHORT - 1}",
        ),
        Definition(
            Metric.LTV,
            "Lifetime value",
            Unit.MONEY,
            "arpa * gross_margin * lifetime",
            "What an account is expected to leave over its lifetime, at today's price and margin. Nothing is "
            "discounted, and no expansion is assumed.",
            f"{_SKOK}; {_FARRIS}",
        ),
        Definition(
            Metric.CAC,
            "Cost of acquisition",
            Unit.MONEY,
            "(acquisition + shared_acquisition) / won",
            "All that was spent on winning accounts in the window, by account won in it; what was spent on those that "
            "were not won is in it.",
            f"{_SKOK}; {_FARRIS}",
            needs="acquisition + shared_acquisition",
        ),
        Definition(
            Metric.LTV_CAC,
            "LTV to CAC",
            Unit.RATIO,
            "ltv / cac",
            "Lifetime value by dollar of acquisition.",
            _SKOK,
        ),
        Definition(
            Metric.CAC_PAYBACK,
            "Months to recover CAC",
            Unit.MONTHS,
            "(acquisition + shared_acquisition) / (won_recurring * gross_margin)",
            "How many months of margin of the accounts won pay for winning them.",
            _SKOK,
            needs="acquisition + shared_acquisition",
        ),
        Definition(
            Metric.VALUE,
            "Value delivered",
            Unit.MONEY,
            "value",
            "Counted value of all accounts: validated, or measured (value rule 10). Strategic value is in no total.",
            "Value rules 4 and 10",
        ),
        Definition(
            Metric.REVENUE,
            "Revenue by contribution",
            Unit.MONEY,
            "revenue",
            "What each account paid us, split over its drivers by their counted value, to the last unit. A driver "
            "below zero gets nothing. What accounts without counted value paid is shown as not attributed.",
            "Seed document B, Finance Org: revenue distribution by contribution",
        ),
    )
}
METRIC_OF_NAME: Final = {metric.value.replace("-", "_"): metric for metric in Metric}
"""As formulas name measures."""


def parts_of(metric: Metric) -> tuple[Part, ...]:
    """The parts that a measure comes down to, those of other measures in it included, in the formula's order."""
    found: dict[str, Part] = {}
    for name in DEFINITIONS[metric].names:
        if name in PARTS:
            found[name] = PARTS[name]
        else:
            found |= {part.name: part for part in parts_of(METRIC_OF_NAME[name])}
    return tuple(found.values())


def document() -> str:
    """The definitions as docs/finance.md has them."""
    lines = ["| measure | formula | definition | source |", "|---|---|---|---|"]
    lines += [
        f"| **{one.title}** (`{one.metric}`) | `{one.formula}` | {one.says} | {one.source} |"
        for one in DEFINITIONS.values()
    ]
    lines += ["", "| part | is |", "|---|---|", *(f"| `{one.name}` | {one.says}. |" for one in PARTS.values())]
    return "\n".join(lines) + "\n"
