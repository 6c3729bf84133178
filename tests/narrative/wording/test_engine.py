import io
import re
from datetime import date
from gettext import NullTranslations
from pathlib import Path

import msgspec
import pytest
from babel.messages.extract import extract
from jinja2 import UndefinedError
from jinja2.ext import babel_extract

from tests.narrative.factories import account, admitted, driver, harbor, record_of, rows
from valueplatform.narrative import wording
from valueplatform.narrative.document import Audience
from valueplatform.narrative.facts import Milestone
from valueplatform.narrative.faithful import Admitted, admit, rederive_from
from valueplatform.narrative.wording import UnfaithfulSentenceError, Wording, english, render
from valueplatform.narrative.wording.engine import inside_sentence, opening_sentence

TEMPLATES = Path(wording.__file__).parent
ADMITTED = {(a.insight.kind, a.insight.subject): a for a in admitted(harbor())}
HEADLINE = ADMITTED["attainment", "account"]


def _altered(given: Admitted, **fields: object) -> Admitted:
    """Admitted, then tampered with behind the back of the check."""
    insight = msgspec.structs.replace(given.insight, **fields)
    object.__setattr__(given_copy := _copy(given), "insight", insight)
    return given_copy


def _copy(given: Admitted) -> Admitted:
    facts = harbor()
    return next(a for a in admitted(facts) if a.id == given.id)


def test_a_sentence_is_made_of_text_and_of_numbers_that_carry_their_exact_value() -> None:
    sentence = render(HEADLINE, Audience.CUSTOMER)
    assert sentence.text == "You have realized $1.66M of the $1.88M committed by now."
    numbers = [span for span in sentence.spans if span.name is not None]
    assert [(span.name, span.value) for span in numbers] == [
        ("realized", "1660502.0135"),
        ("expected", "1878896.7742"),
    ]
    assert {span.name for span in sentence.numbers} >= {"low", "high", "gap"}


def test_the_steward_reads_of_the_account_and_the_customer_of_itself() -> None:
    assert render(HEADLINE, Audience.STEWARD).text.startswith("Harbor Logistics has realized")


def test_a_sentence_that_contradicts_its_insight_is_not_rendered() -> None:
    given = ADMITTED["period-over-period", "repeat_visits"]
    lying = _altered(given, terms=given.insight.terms | {"direction": "up"})
    with pytest.raises(UnfaithfulSentenceError):
        render(lying, Audience.CUSTOMER)


def test_what_a_template_misses_is_an_error_not_a_blank() -> None:
    given = ADMITTED["attainment", "repeat_visits"]
    with pytest.raises(Exception, match="undefined"):
        render(_altered(given, terms={"driver_name": "Repeat visits avoided"}), Audience.CUSTOMER)


def test_a_name_of_the_record_cannot_stand_for_a_number() -> None:
    mark = "\ue000since\ue001 Reno"
    facts = account(
        rows("a", {date(2026, 7, 1): 5, date(2026, 8, 12): 5}),
        drivers=(driver("a"),),
        milestones=(Milestone("m", "rollout", date(2026, 8, 12), mark),),
    )
    kept = next(a for a in admitted(facts) if a.insight.kind == "milestone")
    sentence = render(kept, Audience.CUSTOMER)
    assert sentence.text.startswith("since Reno on 12 Aug 2026;")
    assert [span.name for span in sentence.spans if span.name] == ["since"]


def test_markup_in_a_name_stays_text() -> None:
    facts = account(
        rows("a", {date(2026, 7, 1): 5, date(2026, 8, 12): 5}),
        drivers=(driver("a"),),
        milestones=(Milestone("m", "rollout", date(2026, 8, 12), "<b>Reno</b> {{ 7 * 7 }}"),),
    )
    kept = next(a for a in admitted(facts) if a.insight.kind == "milestone")
    assert render(kept, Audience.CUSTOMER).text.startswith("<b>Reno</b> {{ 7 * 7 }} on 12 Aug 2026;")


def test_an_account_with_a_long_name_keeps_its_headline_short() -> None:
    facts = account(rows("a", {date(2026, 8, 1): 5}), drivers=(driver("a"),), name="The Very Long Name of a Company")
    insights = [a for a in admitted(facts) if (a.insight.kind, a.insight.subject) == ("realized", "account")]
    assert render(insights[0], Audience.STEWARD).text == "This account has realized $5 since 1 Aug 2026."


@pytest.mark.parametrize("audience", list(Audience))
def test_every_kind_is_worded_for_every_audience(audience: Audience) -> None:
    for given in ADMITTED.values():
        if english().has_sentence(given.insight.kind):
            text = render(given, audience).text
            assert text.endswith("."), text
            assert not re.search(r"\s[.,;]|\.\.|  ", text), text


def test_titles_read_well_inside_and_at_the_head_of_a_sentence() -> None:
    assert inside_sentence("Hourly cost") == "hourly cost"
    assert inside_sentence("ERP hours") == "ERP hours"
    assert opening_sentence("jobs dispatched") == "Jobs dispatched"


def _messages() -> list[str]:
    found: list[str] = []
    for path in sorted(TEMPLATES.rglob("*.j2")):
        options = {"trimmed": "true", "newstyle_gettext": "true"}
        for _, _, message, _ in babel_extract(io.BytesIO(path.read_bytes()), ["_", "gettext"], [], options):
            found.append(str(message[0] if isinstance(message, tuple) else message))
    return found


def test_every_sentence_is_a_message_for_translators() -> None:
    messages = _messages()
    assert "You have realized %(realized)s of the %(expected)s committed by now." in messages
    assert len(messages) > 80


def test_the_extraction_file_finds_the_same_messages() -> None:
    config = (TEMPLATES / "babel.cfg").read_text()
    assert "jinja2" in config
    path = TEMPLATES / "sentences" / "committed-range.j2"
    with path.open("rb") as file:
        found = [m for _, m, _, _ in extract("jinja2", file, options={"trimmed": "true"})]
    assert len(found) == 3


def test_no_message_holds_a_digit_a_causal_word_or_a_cheer() -> None:
    forbidden = re.compile(
        r"\d|!|\b(unlock|journey|because of us|thanks to|caused|drove|boost|skyrocket|amazing|seamless|leverage)\b",
        re.IGNORECASE,
    )
    for message in _messages():
        assert not forbidden.search(re.sub(r"%\(\w+\)s", "", message)), message


class _German(NullTranslations):
    def gettext(self, message: str) -> str:
        known = {
            "You have realized %(realized)s of the %(expected)s committed by now.": (
                "Von den zugesagten %(expected)s haben Sie bisher %(realized)s erreicht."
            )
        }
        return known.get(message, message)


def test_wording_is_apart_from_what_computes() -> None:
    """Another catalog changes the order of words, and the numbers go with it; the numbers themselves stay checked."""
    translated = Wording("en_US", _German()).sentence(HEADLINE, Audience.CUSTOMER)
    assert translated.text == "Von den zugesagten $1.88M haben Sie bisher $1.66M erreicht."
    assert [span.name for span in translated.spans if span.name] == ["expected", "realized"]


def test_a_note_says_who_and_when() -> None:
    given = ADMITTED["validated-input", "hourly_cost"]
    note = english().note(given, Audience.CUSTOMER, "context")
    text = "".join(span.text for span in note.spans)
    assert text.replace("\N{NO-BREAK SPACE}", " ") == (
        "Hourly cost: $41.50 per hour, validated by Priya Nair on 14 Nov 2025."
    )


def test_admission_is_the_only_door() -> None:
    insights = [a.insight for a in ADMITTED.values()]
    kept, _ = admit(insights, rederive_from(record_of(harbor()), insights))
    assert {a.id for a in kept} == {a.id for a in ADMITTED.values()}


def test_what_was_said_to_one_reader_is_not_said_to_another_whom_the_words_tell_apart() -> None:
    words = Wording()
    said = {audience: words.sentence(HEADLINE, audience).text for audience in Audience}
    assert said[Audience.STEWARD] != said[Audience.CUSTOMER]
    assert {audience: words.sentence(HEADLINE, audience).text for audience in Audience} == said


def test_what_was_said_of_one_account_is_not_said_of_another_with_the_same_insight() -> None:
    words = Wording()
    other = _altered(HEADLINE, numbers=HEADLINE.insight.numbers[:1])
    words.sentence(HEADLINE, Audience.CUSTOMER)
    with pytest.raises((UnfaithfulSentenceError, UndefinedError)):
        words.sentence(other, Audience.CUSTOMER)
