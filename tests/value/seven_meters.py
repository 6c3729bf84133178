"""A model with a meter of every aggregation, and drivers that need those that may have no value."""

from tests.value.factories import MODEL, a_model

SEVEN_TEXT = (
    MODEL
    + """
[[meter]]
slug = "mean"
event = "job.dispatched"
aggregation = "AVG"
property = "minutes"
dimensions = ["crew"]

[[meter]]
slug = "least"
event = "job.dispatched"
aggregation = "MIN"
property = "minutes"
dimensions = ["crew"]

[[meter]]
slug = "most"
event = "job.dispatched"
aggregation = "MAX"
property = "minutes"
filter = "channel = 'app'"

[[meter]]
slug = "level"
event = "job.dispatched"
aggregation = "LATEST"
property = "minutes"

[[driver]]
slug = "pace"
benefit_class = "capacity"
evidence = "measured"
pool = "hours"
unit = "USD"
formula = "jobs * (manual_minutes - mean) / 60 * hourly_cost"

[[driver]]
slug = "spread"
benefit_class = "strategic"
evidence = "measured"
pool = "hours"
unit = "minutes"
formula = "case when jobs > 2 then most - least else level end"

[[driver]]
slug = "level_to_mean"
benefit_class = "strategic"
evidence = "measured"
pool = "hours"
unit = "ratio"
formula = "max(level, least) / mean"
provider = "event"
"""
)
SEVEN = a_model(SEVEN_TEXT)

_CAPPED_TEXT = (
    SEVEN_TEXT.replace('pool = "hours"\nunit = "USD"', 'pool = "desk"\nunit = "USD"')
    + """
[[pool]]
slug = "hours"

[[pool]]
slug = "desk"
unit = "USD"
cap = "desks * 8 * hourly_cost"

[[assumption]]
slug = "desks"
unit = "desk"
default = { low = "0.01", expected = "0.02", high = "0.03" }
"""
)
CAPPED = a_model(_CAPPED_TEXT)
"""The same, with a desk that cannot save more than it costs: the amounts of many days are cut off."""

LIVED = a_model(
    _CAPPED_TEXT
    + """
[[driver]]
slug = "crews_together"
benefit_class = "strategic"
evidence = "measured"
pool = "hours"
unit = "crews"
formula = "crews"
"""
)
"""The same, and members that are counted over all providers of events."""
