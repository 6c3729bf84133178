"""Kinds of bad model files: each is told with its file, line, key, what is wrong and the cure."""

import re

import pytest

from valueplatform.value.model_file import ModelFileError, read_model

GOOD = """\
supplier = { name = "Fieldnote", currency = "USD", timezone = "America/New_York" }

[[segment]]
slug = "large"

[[product]]
slug = "core"

[[meter]]
slug = "jobs"
unit = "job"
event = "job.dispatched"
aggregation = "COUNT"

[[meter]]
slug = "minutes"
unit = "minute"
event = "job.dispatched"
aggregation = "SUM"
property = "minutes"

[[baseline]]
slug = "before"
unit = "minute/job"
method = "measured-before"
default = { low = "11", expected = "14", high = "16" }

[[assumption]]
slug = "cost"
unit = "USD/hour"
default = { low = "38", expected = "45", high = "52" }

[[assumption]]
slug = "share"
unit = "ratio"
default = "0.5"

[[assumption]]
slug = "hours"
unit = "hour"
default = "480"

[[pool]]
slug = "desk"
unit = "USD"
cap = "hours * cost"

[[driver]]
slug = "time"
benefit_class = "capacity"
evidence = "measured"
pool = "desk"
unit = "USD"
redeployment = "share"
feature = ["auto"]
against_baseline = { volume = "jobs", baseline = "before", actual = "minutes", worth = "cost / 60" }

[[feature]]
slug = "auto"
event = "job.dispatched"
product = "core"
"""
KIND = 'against_baseline = { volume = "jobs", baseline = "before", actual = "minutes", worth = "cost / 60" }'


def with_driver(text: str, *, keeps: str = 'benefit_class = "cashable"\npool = "desk"\nunit = "USD"') -> str:
    return f'{GOOD}\n[[driver]]\nslug = "other"\n{keeps}\n{text}\n'


def changed(before: str, after: str) -> str:
    assert before in GOOD
    return GOOD.replace(before, after, 1)


PROBABLE = '{ exposure = "jobs", before = "share", now = "share", impact = "cost" }'
BAD: dict[str, tuple[str, str]] = {
    # The file
    "not TOML": ("supplier = {", "not TOML"),
    "a key twice": (changed('slug = "large"', 'slug = "large"\nslug = "x"'), "not TOML"),
    "no supplier": (GOOD.split("\n", 1)[1], "supplier: is missing; add supplier"),
    "an unknown table": (GOOD + "[[metr]]\nslug = 1\n", 'metr: unknown key; did you mean "meter"?'),
    "a table where a list belongs": (GOOD + "[event_type]\ntype = 'a'\n", "event_type: is not a list of tables; begin"),
    "otlp is no table": ("otlp = 3\n" + GOOD, "otlp: is not a table; write [otlp]"),
    # The supplier
    "no name": (changed('name = "Fieldnote", ', ""), "supplier.name: is missing; add name"),
    "no such currency": (changed('"USD", timezone', '"USB", timezone'), 'supplier.currency: "USB" is not a currency'),
    "no such zone": (changed("America/New_York", "New York"), 'supplier.timezone: "New York" is not an IANA time zone'),
    "a blank name": (changed('"Fieldnote"', '" "'), 'supplier.name: " " is not a text; write name'),
    # Meters
    "no slug": (changed('slug = "jobs"\n', ""), ".slug: is missing; add slug"),
    "a slug that no formula can read": (
        changed('slug = "jobs"', 'slug = "Jobs"'),
        '"Jobs" cannot be a slug; start with',
    ),
    "a slug that formulas need": (
        changed('slug = "share"', 'slug = "case"'),
        'slug: "case" is a word that formulas need',
    ),
    "a slug twice": (changed('slug = "minutes"', 'slug = "jobs"'), '"jobs" is already the slug of meter[1]'),
    "a slug of a meter and an assumption": (changed('slug = "share"', 'slug = "jobs"'), "is already the slug of meter"),
    "no event": (
        changed('event = "job.dispatched"\naggregation = "COUNT"', 'aggregation = "COUNT"'),
        "event: is missing",
    ),
    "an empty list of events": (changed('event = "job.dispatched"', "event = []"), "event: the list is empty; name"),
    "an event that is a number": (changed('event = "job.dispatched"', "event = 3"), "event: 3 is not a text or a list"),
    "no aggregation": (changed('aggregation = "COUNT"\n', ""), "aggregation: is missing; add one of COUNT"),
    "no such aggregation": (changed('"COUNT"', '"MEDIAN"'), 'aggregation: "MEDIAN" is not one of COUNT'),
    "COUNT with a property": (
        changed('"COUNT"', '"COUNT"\nproperty = "x"'),
        "COUNT counts events and reads no property",
    ),
    "SUM without a property": (changed('property = "minutes"\n', ""), "property: SUM needs a property; name the path"),
    "a dimension twice": (
        changed('"COUNT"', '"COUNT"\ndimensions = ["a", "a"]'),
        '"a" is listed 2 times; list it once',
    ),
    "a filter that cannot be read": (changed('"COUNT"', '"COUNT"\nfilter = "a ="'), "; a filter looks like"),
    "a filter that calls a function": (
        changed('"COUNT"', '"COUNT"\nfilter = "lower(a) = \'x\'"'),
        "; a filter looks like",
    ),
    "an unknown key of a meter": (
        changed('unit = "job"', 'units = "job"'),
        'meter[1] "jobs".units: unknown key; did you',
    ),
    # Baselines and assumptions
    "no unit": (changed('unit = "minute/job"\n', ""), 'baseline[1] "before".unit: is missing; add unit'),
    "no method": (changed('method = "measured-before"\n', ""), "method: is missing; add one of measured-before"),
    "no such method": (changed('"measured-before"', '"guessed"'), 'method: "guessed" is not one of measured-before'),
    "bounds out of order": (
        changed('low = "11"', 'low = "15"'),
        "low 15, expected 14, high 16 are not in ascending order",
    ),
    "a bound that is missing": (changed('low = "11", ', ""), "default.low: is missing; write default = { low"),
    "a bound too many": (
        changed('low = "11"', 'mid = "12", low = "11"'),
        "default.mid: unknown key; known are expected",
    ),
    "a number that is none": (changed('default = "0.5"', 'default = "half"'), 'share".default: '),
    "a number with too many digits": (
        changed('default = "0.5"', "default = 0.12345678901"),
        "18 integer or 9 fraction",
    ),
    "a day that is none": (
        changed('method = "measured-before"', 'method = "measured-before"\nexpires_on = "soon"'),
        'expires_on: "soon" is not a day; write expires_on = 2026-01-31',
    ),
    "a moment where a day belongs": (
        changed('method = "measured-before"', 'method = "measured-before"\nmeasured_on = 2026-01-01T10:00:00Z'),
        "is not a day",
    ),
    "a criterion that asks for nothing": (
        GOOD + ('[[criterion]]\nslug = "crew"\nattribute = "crew"'),
        "does not say what an ideal customer has",
    ),
    "a criterion of texts and bounds": (
        GOOD + ('[[criterion]]\nslug = "crew"\nattribute = "crew"\none_of = ["a"]\nat_least = "3"'),
        "says both texts and bounds",
    ),
    "a criterion upside down": (
        GOOD + ('[[criterion]]\nslug = "crew"\nattribute = "crew"\nat_least = "3"\nat_most = "2"'),
        "at_least: 3 is above at_most",
    ),
    "no such segment": (
        changed('unit = "ratio"\ndefault = "0.5"', 'unit = "ratio"\ndefault = "0.5"\n[assumption.segment]\nhuge = "1"'),
        'segment.huge: unknown segment "huge"; known are large',
    ),
    "a segment out of order": (
        changed(
            'unit = "ratio"\ndefault = "0.5"',
            'unit = "ratio"\ndefault = "0.5"\n[assumption.segment.large]\nlow = 2\nexpected = 1\nhigh = 3',
        ),
        "segment.large: low 2, expected 1, high 3 are not in ascending order",
    ),
    # Pools
    "a pool that is not declared": (changed('pool = "desk"', 'pool = "desks"'), 'pool: unknown pool "desks"; did you'),
    "a pool twice": (GOOD + '[[pool]]\nslug = "desk"\n', '"desk" is already the slug of pool[1]'),
    "a cap that cannot be read": (changed('"hours * cost"', '"hours *"'), 'pool[1] "desk".cap: '),
    "a cap of something unknown": (
        changed('"hours * cost"', '"hourz * cost"'),
        'cap: unknown name "hourz"; did you mean',
    ),
    "a cap that is metered": (changed('"hours * cost"', '"minutes * cost"'), "cannot be metered by"),
    "a pool of two units": (
        changed('slug = "desk"\nunit = "USD"', 'slug = "desk"\nunit = "EUR"'),
        "do not add up; give",
    ),
    # Drivers
    "no formula": (
        changed(KIND + "\n", ""),
        'driver[1] "time".formula: is missing; give one of formula, against_baseline',
    ),
    "a formula and a kind": (changed(KIND, KIND + '\nformula = "jobs"'), "formula and against_baseline both say"),
    "two kinds": (changed(KIND, KIND + '\neffort = { cost = "jobs * cost" }'), "against_baseline and effort both say"),
    "a formula that cannot be read": (with_driver('formula = "jobs * ("'), 'driver[2] "other".formula: formula'),
    "a formula that sums over rows": (with_driver('formula = "sum(jobs) * cost"'), "; a formula has names, numbers"),
    "a formula with a clock": (with_driver('formula = "jobs * now()"'), "; a formula has names, numbers"),
    "a formula with a subquery": (with_driver('formula = "(select 1) * jobs"'), "; a formula has names, numbers"),
    "a name that is unknown": (
        with_driver('formula = "jobz * cost"'),
        'formula: unknown name "jobz"; did you mean "jobs"',
    ),
    "a formula without a meter": (with_driver('formula = "cost * 2"'), "reads no meter, so that it would never have"),
    "units that do not fit": (with_driver('formula = "jobs * cost"'), "the formula gives USD·job/time, not USD; mend"),
    "a forgotten 60": (with_driver('formula = "minutes * cost"'), "needs a conversion: divide by 60 to have USD; mend"),
    "minutes less jobs": (with_driver('formula = "(minutes - jobs) * cost"'), "they do not go together; mend"),
    "a class that does not exist": (changed('"capacity"', '"soft"'), 'benefit_class: "soft" is not one of cashable'),
    "a grade that does not exist": (changed('"measured"\npool', '"proven"\npool'), 'evidence: "proven" is not one of'),
    "an overlap that is not declared": (
        with_driver('formula = "minutes / 60 * cost"', keeps='unit = "USD"'),
        "the benefit may count twice; give both the same pool",
    ),
    "no such feature": (
        changed('feature = ["auto"]', 'feature = ["autos"]'),
        'feature: unknown feature "autos"; did you',
    ),
    "an end before the beginning": (
        with_driver('formula = "minutes / 60 * cost"\neffective_from = 2026-05-01\neffective_to = 2026-05-01'),
        "effective_to: it would end on 2026-05-01, before it begins on 2026-05-01; write a later day",
    ),
    "redeployment of what is no capacity": (changed('"capacity"', '"cashable"'), "cashable value has no redeployment"),
    "a margin of what is no revenue": (changed("redeployment", "margin"), "capacity value has no margin; only revenue"),
    "a share that is unknown": (
        changed('redeployment = "share"', 'redeployment = "shar"'),
        'unknown assumption "shar"',
    ),
    # Kinds of driver
    "a part that is missing": (changed('actual = "minutes", ', ""), "against_baseline.actual: is missing; add actual"),
    "a part that is not known": (
        changed('volume = "jobs"', 'volume = "jobs", x = "1"'),
        "against_baseline.x: unknown key",
    ),
    "a part that cannot be read": (
        changed('worth = "cost / 60"', 'worth = "cost /"'),
        "against_baseline.worth: formula",
    ),
    "a part that closes another": (changed('"cost / 60"', '"cost) * (1 / 60"'), "against_baseline.worth: formula"),
    "a baseline that is none": (changed('baseline = "before"', 'baseline = "cost"'), '"cost" is no baseline, so that'),
    "a kind that is no table": (changed(KIND, 'against_baseline = "jobs"'), 'against_baseline: "jobs" is not a table'),
    "prices of nothing": (with_driver("unit_prices = {}"), "unit_prices: the table is empty; name at least one"),
    "a price that nobody can validate": (
        with_driver('unit_prices = { jobs = "2" }'),
        'nobody can validate the price "2"',
    ),
    "a threshold without a bound": (
        with_driver('threshold = { of = "jobs", worth = "cost" }'),
        "threshold: it needs either at_least or at_most; write at_least",
    ),
    "a threshold with two": (
        with_driver('threshold = { of = "jobs", worth = "cost", at_least = "1", at_most = "2" }'),
        "threshold: it needs either at_least or at_most; write at_least",
    ),
    "a score in money": (
        with_driver('score = { jobs = "2" }'),
        "points are not USD: a score is never money; write unit",
    ),
    "a risk of another class": (
        with_driver(f"probability_impact = {PROBABLE}", keeps='pool = "desk"\nunit = "job·USD/hour"'),
        "probability and impact make no capacity value; write benefit_class",
    ),
    "a risk without a counterfactual": (
        with_driver(f"probability_impact = {PROBABLE}", keeps='benefit_class = "risk"\nunit = "job·USD/hour"'),
        "counterfactual: probability and impact need a stated counterfactual; add counterfactual",
    ),
    "a risk without a sunset": (
        with_driver(f"probability_impact = {PROBABLE}", keeps='benefit_class = "risk"\nunit = "job·USD/hour"'),
        "sunset: probability and impact need a stated sunset; add sunset",
    ),
    # Features
    "no such product": (
        changed('product = "core"', 'product = "cor"'),
        'product: unknown product "cor"; did you mean "core"',
    ),
    "a price below nothing": (
        GOOD + 'price = "-1"\n',
        "price: -1 is negative; write what it costs as a positive number",
    ),
    "included, and yet with a price": (GOOD + 'included = true\nprice = "3"\n', "included and yet has a price; remove"),
    "included that is no truth": (GOOD + 'included = "yes"\n', 'included: "yes" is not true or false; write included'),
    "no such eligible segment": (GOOD + 'eligible_segments = ["small"]\n', 'unknown segment "small"; known are large'),
    "a feature twice": (GOOD + '[[feature]]\nslug = "auto"\nevent = "x"\n', '"auto" is already the slug of feature[1]'),
}


def test_the_good_one_is_good() -> None:
    assert read_model(GOOD, "good.toml").drivers[0].formula == "(jobs * before - minutes) * (cost / 60) * share"


def test_there_are_more_than_sixty_kinds() -> None:
    assert len(BAD) > 75


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_model_is_told_with_its_place_and_its_cure(kind: str) -> None:
    text, told = BAD[kind]
    with pytest.raises(ModelFileError) as refused:
        read_model(text, "bad.toml")
    lines = [str(problem) for problem in refused.value.problems]
    (line, *_) = [each for each in lines if told in each] or [f"none of {lines}"]
    assert told in line
    assert re.match(r"bad\.toml(:\d+)?: ", line)
    assert "; " in line
