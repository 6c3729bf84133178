import msgspec
from structlog.testing import capture_logs

from tests.narrative.factories import admitted, harbor
from valueplatform.narrative.document import Audience
from valueplatform.narrative.faithful import Admitted
from valueplatform.narrative.voice import Voice
from valueplatform.narrative.wording import english

VOICE = Voice(Audience.CUSTOMER, english(), "Harbor Logistics")


def _tampered(kind: str, **terms: str) -> Admitted:
    """An admitted insight whose words were changed behind the back of the check."""
    given = next(a for a in admitted(harbor()) if a.insight.kind == kind)
    altered = msgspec.structs.replace(given.insight, terms=given.insight.terms | terms)
    object.__setattr__(given, "insight", altered)
    return given


def test_a_sentence_that_cannot_be_said_faithfully_is_left_out_and_logged() -> None:
    lying = _tampered("period-over-period", direction="down" if _direction() == "up" else "up")
    with capture_logs() as logs:
        assert VOICE.sentence(lying) is None
    assert [entry["event"] for entry in logs] == ["sentence withheld"]
    assert lying.id in {entry["insight"] for entry in logs}


def _direction() -> str:
    return next(a.insight.terms["direction"] for a in admitted(harbor()) if a.insight.kind == "period-over-period")


def test_a_note_stands_beside_its_sentence() -> None:
    given = next(a for a in admitted(harbor()) if a.insight.kind == "validated-input")
    note = VOICE.note(given, "context", "ins_1")
    assert note is not None
    assert (note.beside, note.insight_id, note.kind) == ("ins_1", given.id, "context")
