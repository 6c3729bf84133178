"""What an amount rests on: a driver's version and formula, and every input with its state (value rules 2, 9, 10)."""

import hashlib
import re
import uuid
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from valueplatform.value.assumptions import Default, Holding
from valueplatform.value.formula import Formula
from valueplatform.value.model import CURRENCIES, BaselineMethod, Driver, Evidence, weakest
from valueplatform.value.ranges import NoValue, Range
from valueplatform.value.states import State, is_agreed, weakest_state

MIXED_CURRENCIES: Final = "mixed_currencies"
NO_INPUT: Final = "no_input"


class BasisInput(msgspec.Struct, frozen=True):
    """One assumption or baseline as it was taken. `entry_id` None = the model's default."""

    slug: str
    value: Range
    unit: str
    state: State
    entry_id: int | None


class Basis(msgspec.Struct, frozen=True):
    """`counted`: the headline, return and attainment take it (rule 10). `cap` is the formula that caps its `pool`;
    both are None where nothing does."""

    driver: str
    driver_version: int
    formula: str
    unit: str
    benefit_class: str
    evidence: Evidence
    state: State
    counted: bool
    inputs: tuple[BasisInput, ...]
    pool: str | None = None
    cap: str | None = None

    @property
    def basis_id(self) -> uuid.UUID:
        """The hash of the content, so that equal bases are one row."""
        digest = hashlib.blake2b(msgspec.json.encode(self, order="deterministic"), digest_size=16)
        return uuid.UUID(bytes=digest.digest())


def build_basis(
    driver: Driver,
    holdings: Mapping[str, Holding | None],
    methods: Mapping[str, BaselineMethod],
    driver_holding: Holding | None,
    *,
    lapsed: bool = False,
    cap: str | None = None,
) -> Basis | NoValue:
    """The basis of `driver` on a day, from what holds of each of its inputs; or why it can have none.

    `methods` names the baselines among the inputs. `driver_holding` is what was said of the driver itself. `lapsed`: a
    baseline has expired or the driver's sunset has passed, so that it is an estimate again, whoever validated it. `cap`
    is the formula that caps the driver's pool; what it reads is among the inputs.
    """
    missing = sorted(slug for slug, held in holdings.items() if held is None)
    if missing:
        return NoValue(NO_INPUT, missing[0])
    held = {slug: holding for slug, holding in sorted(holdings.items()) if holding is not None}
    currencies = currencies_in(holding.unit for holding in held.values())
    if len(currencies) > 1:
        return NoValue(MIXED_CURRENCIES, "+".join(sorted(currencies)))
    # A driver priced in money that its inputs state in another currency is worth what its inputs say.
    is_money = bool(currencies_in([driver.unit]))
    unit = next(iter(currencies)) if currencies and is_money else driver.unit
    state = weakest_state(holding.state for holding in held.values())
    ceiling = _ceiling(driver, driver_holding)
    grades = [ceiling, *(_grade(holding, methods.get(slug)) for slug, holding in held.items())]
    if lapsed:
        state = weakest_state([state, State.ESTIMATED])
    if driver_holding is not None and driver_holding.state is State.UNDER_REVIEW:
        state = State.UNDER_REVIEW
    return Basis(
        driver=driver.slug,
        driver_version=driver.version,
        formula=driver.formula,
        unit=unit,
        benefit_class=driver.benefit_class,
        evidence=weakest(grades),
        state=state,
        counted=is_agreed(state) and ceiling is not Evidence.VENDOR_ESTIMATE,
        inputs=tuple(
            BasisInput(slug, h.value, h.unit, h.state, h.entry.entry_id if h.entry else None)
            for slug, h in held.items()
        ),
        pool=driver.pool if cap else None,
        cap=cap,
    )


def cap_of(basis: Basis) -> Decimal | NoValue | None:
    """What the month's amounts of the basis' pool may come to, at the expected values of its inputs; None = no cap."""
    if basis.cap is None:
        return None
    return Formula.parse(basis.cap).evaluate({given.slug: given.value.expected for given in basis.inputs})


def driver_statement(driver: Driver) -> Default:
    """What the model states of a driver, for a validator to accept: its present version."""
    return Default(Range.point(Decimal(driver.version)), "version")


def _ceiling(driver: Driver, holding: Holding | None) -> Evidence:
    """The grade that the driver itself allows: what only the vendor asserts counts once a validator said so."""
    declared = driver.evidence
    present = driver_statement(driver).value
    validated = holding is not None and holding.state is State.VALIDATED and holding.value == present
    if declared in {Evidence.VENDOR_ESTIMATE, Evidence.CUSTOMER_VALIDATED}:
        return Evidence.CUSTOMER_VALIDATED if validated else Evidence.VENDOR_ESTIMATE
    return declared


def _grade(holding: Holding, method: BaselineMethod | None) -> Evidence:
    if holding.state is State.VALIDATED:
        measured = method in {BaselineMethod.MEASURED_BEFORE, BaselineMethod.CONTROL_GROUP}
        return Evidence.MEASURED if measured else Evidence.CUSTOMER_VALIDATED
    return Evidence.BENCHMARK if method is BaselineMethod.BENCHMARK else Evidence.VENDOR_ESTIMATE


def currencies_in(units: Iterable[str]) -> frozenset[str]:
    """The currencies that units such as 'USD/hour' name."""
    words = {word for unit in units for word in re.split(r"[^A-Za-z]+", unit)}
    return frozenset(words & CURRENCIES)


def is_currency(unit: str) -> bool:
    return unit in CURRENCIES
