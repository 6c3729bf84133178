"""An account, as the supplier's people see it: the customer's own story, with a margin that only they see."""

from collections.abc import Iterator, Sequence
from typing import Final

from litestar import Response, get
from litestar.params import FromPath, FromQuery

from valueplatform.accounts.people import Person, people_of
from valueplatform.accounts.stewards import Steward, steward_of
from valueplatform.core.authorization import Action, PersonRole
from valueplatform.portal.answers import see_other
from valueplatform.portal.assumption_view import Given, order
from valueplatform.portal.assumptions import Desk, read_desk
from valueplatform.portal.calling import Caller, Place, PortalRequest, account_place
from valueplatform.portal.collaborations import prompt_view, prompts_for
from valueplatform.portal.exact import exact_text
from valueplatform.portal.frame import ROLE_WORDS
from valueplatform.portal.hold_view import read_hold
from valueplatform.portal.languages import wanted_by
from valueplatform.portal.portal import Portal, Shared
from valueplatform.portal.portfolio_view import account_path, act_view, stake_view, why_view
from valueplatform.portal.proof_formula import anchor
from valueplatform.portal.proof_view import STATE_CHIPS
from valueplatform.portal.story import shell_and_story
from valueplatform.portal.thread_view import topics_view
from valueplatform.portal.together import read_talk
from valueplatform.portal.view import steward as view
from valueplatform.portal.view import words
from valueplatform.portal.view.conversation import Prompt, Topic
from valueplatform.portal.view.proof import InputRow
from valueplatform.stewardship.signal import Stake
from valueplatform.stewardship.signal_store import SignalItem, open_signals
from valueplatform.stewardship.threads import conversations_of
from valueplatform.value.accruals import input_names
from valueplatform.value.states import State

MOST: Final = 6
"""Lines of each list in the margin; the rest is one click away."""
_WORTH_NAMING: Final = (PersonRole.SPONSOR, PersonRole.CHAMPION, PersonRole.ECONOMIC_BUYER, PersonRole.VALIDATOR)


@get("/accounts/{key:str}")
async def account_home(key: FromPath[str]) -> Response[str]:
    return see_other(f"{account_path(key)}/story")


@get("/accounts/{key:str}/story")
async def account_page(
    request: PortalRequest, portal: Shared, key: FromPath[str], lang: FromQuery[str | None] = None
) -> Response[str]:
    return await account_answer(request, portal, key, lang=lang)


async def account_answer(
    request: PortalRequest, portal: Portal, key: str, *, reason: str = "", error: str = "", lang: str | None = None
) -> Response[str]:
    """The page; with a `reason` for a hold that was not placed, and why not."""
    wanted = wanted_by(request, lang)
    async with portal.door.entered(request) as caller:
        place = await account_place(caller, key, Action.READ_STORY)
        shell, story = await shell_and_story(caller, place, portal.public_url, wanted=wanted)
        account = view.Account(
            story=story,
            sub=_sub(place),
            facts=tuple(await _facts(caller, place)),
            prompts=await _prompts(caller, place),
            assumptions=await _inputs(caller, key),
            conversations=await _conversations(caller, place),
            assumptions_href=place.path("/assumptions"),
            conversations_href=place.path("/together"),
            hold=await read_hold(caller, place, reason, error),
        )
    status = 400 if error else 200
    return portal.pages.page("account.html", status_code=status, shell=shell, account=account)


def _sub(place: Place) -> str:
    account = place.account
    return ", ".join(part.replace("_", " ").capitalize() for part in (account.stage, account.segment) if part)


async def _facts(caller: Caller, place: Place) -> list[words.Fact]:
    account_id = place.account.account_id
    facts = []
    steward = await steward_of(caller.tx, account_id)
    if steward is not None:
        facts.append(words.Fact("Steward", _called(caller, steward)))
    if caller.may(Action.READ_PEOPLE):
        facts += _people(await people_of(caller.tx, account_id))
    zone = place.account.timezone.rpartition("/")[2].replace("_", " ")
    facts.append(words.Fact("Reports in", place.account.currency, f"{zone} time"))
    return facts


def _called(caller: Caller, steward: Steward) -> str:
    return f"{steward.name} (you)" if steward.email == caller.user.email else steward.name


def _people(people: Sequence[Person]) -> Iterator[words.Fact]:
    for role in _WORTH_NAMING:
        names = [person.name for person in people if person.role is role]
        if names:
            yield words.Fact(ROLE_WORDS[role], ", ".join(names))


async def _prompts(caller: Caller, place: Place) -> tuple[Prompt, ...]:
    """What calls here, the most pressing first, with whom to talk to about it; then whom to talk to about what else."""
    if not caller.may(Action.READ_SIGNALS):
        return ()
    found = await open_signals(caller.tx, place.account.account_id)
    talks = await prompts_for(caller, place, MOST)
    answers = {one.prompt.signal: one for one in talks if one.prompt.signal is not None}
    calls = [
        prompt_view(caller, place, answers[signal.id], "story") if signal.id in answers else _prompt(place, signal)
        for signal in found[:MOST]
    ]
    shown = {signal.id for signal in found[:MOST]}
    rest = [prompt_view(caller, place, one, "story") for one in talks if one.prompt.signal not in shown]
    return (*calls, *rest)


def _prompt(place: Place, signal: SignalItem) -> Prompt:
    stake = None
    if signal.number is not None and signal.standing is not None:
        stake = Stake(signal.at_stake, signal.unit, signal.standing, signal.number, signal.insight_id)
    link = act_view(place.base, signal.act)
    return Prompt(
        title=signal.act.text,
        why=why_view(signal.why, signal.insight_id, signal.act),
        act=words.Link(_goes_to(link.href), link.href),
        stake=stake_view(stake, signal.act),
    )


def _goes_to(href: str) -> str:
    """The heading of a prompt says what to do, its link where that is done."""
    for part, text in (("/together/new", "Write to them"), ("/together", "Open the conversation")):
        if part in href:
            return text
    return "Open the assumption" if "/assumptions" in href else "Read the story"


async def _inputs(caller: Caller, key: str) -> tuple[InputRow, ...]:
    """What is open between the sides."""
    if not caller.may(Action.READ_ASSUMPTIONS):
        return ()
    desk = await read_desk(caller, key)
    model = desk.record.model
    used = {name for driver in model.driver_versions for name in input_names(model, driver)}
    rates = (*desk.record.model.baselines, *desk.record.model.assumptions)
    given = [found for rate in rates if rate.slug in used and (found := desk.given(rate.slug)) and found.told]
    waiting = [one for one in sorted(given, key=order) if _is_open(one)]
    return tuple(_input_row(desk, one) for one in waiting[:MOST])


def _is_open(given: Given) -> bool:
    held = given.held
    return given.is_questioned or held is None or bool(held.pending) or held.state is not State.VALIDATED


def _input_row(desk: Desk, given: Given) -> InputRow:
    held, slug = given.held, given.rate.slug
    state = "under-review" if given.is_questioned else held.state.value if held is not None else "estimated"
    return InputRow(
        anchor=anchor("a", slug),
        name=given.rate.label,
        value=exact_text(held.value.expected, given.unit) if held is not None else "no value",
        who=desk.who(given),
        chip=STATE_CHIPS[state],
        href=desk.place.path(f"/assumptions?open={slug}"),
    )


async def _conversations(caller: Caller, place: Place) -> tuple[Topic, ...]:
    if not caller.may(Action.READ_CONVERSATIONS):
        return ()
    found = await conversations_of(caller.tx, place.account.account_id, caller.user)
    return topics_view(await read_talk(caller, place), found[:MOST], None)


HANDLERS = (account_home, account_page)
