"""The record of contributions: what partners sent, and what was said of it. Nothing in it is ever changed."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import insert, select

from valueplatform.accounts.consents import Purpose, require_consent
from valueplatform.core.authorization import Side
from valueplatform.core.database import Transaction, lock_account
from valueplatform.core.errors import ConflictError, NotFoundError
from valueplatform.core.periods import Period, month_of
from valueplatform.value.contributions import (
    Answer,
    Answering,
    Contribution,
    Reported,
    Standings,
    known_by,
    measured_in,
    standings,
)
from valueplatform.value.shown import shown_values
from valueplatform.value.tables import contribution, contribution_answer


async def contributions_of(tx: Transaction, account_id: int) -> list[Contribution]:
    """All of an account, in the order in which they came."""
    held, said = contribution.c, contribution_answer.c
    answers: defaultdict[int, list[Answer]] = defaultdict(list)
    for row in await tx.rows(select(contribution_answer).where(said.account_id == account_id).order_by(said.answer_id)):
        answers[row.contribution_id].append(
            Answer(Answering(row.action), row.author, Side(row.author_side), row.reason, row.known_at)
        )
    rows = await tx.rows(select(contribution).where(held.account_id == account_id).order_by(held.contribution_id))
    return [
        Contribution(
            row.contribution_id,
            Reported(
                provider=row.provider,
                id=row.id,
                driver=row.driver,
                title=row.title,
                amount=row.amount,
                unit=row.unit,
                period=Period(row.start_day, row.end_day),
                evidence=row.evidence,
                source=row.source,
            ),
            row.author,
            row.known_at,
            answers[row.contribution_id],
        )
        for row in rows
    ]


async def standings_of(tx: Transaction, account_id: int, as_of: datetime | None = None) -> list[Standings]:
    """How each contribution of an account stands, now or as it was known at a moment."""
    known = known_by(await contributions_of(tx, account_id), as_of)
    days = [one.reported.period.start for one in known if one.reported.driver is not None]
    values = []
    if days:
        months = Period(month_of(min(days)).start, month_of(max(days)).end)
        values = await shown_values(tx, account_id, months, as_of)
    return standings(known, measured_in(values))


async def contribute(tx: Transaction, account_id: int, reported: Reported, author: str, now: datetime) -> Contribution:
    """Take what a partner reports, if the customer lets it. The same sent again is there already, be it withdrawn
    since. Raises ForbiddenError without consent, ConflictError for something else under the same id."""
    await lock_account(tx, account_id)
    await require_consent(tx, account_id, reported.provider, Purpose.CONTRIBUTE)
    held = _named(await contributions_of(tx, account_id), reported.provider, reported.id)
    if held is not None:
        if held.reported != reported:
            raise ConflictError(
                f"Contribution {reported.id!r} was sent before with other content; what was sent stays. Withdraw it, "
                "and send the new one under an id of its own."
            )
        return held
    values = {name: value for name, value in msgspec.structs.asdict(reported).items() if name != "period"}
    values |= {"account_id": account_id, "author": author, "known_at": now}
    values |= {"start_day": reported.period.start, "end_day": reported.period.end}
    made = await tx.scalar(insert(contribution).values(values).returning(contribution.c.contribution_id))
    return Contribution(int(made), reported, author, now)


async def withdraw(
    tx: Transaction, account_id: int, provider: str, name: str, author: str, now: datetime, reason: str
) -> int:
    """Let a partner take back what it sent; its number. Raises NotFoundError."""
    await lock_account(tx, account_id)
    held = _named(await contributions_of(tx, account_id), provider, name)
    if held is None:
        raise NotFoundError(f"There is no contribution {name!r} of yours.")
    await _say(tx, account_id, held, Answer(Answering.WITHDRAW, author, Side.PARTNER, reason, now))
    return held.contribution_id


async def answer(tx: Transaction, account_id: int, contribution_id: int, said: Answer) -> None:
    """Let the customer corroborate or dispute. Raises NotFoundError, ConflictError for one that was withdrawn."""
    await lock_account(tx, account_id)
    found = [one for one in await contributions_of(tx, account_id) if one.contribution_id == contribution_id]
    if not found:
        raise NotFoundError(f"There is no contribution {contribution_id}.")
    if any(one.action is Answering.WITHDRAW for one in found[0].answers):
        raise ConflictError(f"Contribution {contribution_id} was withdrawn by the partner.")
    await _say(tx, account_id, found[0], said)


async def _say(tx: Transaction, account_id: int, one: Contribution, said: Answer) -> None:
    """What is the newest answer already is not written again."""
    if one.answers and one.answers[-1].action is said.action:
        return
    values = {
        "account_id": account_id,
        "contribution_id": one.contribution_id,
        "action": said.action.value,
        "author": said.author,
        "author_side": said.side.value,
        "reason": said.reason,
        "known_at": said.known_at,
    }
    await tx.execute(insert(contribution_answer).values(values))


def _named(held: Sequence[Contribution], provider: str, name: str) -> Contribution | None:
    return next((one for one in held if (one.reported.provider, one.reported.id) == (provider, name)), None)
