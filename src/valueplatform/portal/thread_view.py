"""Conversations as pages show them. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from valueplatform.accounts.stewards import Steward
from valueplatform.core.authorization import PersonRole, Side, UserRole
from valueplatform.core.periods import local_day
from valueplatform.narrative.document import Sentence, StoryDocument
from valueplatform.narrative.insights.inputs import said_unit
from valueplatform.portal.calling import Place
from valueplatform.portal.exact import exact_text, machine_time, short_day, short_moment
from valueplatform.portal.frame import ROLE_WORDS, USER_WORDS, initials
from valueplatform.portal.proof_reading import sentence_in
from valueplatform.portal.sentences import proof_path, sentence_view
from valueplatform.portal.view import conversation as view
from valueplatform.portal.view import words
from valueplatform.stewardship.attachments import Attached
from valueplatform.stewardship.conversations import Message, WaitsFor
from valueplatform.stewardship.threads import Conversation, Participant, RecordLine, Thread

_SAID: Final = {
    "estimate": "estimated {value} for {input}.",
    "propose": "proposed {value} for {input}.",
    "validate": "validated {value} for {input}.",
    "dispute": "put {input} under review.",
    "withdraw": "took a statement on {input} back.",
}
_CHIPS: Final[Mapping[str, words.Chip]] = {
    "propose": words.Chip("proposed", "Proposed"),
    "validate": words.Chip("validated", "Validated"),
    "dispute": words.Chip("under-review", "Under review"),
}


@dataclass(frozen=True, slots=True)
class Talk:
    """Where and for whom conversations are shown. `story` is what the account is told now, `titles` are names of
    inputs by slug."""

    place: Place
    side: Side
    today: date
    supplier: str
    steward: Steward | None
    story: StoryDocument | None
    titles: Mapping[str, str]
    answers: bool
    live: bool = True


def topics_view(talk: Talk, conversations: Sequence[Conversation], current: int | None) -> tuple[view.Topic, ...]:
    return tuple(
        view.Topic(
            title=one.title,
            note=_note(talk, one),
            href=talk.place.path(f"/together/{one.conversation_id}"),
            current=one.conversation_id == current,
        )
        for one in conversations
    )


def _note(talk: Talk, one: Conversation) -> str:
    last = short_day(local_day(one.last_at, talk.place.account.timezone), talk.today)
    if one.waits_for is WaitsFor(talk.side.value):
        return f"Waits for you since {last}"
    waits = talk.supplier if one.waits_for is WaitsFor.SUPPLIER else talk.place.account.name
    return f"{one.last_author_name}, {last}; waits for {waits}"


def thread_view(talk: Talk, thread: Thread, text: str = "", error: str = "") -> view.Thread:
    """`text` and `error` are of a reply that could not be sent."""
    conversation = thread.conversation
    path = talk.place.path(f"/together/{conversation.conversation_id}")
    others = [person.name for person in thread.people if person.side is not talk.side]
    label = f"Reply to {' and '.join(others)}" if others else "Add to this"
    return view.Thread(
        title=conversation.title,
        items=tuple(_items(talk, thread)),
        people=tuple(words.Fact(person.name, _role(talk, person)) for person in thread.people),
        reply=view.Reply(path, label, text, error) if talk.answers else None,
        quote=_quote(talk, conversation.insight, local_day(conversation.opened_at, talk.place.account.timezone))
        if conversation.insight
        else None,
        asides=_asides(talk),
        live_href=f"{path}/live?seen={mark_of(thread)}" if talk.live else None,
    )


def mark_of(thread: Thread) -> str:
    """Another one whenever something was said."""
    return f"{len(thread.items)}.{int(thread.conversation.last_at.timestamp() * 1_000_000)}"


def _asides(talk: Talk) -> tuple[words.Fact, ...]:
    if not talk.place.is_own or talk.steward is None:
        return ()
    first = talk.steward.name.partition(" ")[0]
    return (words.Fact(f"What {first} sees", "The sentence with its proof, and everything that is said here."),)


def _items(talk: Talk, thread: Thread) -> Iterator[view.Message | view.SystemLine]:
    people = {person.author: person for person in thread.people}
    begun_with = thread.conversation.insight
    for item in thread.items:
        if isinstance(item, RecordLine):
            yield _record_line(talk, item)
        else:
            quoted = item.insight if item.insight is not None and item.insight != begun_with else None
            yield _message(talk, item, people.get(item.author), quoted)


def _message(talk: Talk, item: Message, person: Participant | None, quoted: Attached | None) -> view.Message:
    timezone = talk.place.account.timezone
    day = local_day(item.at, timezone)
    quote = _quote(talk, quoted, day) if quoted else None
    return view.Message(
        author=item.author_name,
        initials=initials(item.author_name),
        role=_role(talk, person) if person else "",
        when=short_moment(item.at, talk.today, timezone),
        at=machine_time(item.at),
        paragraphs=tuple(line for line in item.body.split("\n") if line.strip()),
        quotes=(quote,) if quote else (),
    )


def _role(talk: Talk, person: Participant) -> str:
    if person.side is Side.SUPPLIER:
        steward = UserRole(person.role) if person.role in set(UserRole) else None
        own = "Your value steward" if talk.place.is_own else USER_WORDS[UserRole.STEWARD]
        word = own if steward is UserRole.STEWARD else USER_WORDS.get(steward) if steward else None
        return f"{word}, {talk.supplier}" if word else talk.supplier
    role = ROLE_WORDS[PersonRole(person.role)] if person.role in set(PersonRole) else ""
    return person.group or role or talk.place.account.name


def _record_line(talk: Talk, line: RecordLine) -> view.SystemLine:
    name = talk.titles.get(line.slug.removeprefix("driver:"), line.slug)
    value = "" if line.expected is None or line.unit is None else exact_text(line.expected, said_unit(line.unit))
    said = _SAID.get(line.action, "spoke of {input}.").format(value=value or "it", input=name.lower())
    day = short_day(local_day(line.at, talk.place.account.timezone), talk.today)
    link = words.Link("See both sides", talk.place.path(f"/assumptions?open={line.slug}"))
    return view.SystemLine((words.Span(f"{line.author_name} {said} {day}."),), _CHIPS.get(line.action), (link,))


def _quote(talk: Talk, attached: Attached, day: date) -> view.Quote:
    """The insight as it stands now, with what it said when it was attached."""
    then = attached.sentence
    now = sentence_in(talk.story, then.insight_id) if talk.story else None
    when = short_day(day, talk.today)
    source = "From your story" if talk.place.is_own else "From their story"
    if now is None:
        meta: tuple[str, ...] = (f"As told on {when}; the story says something else by now",)
    else:
        meta = (source, *_differences(then, now, when))
    return view.Quote(sentence_view(now or then), meta, proof_path(then.insight_id))


def _differences(then: Sentence, now: Sentence, when: str) -> Iterator[str]:
    """The first number that has changed."""
    before = {span.name: span.text for span in then.numbers}
    for span in now.spans:
        if span.name is not None and before.get(span.name, span.text) != span.text:
            yield f"Was {before[span.name]} on {when}"
            return
