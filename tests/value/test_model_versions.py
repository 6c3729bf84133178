from decimal import Decimal

import msgspec
from hypothesis import given
from msgspec.structs import replace

from tests.value.model_strategies import FIXED, MODELS
from valueplatform.telemetry.otlp_accounts import ACCOUNT_ATTRIBUTES, OtlpSection
from valueplatform.value.model import (
    BenchmarkSection,
    Driver,
    Retired,
    ValueModel,
    Versioned,
    from_document,
    to_document,
)
from valueplatform.value.model_export import export_model
from valueplatform.value.model_file import read_model
from valueplatform.value.model_versions import Change, FieldChange, diff, fingerprint, revise
from valueplatform.value.ranges import Range


def with_driver(**fields: object) -> ValueModel:
    return replace(FIXED, drivers=(replace(FIXED.drivers[0], **fields),))


def versions(model: ValueModel) -> dict[str, int]:
    definitions: tuple[Versioned, ...] = (*model.meters, *model.baselines, *model.assumptions, *model.drivers)
    return {definition.slug: definition.version for definition in definitions}


def test_a_first_model_is_version_one_throughout() -> None:
    assert revise(None, FIXED) == FIXED
    assert set(versions(FIXED).values()) == {1}


def test_only_what_changed_rises_by_one() -> None:
    revised = revise(FIXED, with_driver(formula="jobs * cost"))
    assert versions(revised) == {**versions(FIXED), "time": 2}
    again = revise(revised, with_driver(formula="jobs * cost * 2"))
    assert versions(again)["time"] == 3


def test_words_and_spelling_change_no_version() -> None:
    worded = with_driver(title="Hours won back", description="…", formula="((jobs)*before-minutes)/60.0*cost")
    assert versions(revise(FIXED, worded)) == versions(FIXED)
    assert revise(FIXED, worded).drivers[0].title == "Hours won back"


def test_going_back_is_a_change_too() -> None:
    changed = revise(FIXED, with_driver(unit="EUR"))
    assert versions(revise(changed, FIXED))["time"] == 3


def test_rates_and_meters_have_versions_of_their_own() -> None:
    dearer = replace(FIXED.assumptions[0], default=Range.point(Decimal(50)))
    narrower = replace(FIXED.meters[0], filter="channel = 'app'")
    revised = revise(FIXED, replace(FIXED, assumptions=(dearer,), meters=(narrower, FIXED.meters[1])))
    assert versions(revised) == {**versions(FIXED), "cost": 2, "jobs": 2}


def test_what_comes_back_goes_on_where_it_left_off() -> None:
    gone = revise(revise(FIXED, with_driver(unit="EUR")), replace(FIXED, drivers=()))
    assert gone.retired == (Retired("driver", "time", 2),)
    later = revise(gone, replace(FIXED, assumptions=()))
    assert versions(later)["time"] == 3
    assert later.retired == (Retired("assumption", "cost", 1),)
    assert from_document(to_document(later)) == later


@given(MODELS, MODELS)
def test_a_version_rises_exactly_when_a_definition_changes(first: ValueModel, second: ValueModel) -> None:
    revised = revise(first, second)
    changed = {change.slug for change in diff(first, second) if change.action == "changed"}
    for slug, version in versions(revised).items():
        assert version in {1, 2}
        assert version == 1 or slug in changed
    assert revise(revised, second) == revised
    assert diff(first, revised) == diff(first, second)
    assert fingerprint(revised) == fingerprint(second)


@given(MODELS)
def test_applying_an_export_again_changes_nothing(model: ValueModel) -> None:
    revised = revise(FIXED, model)
    exported = read_model(export_model(revised), "model.toml")
    assert diff(revised, exported) == []
    assert revise(revised, exported) == revised
    assert fingerprint(revised) == fingerprint(exported)


def test_a_difference_is_told_by_kind_slug_and_field() -> None:
    new = Driver(slug="new", unit="hour", formula="minutes / 60")
    changed = replace(FIXED.meters[1], property="data.minutes")
    model = replace(FIXED, meters=(FIXED.meters[0], changed), baselines=(), drivers=(*FIXED.drivers, new))
    first, second, third = diff(FIXED, model)
    assert first == Change("meter", "minutes", "changed", (FieldChange("property", "minutes", "data.minutes"),))
    assert second == Change("baseline", "before", "removed")
    assert (third.kind, third.slug, third.action) == ("driver", "new", "added")
    assert FieldChange("formula", None, "minutes / 60") in third.fields


def test_the_supplier_s_own_changes_are_told() -> None:
    moved = replace(FIXED, supplier=replace(FIXED.supplier, timezone="UTC"))
    assert diff(FIXED, moved) == [
        Change("supplier", "supplier", "changed", (FieldChange("timezone", "America/New_York", "UTC"),))
    ]
    assert diff(None, FIXED)[0].action == "added"


def test_another_attribute_that_names_the_account_is_a_change() -> None:
    named = replace(FIXED, otlp=OtlpSection(("shop",)))
    assert fingerprint(named) != fingerprint(FIXED)
    assert diff(FIXED, named) == [
        Change("otlp", "otlp", "changed", (FieldChange("account", ACCOUNT_ATTRIBUTES, ("shop",)),))
    ]


def test_what_tells_how_large_accounts_are_is_a_change() -> None:
    sized = replace(FIXED, benchmark=BenchmarkSection("seats"))
    assert fingerprint(sized) != fingerprint(FIXED)
    assert diff(FIXED, sized) == [Change("benchmark", "benchmark", "changed", (FieldChange("scale", None, "seats"),))]


def test_another_order_is_the_same_model() -> None:
    turned = replace(FIXED, meters=FIXED.meters[::-1])
    assert diff(FIXED, turned) == []
    assert fingerprint(turned) == fingerprint(FIXED)


def test_every_word_counts_for_the_fingerprint() -> None:
    prints = {fingerprint(FIXED), fingerprint(with_driver(title="x")), fingerprint(replace(FIXED, drivers=()))}
    assert len(prints) == 3


def test_a_difference_can_be_written_as_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(diff(None, FIXED)))[0]["kind"] == "supplier"
