"""Accounts beyond the written cast, so that the sample can be of any size: no situations, only the common pattern."""

import random

from valueplatform.sample.cast import AccountSpec, Person
from valueplatform.sample.draw import seeded
from valueplatform.sample.fieldnote import model

_PLACES = (
    *("Alder", "Birchwood", "Clearfield", "Dunmore", "Eastgate", "Fairhaven", "Glenwood", "Highland", "Juniper"),
    *(
        "Kingsway",
        "Larkspur",
        "Millbrook",
        "Northgate",
        "Oakridge",
        "Parkview",
        "Riverside",
        "Stonebridge",
        "Westfield",
    ),
)
_TRADES = {
    "elevators": ("Elevators", "Lift Service", "Escalators"),
    "facilities": ("Facilities", "Climate", "Building Services"),
    "logistics": ("Logistics", "Cold Chain", "Terminals"),
    "medical": ("Medical Service", "Imaging", "Clinical Engineering"),
    "utilities": ("Water", "Power", "Gas"),
}
_HOMES = (
    ("USD", "America/New_York"),
    ("USD", "America/Chicago"),
    ("USD", "America/Los_Angeles"),
    ("EUR", "Europe/Berlin"),
    ("GBP", "Europe/London"),
    ("AUD", "Australia/Adelaide"),
)
_PEOPLE = ("Alex Morgan", "Jamie Fraser", "Robin Castle", "Taylor Quinn", "Jordan Blake", "Casey Holt", "Morgan Lind")
_TEAMS = ("North", "South", "East", "West")
_CHANCE = {
    "guided-checklists": 0.6,
    "parts-check": 0.45,
    "on-site-quotes": 0.4,
    "safety-checks": 0.5,
    "same-day-invoicing": 0.75,
    "erp-connector": 0.25,
    "arrival-tracking": 0.7,
    "route-planning": 0.25,
}


def invented(number: int, seed: int) -> AccountSpec:
    """The account of that running number; the same for the same seed."""
    rng = seeded(seed, "invented", number)
    segment = rng.choice(sorted(_TRADES))
    place, trade = _PLACES[number % len(_PLACES)], rng.choice(_TRADES[segment])
    currency, timezone = rng.choice(_HOMES)
    live = rng.randint(150, 470)
    features = _features(rng, segment, live)
    attainment = round(rng.choice((0.74, 0.98, 1.0, 1.02, 1.2)) * rng.uniform(0.98, 1.02), 3)
    names = rng.sample(_PEOPLE, 2)
    return AccountSpec(
        key=f"{place}-{trade}-{number}".lower().replace(" ", "-"),
        name=f"{place} {trade} {number}",
        segment=segment,
        currency=currency,
        timezone=timezone,
        stage="Adopter" if live > 240 else "Value Creator",
        situation="invented",
        people=(
            Person(names[0], "sponsor", "Operations"),
            Person(names[1], "validator", "Finance"),
        ),
        jobs=rng.randint(60, 240),
        growth=round(rng.uniform(-0.05, 0.1), 3),
        signed=live + rng.randint(30, 50),
        live=live,
        roi=round(rng.uniform(1.8, 4.2), 2),
        attainment=attainment,
        teams=_TEAMS[: rng.randint(1, 3)],
        features=features,
        partners=("waypoint",) if "route-planning" in features and rng.random() < 0.5 else (),
    )


def _features(rng: random.Random, segment: str, live: int) -> dict[str, int]:
    """Features taken up between go-live and some weeks ago; the connector only where invoices are sent."""
    eligible = {entry["slug"]: entry.get("eligible_segments", (segment,)) for entry in model()["feature"]}
    taken = {f: rng.randint(60, live) for f, chance in _CHANCE.items() if rng.random() < chance}
    taken = {feature: day for feature, day in taken.items() if segment in eligible[feature]}
    if "same-day-invoicing" not in taken:
        taken.pop("erp-connector", None)
    return taken
