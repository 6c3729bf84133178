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
