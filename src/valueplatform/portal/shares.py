"""What both pages of partners read alike: who is called what, and what was typed."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from valueplatform.accounts.accounts import Account
from valueplatform.accounts.providers import provider_names
from valueplatform.api.consents import ConsentOut
from valueplatform.api.contributions import ContributionOut
from valueplatform.api.splits import SplitOut
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.periods import Period, month_of, month_start
from valueplatform.portal.calling import Caller
from valueplatform.portal.frame import supplier_name
from valueplatform.portal.names import names_of
from valueplatform.portal.partners_view import Words
from valueplatform.portal.view import partners as view
from valueplatform.value.contributions import Measured, measured_in
from valueplatform.value.model import ValueModel
from valueplatform.value.shown import shown_values
from valueplatform.value.splits import Act, SplitState

_PERCENT: Final = re.compile(r"[0-9]{1,3}([.,][0-9]{1,7})?")


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed in the form `name`, and why it could not be carried out; `anchor` is where its answer stands."""

    name: str
    anchor: str
    values: Mapping[str, str]
    error: str = ""

    def because(self, error: str) -> "Typed":
        return replace(self, error=error)


def typed_share(text: str, name: str) -> Decimal:
    """A share, typed as parts of a hundred. Raises InvalidInputError."""
    given = text.strip().removesuffix("%").strip()
    if not _PERCENT.fullmatch(given):
        raise InvalidInputError(f"{name}: write a number from 0 to 100, such as 35 or 12.5.")
    return Decimal(given.replace(",", ".")) / 100


def reason_form(form: view.ReasonForm, typed: Typed | None) -> view.ReasonForm:
    """The form with what was typed in it, where that could not be carried out."""
    if typed is None or typed.name != form.name:
        return form
    return replace(form, reason=typed.values.get("reason", ""), error=typed.error)


async def words_of(caller: Caller, account: Account, model: ValueModel, authors: Iterable[str | None]) -> Words:
    """What everything is called in an account; a partner is told nobody's name but its own people's."""
    people = await names_of(caller.tx, account.account_id, {one for one in authors if one is not None})
    return Words(
        supplier=await supplier_name(caller.tx),
        providers=await provider_names(caller.tx),
        drivers={driver.slug: driver.label for driver in model.drivers},
        people=people,
        timezone=account.timezone,
        reader=caller.user.side,
    )


def authors_of(
    consents: Iterable[ConsentOut], contributions: Iterable[ContributionOut], splits: Iterable[SplitOut]
) -> set[str | None]:
    found = {one.author for one in consents} | {said.author for one in splits for said in one.said}
    return found | {one.answered_by for one in contributions}


async def measured_for(caller: Caller, account: Account, found: Sequence[ContributionOut]) -> Measured:
    """What counts of the drivers that contributions speak of, in their months."""
    days = [one.start for one in found if one.driver is not None]
    if not days:
        return measured_in(())
    months = Period(month_of(min(days)).start, month_of(max(days)).end)
    return measured_in(await shown_values(caller.tx, account.account_id, months))


def claimed_before(found: Sequence[ContributionOut]) -> dict[int, Decimal]:
    """By contribution, what telemetry had borne out of the same driver and month before it."""
    sums: defaultdict[tuple[str | None, str, str, date], Decimal] = defaultdict(Decimal)
    before = {}
    for one in found:
        key = one.driver, one.provider, one.unit, month_start(one.start)
        before[one.contribution_id] = sums[key]
        if one.corroborated_by == "telemetry":
            sums[key] += Decimal(one.amount)
    return before


def split_form(one: SplitOut, path: str, side: str, typed: Typed | None) -> view.ReasonForm | None:
    """What a party may still say of a split; None where it is settled."""
    if one.state is not SplitState.PROPOSED:
        return None
    agreed = {said.side.value for said in one.said if said.action in {Act.PROPOSE, Act.AGREE}}
    proposed = one.said[0].side.value == side
    buttons = [] if side in agreed else [view.Button("Agree", Act.AGREE.value, primary=True)]
    buttons.append(
        view.Button("Withdraw", Act.WITHDRAW.value) if proposed else view.Button("Decline", Act.REFUSE.value)
    )
    form = view.ReasonForm(f"split-{one.split_id}", f"{path}/{one.split_id}", "Why?", tuple(buttons))
    return reason_form(form, typed)


def joint_choices(model: ValueModel, chosen: str) -> tuple[view.Choice, ...]:
    return tuple(
        view.Choice(one.slug, one.label, one.slug == chosen) for one in model.drivers if one.provider == "joint"
    )
