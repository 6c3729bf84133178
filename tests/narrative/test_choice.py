from tests.narrative.factories import admitted, harbor
from valueplatform.narrative import wording
from valueplatform.narrative.chapters import NOTE_KINDS
from valueplatform.narrative.choice import PARTNER_KINDS, PRECEDENCE, RELEVANCE, TOPICS, eligible, same, told
from valueplatform.narrative.document import Audience
from valueplatform.narrative.faithful import Admitted

ADMITTED = admitted(harbor())


def _about(*subjects: str) -> list[Admitted]:
    return [a for a in ADMITTED if a.insight.subject in subjects and a.insight.kind not in NOTE_KINDS]


def test_one_of_each_topic_is_told_of_one_subject() -> None:
    chosen = told(_about("repeat_visits"), Audience.CUSTOMER, 9)
    topics = [(a.insight.subject, TOPICS[a.insight.kind]) for a in chosen]
    assert len(topics) == len(set(topics))
    assert chosen[0].insight.kind == "attainment"


def test_bad_news_comes_before_good_and_is_never_the_one_cut() -> None:
    chosen = told(_about("objective:Dispatch without waiting", "dispatch_time", "penalties"), Audience.CUSTOMER, 2)
    assert [a.insight.kind for a in chosen] == ["attainment", "stalled-driver"]


def test_what_is_about_one_driver_stays_together() -> None:
    chosen = told(_about("objective:Dispatch without waiting", "dispatch_time", "penalties"), Audience.STEWARD, 4)
    assert [a.insight.subject for a in chosen] == [
        "objective:Dispatch without waiting", "penalties", "penalties", "dispatch_time",
    ]  # fmt: skip


def test_a_cause_stands_right_after_its_effect() -> None:
    chosen = told(_about("account"), Audience.CUSTOMER, 9)
    kinds = [a.insight.kind for a in chosen]
    assert kinds.index("change-contributors") == kinds.index("period-over-period") + 1


def test_return_and_renewal_say_much_the_same() -> None:
    by_kind = {a.insight.kind: a for a in ADMITTED}
    assert same(by_kind["return-on-paid"]) == same(by_kind["renewal-ahead"])
    assert same(by_kind["return-on-paid"]) != same(by_kind["top-contributors"])


def test_a_partner_is_told_nothing_of_contracts_plans_disputes_or_people() -> None:
    kinds = {a.insight.kind for a in eligible(ADMITTED, Audience.PARTNER)}
    assert kinds <= PARTNER_KINDS
    assert not kinds & {"attainment", "return-on-paid", "renewal-ahead", "under-review", "validated-input"}


def test_every_kind_that_is_weighed_has_a_template() -> None:
    named = {*TOPICS, *PRECEDENCE, *PARTNER_KINDS, *(kind for weights in RELEVANCE.values() for kind in weights)}
    assert {kind for kind in named if not wording.english().has_sentence(kind)} == set()


def test_the_order_of_arrival_does_not_matter() -> None:
    assert eligible(reversed(ADMITTED), Audience.CUSTOMER) == eligible(ADMITTED, Audience.CUSTOMER)
