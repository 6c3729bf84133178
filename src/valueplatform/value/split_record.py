"""The record of splits: who proposed and answered what, never changed; and joint amounts cut by it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Row, insert, select

from valueplatform.accounts.providers import provider_names
from valueplatform.core.authorization import Side
from valueplatform.core.database import Transaction, lock_account
from valueplatform.core.errors import ConflictError, ForbiddenError, NotFoundError, UnprocessableError
from valueplatform.core.periods import Period
from valueplatform.value.model import JOINT, SUPPLIER, ValueModel
from valueplatform.value.shown import ShownValue, earned_values
from valueplatform.value.splits import Act, Entry, Part, Split, SplitState, declared, parts_of, splits_of
from valueplatform.value.tables import split_entry


class Speaker(msgspec.Struct, frozen=True):
    """Who speaks for a party; `provider` is set for partners, who speak of their own line alone."""

    name: str
    side: Side
    provider: str | None
    day: date
    now: datetime


class Proposal(msgspec.Struct, frozen=True):
    """A partner's share of a joint driver, and the supplier's."""

    driver: str
    provider: str
    share: Decimal
    supplier_share: Decimal
    reason: str


async def read_splits(tx: Transaction, account_id: int, as_of: datetime | None = None) -> list[Split]:
    """Every proposal of an account, oldest first, as it stands or as it was known at a moment."""
    held = split_entry.c
    query = select(split_entry).where(held.account_id == account_id).order_by(held.entry_id)
    rows = await tx.rows(query if as_of is None else query.where(held.known_at <= as_of))
    return splits_of(map(_entry, rows))


async def splits_of_accounts(tx: Transaction) -> dict[int, list[Split]]:
    """Of every account in scope in which anything was proposed."""
    entries: defaultdict[int, list[Entry]] = defaultdict(list)
    for row in await tx.rows(select(split_entry).order_by(split_entry.c.entry_id)):
        entries[row.account_id].append(_entry(row))
    return {account_id: splits_of(said) for account_id, said in entries.items()}


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        entry_id=row.entry_id,
        driver=row.driver,
        provider=row.provider,
        action=Act(row.action),
        answers=row.answers,
        share=row.share,
        supplier_share=row.supplier_share,
        author=row.author,
        side=Side(row.author_side),
        reason=row.reason,
        day=row.day,
        known_at=row.known_at,
    )


async def propose_split(tx: Transaction, account_id: int, model: ValueModel, wanted: Proposal, who: Speaker) -> Split:
    """The proposer's party agrees by it. Raises NotFoundError, ForbiddenError for another partner's line,
    UnprocessableError for shares that cannot be."""
    await lock_account(tx, account_id)
    if who.side is Side.PARTNER and wanted.provider != who.provider:
        raise ForbiddenError("A partner proposes its own share alone.")
    if not any(one.slug == wanted.driver and one.provider == JOINT for one in model.drivers):
        raise NotFoundError(f"There is no joint driver {wanted.driver!r}.")
    if wanted.provider in {SUPPLIER, JOINT} or wanted.provider not in await provider_names(tx):
        raise NotFoundError(f"There is no partner {wanted.provider!r}.")
    if min(wanted.share, wanted.supplier_share) < 0 or wanted.share + wanted.supplier_share > 1:
        raise UnprocessableError("Shares are from 0 to 1, and together at most 1; what is left stays joint.")
    if who.side is Side.SUPPLIER:
        _require_room(await read_splits(tx, account_id), wanted)
    values = msgspec.structs.asdict(wanted)
    return await _say(tx, account_id, {**values, "action": Act.PROPOSE.value, "answers": None}, who)


async def answer_split(tx: Transaction, account_id: int, split_id: int, act: Act, reason: str, who: Speaker) -> Split:
    """Agree, refuse or withdraw. Raises NotFoundError, ConflictError for what is settled, ForbiddenError where a party
    withdraws what another proposed, UnprocessableError where the supplier would give away more than all."""
    await lock_account(tx, account_id)
    splits = await read_splits(tx, account_id)
    one = next((s for s in splits if s.split_id == split_id and who.provider in {None, s.provider}), None)
    if one is None:
        raise NotFoundError(f"There is no split {split_id}.")
    if one.state is not SplitState.PROPOSED:
        raise ConflictError(f"Split {split_id} is {one.state} already; propose a new one.")
    if act is Act.WITHDRAW and who.side is not one.said[0].side:
        raise ForbiddenError("Only the party that proposed a split withdraws it; refuse it instead.")
    if act is Act.AGREE and who.side in one.agreed:
        return one
    if act is Act.AGREE and who.side is Side.SUPPLIER:
        _require_room(splits, Proposal(one.driver, one.provider, one.share, one.supplier_share, reason))
    values = {"driver": one.driver, "provider": one.provider, "action": act.value, "answers": split_id}
    return await _say(tx, account_id, {**values, "reason": reason}, who)


def _require_room(splits: Sequence[Split], wanted: Proposal) -> None:
    others = declared(splits, wanted.driver, without=wanted.provider)
    if wanted.share + wanted.supplier_share + others > 1:
        raise UnprocessableError(
            f"Lines with other partners come to {others:f} of {wanted.driver!r} already; this would be more than all."
        )


async def _say(tx: Transaction, account_id: int, values: dict[str, object], who: Speaker) -> Split:
    said = {"account_id": account_id, "author": who.name, "author_side": who.side.value}
    said |= {"day": who.day, "known_at": who.now}
    made = await tx.scalar(insert(split_entry).values({**values, **said}).returning(split_entry.c.entry_id))
    of = values["answers"] or int(made)
    return next(one for one in await read_splits(tx, account_id) if one.split_id == of)


class CutValues(msgspec.Struct, frozen=True):
    """`whole` belongs to one provider each, or stays joint; `parts` are of joint amounts that were cut."""

    whole: Sequence[ShownValue]
    parts: Sequence[Part]

    @property
    def all(self) -> list[ShownValue]:
        return [*self.whole, *(part.value for part in self.parts)]

    def hiding(self, provider: str) -> list[ShownValue]:
        """What a partner cannot reckon from its own part, so that something of others can hide in it."""
        return [*self.whole, *(part.value for part in self.parts if provider not in part.known_to)]


def ever_split(splits: Iterable[Split]) -> list[str]:
    """Joint drivers of which a split ever held."""
    return sorted({one.driver for one in splits if one.since is not None})


async def cut_values(
    tx: Transaction,
    account_id: int,
    period: Period,
    values: Sequence[ShownValue],
    splits: Sequence[Split],
    as_of: datetime | None = None,
) -> CutValues:
    """Joint amounts of drivers that have ever been split, cut by what held on the day that each was earned on."""
    drivers = ever_split(splits)
    if not drivers:
        return CutValues(values, ())
    whole = [value for value in values if value.provider != JOINT or value.driver not in drivers]
    earned = await earned_values(tx, account_id, period, JOINT, drivers, as_of)
    return CutValues(whole, [part for day, value in earned for part in parts_of(value, day, splits)])
