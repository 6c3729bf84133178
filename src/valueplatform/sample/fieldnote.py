"""The value model of the sample supplier, as text and as read from fieldnote.toml."""

import json
import re
import tomllib
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from valueplatform.sample.cast import Account
from valueplatform.value.model_file import read_model

PARTNERS = {"tessera": "Tessera Integrations", "waypoint": "Waypoint Telematics"}

_RELEASES = (
    ("dispatch-board-3", "Dispatch board 3", 120, ["auto-dispatch"]),
    ("mobile-6", "Mobile 6", 75, ["job-reports", "guided-checklists", "parts-check"]),
    ("quotes-2", "Quotes on site 2", 30, ["on-site-quotes"]),
)
"""Slug, title, days before the end, features."""

_NEEDS = {
    "dispatch_time": "auto-dispatch",
    "calls_avoided": "arrival-tracking",
    "repeat_visits_avoided": "job-reports",
    "faster_invoicing": "same-day-invoicing",
    "retyping_avoided": "erp-connector",
    "late_arrivals_avoided": "route-planning",
    "quotes_on_site": "on-site-quotes",
    "outage_overtime": "job-reports",
    "incidents_avoided": "safety-checks",
}


@cache
def model_toml() -> str:
    return files("valueplatform.sample").joinpath("fieldnote.toml").read_text(encoding="utf-8")


def releases_toml(until: date) -> str:
    """Releases as of a day; the newest has not had its eight weeks yet."""
    return "".join(
        f'\n[[release]]\nslug = "{slug}"\ntitle = "{title}"\n'
        f"day = {until - timedelta(days=days)}\nfeature = {json.dumps(features)}\n"
        for slug, title, days, features in _RELEASES
    )


@cache
def model() -> dict[str, Any]:
    return tomllib.loads(model_toml())


@cache
def formulas() -> dict[str, str]:
    """The formula of each driver, whatever kind it is of."""
    return {driver.slug: driver.formula for driver in read_model(model_toml(), "fieldnote.toml").drivers}


def input_definitions() -> dict[str, dict[str, Any]]:
    """Baselines and assumptions as the model has them, by slug."""
    return {entry["slug"]: entry for kind in ("baseline", "assumption") for entry in model()[kind]}


@cache
def driver_inputs(driver: str) -> tuple[str, ...]:
    """The baselines and assumptions in a driver's formula, and in the cap of its benefit pool."""
    pool = next(entry.get("pool") for entry in model()["driver"] if entry["slug"] == driver)
    cap = next((entry["cap"] for entry in model()["pool"] if entry["slug"] == pool), "")
    names = re.findall(r"[a-z_][a-z0-9_]*", f"{formulas()[driver]} {cap}")
    known = input_definitions()
    return tuple(dict.fromkeys(name for name in names if name in known))


def drivers_of(account: Account) -> tuple[str, ...]:
    """The drivers that an account's features feed."""
    found = tuple(driver for driver, feature in _NEEDS.items() if account.uses(feature))
    return tuple(d for d in found if d != "late_arrivals_avoided" or "waypoint" in partners_of(account))


def partners_of(account: Account) -> tuple[str, ...]:
    """The partners that report events for the account: Tessera sells the connector, Waypoint its devices apart."""
    sold = {"tessera": "erp-connector", "waypoint": "route-planning"}
    own = ("tessera", *account.spec.partners)
    return tuple(partner for partner, feature in sold.items() if account.uses(feature) and partner in own)


def feature_of(driver: str) -> str:
    """The feature without which a driver has no events."""
    return _NEEDS[driver]


def first_input_use(account: Account) -> dict[str, str]:
    """Each input that the account's drivers rest on, with the first driver that brings it in."""
    found: dict[str, str] = {}
    for driver in drivers_of(account):
        for slug in driver_inputs(driver):
            found.setdefault(slug, driver)
    return found


def may_use(account: Account, feature: str) -> bool:
    """Whether a feature is offered to the account's segment; the ERP connector needs something to send."""
    definition = next(entry for entry in model()["feature"] if entry["slug"] == feature)
    eligible = account.spec.segment in definition.get("eligible_segments", (account.spec.segment,))
    return eligible and (feature != "erp-connector" or account.uses("same-day-invoicing"))
