from tests.value.three_parties import THREE_PARTIES
from valueplatform.narrative.advice_read import features_of


def test_a_partner_s_features_are_those_that_its_own_drivers_draw_on() -> None:
    assert features_of(THREE_PARTIES, "tessera") == {"erp-connector"}
    assert features_of(THREE_PARTIES, "waypoint") == set()
    assert features_of(THREE_PARTIES, "supplier") == set()
