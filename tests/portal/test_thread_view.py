from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from tests.portal.test_story_view import HARBOR
from tests.stewardship.factories import NOON, document, sentence
from valueplatform.accounts.stewards import Steward
from valueplatform.core.authorization import Side
from valueplatform.narrative.document import StoryDocument
from valueplatform.portal.calling import Place
from valueplatform.portal.thread_view import Talk, mark_of, thread_view, topics_view
from valueplatform.portal.view.conversation import Message as MessageView
from valueplatform.portal.view.conversation import SystemLine
from valueplatform.stewardship.attachments import Attached
from valueplatform.stewardship.conversations import Message, WaitsFor
from valueplatform.stewardship.threads import Conversation, Participant, RecordLine, Thread

PRIYA = Participant("priya@harbor.example", "Priya Nair", Side.CUSTOMER, "validator", "Finance")
MAYA = Participant("maya@fieldnote.example", "Maya Okafor", Side.SUPPLIER, "steward", None)
THEN = Attached(1, sentence())


def talk(side: Side = Side.CUSTOMER, story: StoryDocument | None = None, **changes: Any) -> Talk:
    base = "" if side is Side.CUSTOMER else "/accounts/harbor"
    given: dict[str, Any] = {
        "place": Place(HARBOR, base),
        "side": side,
        "today": date(2026, 9, 2),
        "supplier": "Fieldnote",
        "steward": Steward("maya@fieldnote.example", "Maya Okafor"),
        "story": story,
        "titles": {"repeat_visit_cost": "Cost of one repeat visit"},
        "answers": True,
    }
    return Talk(**(given | changes))


def conversation(waits_for: WaitsFor = WaitsFor.SUPPLIER, insight: Attached | None = None) -> Conversation:
    return Conversation(
        3, "What does it cost?", None, PRIYA.author, NOON, waits_for, 1, NOON, PRIYA.name, Side.CUSTOMER, insight
    )


def message(body: str, insight: Attached | None = None, who: Participant = PRIYA) -> Message:
    return Message(1, who.author, who.name, who.side, body, insight, NOON)


def thread(*items: Message | RecordLine, insight: Attached | None = None) -> Thread:
    return Thread(conversation(insight=insight), items, (PRIYA, MAYA))


def test_a_message_keeps_its_paragraphs_and_says_who_speaks() -> None:
    shown = thread_view(talk(), thread(message("One.\n\nTwo.\n"), message("Three.", who=MAYA)))
    first, second = shown.items
    assert isinstance(first, MessageView)
    assert isinstance(second, MessageView)

    assert (first.paragraphs, first.role, first.when) == (("One.", "Two."), "Finance", "1 Sep, 14:00")
    assert second.role == "Your value steward, Fieldnote"


def test_the_steward_sees_the_same_people_by_their_own_names() -> None:
    shown = thread_view(talk(Side.SUPPLIER), thread(message("One.")))

    assert [person.text for person in shown.people] == ["Finance", "Value steward, Fieldnote"]
    assert shown.reply is not None
    assert (shown.reply.action, shown.reply.label) == ("/accounts/harbor/together/3", "Reply to Priya Nair")
    assert shown.asides == ()


def test_the_sentence_is_quoted_as_it_stands_with_what_it_said_then() -> None:
    now = document(sentence(text="At $310 a visit, that is $486K."))
    same = thread_view(talk(story=now), thread(insight=THEN)).quote
    assert same is not None
    assert same.meta == ("From your story",)

    told = sentence()
    spans = tuple(msgspec.structs.replace(span, text=span.text.replace("$486K", "$512K")) for span in told.spans)
    grown = msgspec.structs.replace(told, spans=spans)
    other = thread_view(talk(story=document(grown)), thread(insight=THEN)).quote
    assert other is not None
    assert other.meta == ("From your story", "Was $486K on 1 Sep")
    assert "$512K" in other.sentence.text


def test_what_the_story_no_longer_tells_is_shown_as_it_was() -> None:
    quote = thread_view(talk(story=document()), thread(insight=THEN)).quote

    assert quote is not None
    assert quote.meta == ("As told on 1 Sep; the story says something else by now",)
    assert "$486K" in quote.sentence.text
    assert quote.proof_href == "/proof/ins_repeat"


def test_the_sentence_that_a_talk_began_with_is_not_quoted_twice() -> None:
    other = Attached(1, sentence("ins_other"))
    shown = thread_view(talk(), thread(message("One.", THEN), message("Two.", other), insight=THEN))
    quotes = [item.quotes for item in shown.items if isinstance(item, MessageView)]

    assert [len(found) for found in quotes] == [0, 1]


def test_what_the_record_did_meanwhile_is_no_message() -> None:
    line = RecordLine(
        9, "propose", "repeat_visit_cost", Decimal(240), Decimal(265), Decimal(290), "USD/visit", PRIYA.author,
        PRIYA.name, Side.CUSTOMER, "Travel.", NOON,
    )  # fmt: skip
    (shown,) = thread_view(talk(), thread(line)).items
    assert isinstance(shown, SystemLine)

    said = "".join(span.text for span in shown.spans).replace("\N{NO-BREAK SPACE}", " ")
    assert said == "Priya Nair proposed $265.00 per visit for cost of one repeat visit. 1 Sep."
    assert shown.links[0].href == "/assumptions?open=repeat_visit_cost"


def test_topics_say_whose_turn_it_is() -> None:
    mine, theirs = conversation(WaitsFor.CUSTOMER), conversation(WaitsFor.SUPPLIER)

    assert [topic.note for topic in topics_view(talk(), [mine, theirs], 3)] == [
        "Waits for you since 1 Sep",
        "Priya Nair, 1 Sep; waits for Fieldnote",
    ]
    assert topics_view(talk(Side.SUPPLIER), [mine], None)[0].note == "Priya Nair, 1 Sep; waits for Harbor Logistics"


def test_a_talk_in_which_something_was_said_has_another_mark() -> None:
    before, after = thread(message("One.")), thread(message("One."), message("Two."))

    assert mark_of(before) != mark_of(after)
    assert thread_view(talk(live=False), before).live_href is None
    assert thread_view(talk(answers=False), before).reply is None
