from tests.value.worths import standing, the_model
from valueplatform.value.feeds import Paths

PATHS = Paths(the_model())


def test_a_driver_takes_the_types_of_its_meters_and_the_properties_they_cannot_do_without() -> None:
    assert PATHS.fed == {
        ("incident.reported", ""): ("safety",),
        ("job.done", ""): ("time",),
        ("job.done", "channel"): ("time",),  # a filter decides what counts; a dimension, such as team, only cuts it
        ("job.done", "minutes"): ("time",),
        ("safety.checked", ""): ("safety",),
        ("safety.checked", "hours"): ("safety",),
        ("tracking.opened", ""): ("calls",),
        ("tracking.opened", "opens"): ("calls",),
    }


def test_without_a_model_nothing_is_taken() -> None:
    paths = Paths(None)
    assert paths.fed == {}
    assert paths.known == frozenset()
    assert paths.is_eligible("anything", standing(1, ["x"], {}))


def test_a_type_is_mapped_by_a_meter_and_known_by_a_feature_too() -> None:
    assert "login" in PATHS.mapped
    assert "list.done" not in PATHS.mapped
    assert "list.done" in PATHS.known


def test_a_feature_ties_its_driver_to_the_type_that_shows_its_use() -> None:
    assert PATHS.tied("list.done") == ("time",)
    assert PATHS.tied("login") == ()


def test_who_uses_nothing_else_of_the_product_is_not_eligible() -> None:
    assert PATHS.is_eligible("tracking.opened", standing(1, ["job.done"], {}))
    assert not PATHS.is_eligible("tracking.opened", standing(1, ["login"], {}))
    assert PATHS.is_eligible("list.done", standing(1, ["login"], {}))  # it belongs to no product


def test_a_segment_that_may_not_have_the_feature_is_not_eligible() -> None:
    more = '\n[[feature]]\nslug = "routes"\nevent = "route.planned"\neligible_segments = ["big"]\n'
    paths = Paths(the_model(more))
    assert paths.is_eligible("route.planned", standing(1, ["login"], {}, segment="big"))
    for other in ("small", None):
        assert not paths.is_eligible("route.planned", standing(1, ["login"], {}, segment=other))


def test_a_driver_of_several_types_needs_each_of_its_meters() -> None:
    nothing, checks = standing(1, ["login"], {}), standing(1, ["safety.checked"], {})
    assert PATHS.lacking("safety", nothing, "incident.reported") == ("safety.checked",)
    assert PATHS.lacking("safety", checks, "incident.reported") == ()


def test_numbers_are_what_meters_add_up_and_not_what_they_tell_apart() -> None:
    assert PATHS.numbers("time", "job.done") == {"minutes"}
    assert PATHS.numbers("safety", "incident.reported") == frozenset()
