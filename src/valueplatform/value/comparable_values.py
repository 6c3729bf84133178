"""An estimated value of an assumption from comparable accounts: offered where the account has none of its own, and
taken only by a steward's own act, which the record keeps with the cohort that it came from."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from valueplatform.accounts.accounts import Account
from valueplatform.core.database import Transaction, lock_account
from valueplatform.core.errors import ConflictError, NotFoundError
from valueplatform.value import assumption_record as record
from valueplatform.value.accruals import Record
from valueplatform.value.agreed_values import Agreed
from valueplatform.value.assumption_record import Author, Statement
from valueplatform.value.assumptions import EVER, Action, Entry, statements
from valueplatform.value.basis import currencies_in
from valueplatform.value.benchmark import EVERYBODY
from valueplatform.value.benchmark_read import segment_title
from valueplatform.value.benchmark_store import newest_benchmarks
from valueplatform.value.model import Rate, ValueModel
from valueplatform.value.ranges import Range
from valueplatform.value.refreshing import read_record

METHOD: Final = "the median of what they validated, with the interval of the sign test (Hollander and Wolfe, 1999)"


class Comparable(msgspec.Struct, frozen=True):
    """What comparable accounts validated: the median, and an interval that covers it with the chance `coverage`.
    `cohort` is the segment, "" for all accounts."""

    cohort: str
    cohort_title: str
    accounts: int
    unit: str
    low: Decimal
    expected: Decimal
    high: Decimal
    coverage: Decimal
    says: str


async def comparable_values(tx: Transaction, account: Account, facts: Record) -> Mapping[str, Comparable]:
    """By slug: offers for inputs of which this account has no value of its own."""
    stored = await newest_benchmarks(tx)
    agreed = stored.benchmarks.values if stored else ()
    rates: tuple[Rate, ...] = (*facts.model.assumptions, *facts.model.baselines)
    found = {
        rate.slug: _offer(agreed, facts, rate, account.currency)
        for rate in rates
        if not statements(facts.entries.get(rate.slug, ()))
    }
    return {slug: offer for slug, offer in found.items() if offer is not None}


async def estimate_from_comparable(
    tx: Transaction, account: Account, slug: str, author: Author, now: datetime
) -> Entry:
    """Take the offer as the supplier's estimate for all days; it counts nowhere before a validator agrees to it.

    Raises NotFoundError where there is no such input or no cohort of it, ConflictError where the account has a value of
    its own, ForbiddenError for anybody but the supplier.
    """
    await lock_account(tx, account.account_id)
    facts, _ = await read_record(tx, account.account_id)
    if facts.model.rate(slug) is None:
        raise NotFoundError(f"The value model has no assumption or baseline {slug!r}.")
    if statements(facts.entries.get(slug, ())):
        raise ConflictError(f"{slug} has a value of this account's own; propose another instead.")
    offer = (await comparable_values(tx, account, facts)).get(slug)
    if offer is None:
        raise NotFoundError(f"Too few comparable accounts have validated {slug!r} for an estimate.")
    value = Range(offer.low, offer.expected, offer.high)
    statement = Statement(slug, value, offer.unit, EVER, reason_of(offer))
    return await record.state_value(tx, account.account_id, Action.ESTIMATE, statement, author, now)


def reason_of(offer: Comparable) -> str:
    covers = f"{(offer.coverage * 100).quantize(Decimal('0.1')):f}%"
    return f"{offer.says}: {METHOD}; it covers {covers}. Estimated, not stated by this account."


def _offer(agreed: Sequence[Agreed], facts: Record, rate: Rate, currency: str) -> Comparable | None:
    unit = unit_in(rate.unit, currency)
    for segment in dict.fromkeys((facts.segment or EVERYBODY, EVERYBODY)):
        for one in agreed:
            if (one.slug, one.segment, one.unit) == (rate.slug, segment, unit):
                offer = _comparable(one, facts.model)
                if offer is not None:
                    return offer
    return None


def _comparable(one: Agreed, model: ValueModel) -> Comparable | None:
    """None of what is withheld."""
    if one.accounts is None or one.low is None or one.median is None or one.high is None or one.coverage is None:
        return None
    title = segment_title(model, one.segment)
    where = f" in {title}" if one.segment else ""
    says = f"From {one.accounts:,} similar companies{where}"
    return Comparable(one.segment, title, one.accounts, one.unit, one.low, one.median, one.high, one.coverage, says)


def unit_in(unit: str, currency: str) -> str:
    """The unit as an account states it: in its own currency."""
    for code in currencies_in([unit]):
        unit = re.sub(rf"\b{code}\b", currency, unit)
    return unit
