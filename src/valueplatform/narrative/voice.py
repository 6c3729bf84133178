"""The voice that one reader hears: what cannot be said faithfully is left out, and logged."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import structlog

from valueplatform.narrative.document import Audience, Note, Sentence
from valueplatform.narrative.faithful import Admitted
from valueplatform.narrative.rewording.draft import Rewordings
from valueplatform.narrative.wording import UnfaithfulSentenceError, Wording
from valueplatform.narrative.wording.engine import Place

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Voice:
    audience: Audience
    wording: Wording
    account_name: str
    rewordings: Rewordings | None = None

    def sentence(
        self, admitted: Admitted, place: Place = "chapter", *, asked: bool = False, cautioned: bool = False
    ) -> Sentence | None:
        """`asked`: the story has asked for the same remedy before; `cautioned`: the chapter has said that what it tells
        is not validated."""
        try:
            return self.wording.sentence(
                admitted, self.audience, place, self.rewordings, asked=asked, cautioned=cautioned
            )
        except UnfaithfulSentenceError as error:
            _log.error("sentence withheld", insight=admitted.id, problem=str(error))
            return None

    def note(self, admitted: Admitted, kind: str, beside: str) -> Note | None:
        try:
            note = self.wording.note(admitted, self.audience, kind)
        except UnfaithfulSentenceError as error:
            _log.error("note withheld", insight=admitted.id, problem=str(error))
            return None
        return msgspec.structs.replace(note, beside=beside)

    def phrase(self, template: str, terms: Mapping[str, str], **given: object) -> str:
        return self.wording.phrase(template, terms, to=self.audience.value, **given)
