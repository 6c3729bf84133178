"""Accounts that send, or do not, with what their drivers were worth: what tests of worth are made of."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from valueplatform.value.model import ValueModel
from valueplatform.value.model_file import read_model
from valueplatform.value.worth import Standing, Sum

MONTHS = (date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1))

MODEL = """
supplier = { name = "Fieldnote", currency = "USD", timezone = "UTC" }

[[segment]]
slug = "big"

[[product]]
slug = "core"

[[feature]]
slug = "tracking"
event = "tracking.opened"
product = "core"

[[feature]]
slug = "dispatch"
event = "job.done"
product = "core"

[[feature]]
slug = "lists"
event = "list.done"

[[meter]]
slug = "jobs"
event = "job.done"
aggregation = "COUNT"
dimensions = ["team"]

[[meter]]
slug = "minutes"
event = "job.done"
aggregation = "SUM"
property = "minutes"
filter = "channel = 'app'"

[[meter]]
slug = "opens"
event = "tracking.opened"
aggregation = "SUM"
property = "opens"

[[meter]]
slug = "incidents"
event = "incident.reported"
aggregation = "COUNT"

[[meter]]
slug = "hours"
event = "safety.checked"
aggregation = "SUM"
property = "hours"

[[meter]]
slug = "logins"
event = "login"
aggregation = "COUNT"

[[assumption]]
slug = "per_minute"
unit = "USD/minute"
default = { low = "1", expected = "2", high = "3" }

[[assumption]]
slug = "per_open"
unit = "USD/open"
default = { low = "1", expected = "2", high = "4" }

[[driver]]
slug = "time"
unit = "USD"
formula = "(jobs * 10 - minutes) * per_minute"
feature = ["lists"]

[[driver]]
slug = "calls"
title = "Calls avoided"
unit = "USD"
formula = "opens * per_open"

[[driver]]
slug = "safety"
unit = "incident"
benefit_class = "strategic"
formula = "hours / 1000 - incidents"
"""


def the_model(more: str = "") -> ValueModel:
    return read_model(MODEL + more, "model.toml")


def a_sum(expected: str, *, low: str = "", high: str = "", benefit_class: str = "capacity", steady: bool = True) -> Sum:
    amount = Decimal(expected)
    bounds = {"low": Decimal(low) if low else amount, "high": Decimal(high) if high else amount}
    each = (amount / 3, amount / 3, amount / 3 if steady else None)
    return Sum(
        benefit_class=benefit_class,
        expected=amount,
        counted=Decimal(0),
        evidence="measured",
        state="estimated",
        by_month=each,
        **bounds,
    )


def standing(
    account_id: int,
    types: Iterable[str],
    realized: Mapping[str, str | Sum],
    *,
    segment: str | None = "big",
    currency: str = "USD",
    paths: Iterable[tuple[str, str]] = (),
    steady: Iterable[str] | None = None,
) -> Standing:
    """`realized` by driver, in the account's currency, or by "driver/unit"."""
    sums = {}
    for name, amount in realized.items():
        driver, _, unit = name.partition("/")
        sums[driver, unit or currency] = amount if isinstance(amount, Sum) else a_sum(amount)
    sent = frozenset(types)
    return Standing(
        account_id=account_id,
        segment=segment,
        currency=currency,
        types=sent,
        steady=sent if steady is None else frozenset(steady),
        paths=frozenset(paths),
        realized=sums,
    )
