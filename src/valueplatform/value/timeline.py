"""One timeline of an account: what happened between customer and supplier, and what became of its numbers.

Nothing is stored for it: each entry is read from where it is kept, so the timeline cannot disagree with the record.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.accounts.accounts import Account
from valueplatform.accounts.milestones import BETWEEN_US, GO_LIVE
from valueplatform.core.database import Transaction
from valueplatform.value.models import newest_model

MILESTONE: Final = "milestone"
CONTRACT: Final = "contract"
PLAN: Final = "plan"
OBJECTIVE: Final = "objective"
CLOSE: Final = "close"
ADJUSTMENT: Final = "adjustment"
ASSUMPTION: Final = "assumption"
MODEL: Final = "model"
KINDS: Final = (MILESTONE, CONTRACT, PLAN, OBJECTIVE, CLOSE, ADJUSTMENT, ASSUMPTION, MODEL)
FOR_PARTNERS: Final = frozenset({MILESTONE, CLOSE, ADJUSTMENT})
"""Neither contracts, nor people, nor disputes, nor what both sides plan (value rule 19)."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """`what` says what of the kind: a milestone's kind, `start` or `end` of a contract, `signed`, `validate`. `name` is
    the id of what it concerns; `author` and `side` say who did it, where somebody did. `amount` is of adjustments."""

    at: datetime
    kind: str
    id: str
    what: str
    name: str
    title: str
    author: str | None = None
    side: str | None = None
    amount: Decimal | None = None
    unit: str | None = None

    @property
    def place(self) -> str:
        """Unique, and in order of time."""
        return f"{self.at.timestamp():020.6f}/{KINDS.index(self.kind)}/{self.id}"


_QUERIES: Final[Mapping[str, str]] = {
    MILESTONE: """
        SELECT at, milestone_id AS id, kind AS what, milestone_id AS name, title FROM milestone
        WHERE account_id = :account
    """,
    CONTRACT: """
        SELECT start_day::timestamp AT TIME ZONE :zone AS at, contract_id || ' start' AS id,
               CASE kind WHEN 'new' THEN 'start' ELSE kind END AS what, contract_id AS name,
               'Contract ' || contract_id AS title
        FROM contract WHERE account_id = :account
        UNION ALL
        SELECT end_day::timestamp AT TIME ZONE :zone, contract_id || ' end', 'end', contract_id,
               'Contract ' || contract_id
        FROM contract WHERE account_id = :account AND end_day IS NOT NULL
    """,
    PLAN: """
        SELECT known_at AS at, plan_id || ' ' || version AS id,
               CASE WHEN withdrawn THEN 'withdrawn' WHEN version = 1 THEN 'drafted' ELSE 'changed' END AS what,
               plan_id AS name, title, author, author_side AS side
        FROM plan_terms WHERE account_id = :account
        UNION ALL
        SELECT s.signed_at, s.plan_id || ' ' || s.digest || ' ' || s.side, 'signed', s.plan_id,
               coalesce(t.title, s.plan_id), s.signer, s.side
        FROM plan_signature s LEFT JOIN plan_terms t USING (account_id, plan_id, version) WHERE account_id = :account
    """,
    OBJECTIVE: """
        SELECT known_at AS at, objective_id || ' ' || version AS id, state AS what, objective_id::text AS name, title,
               author, author_side AS side
        FROM objective_version JOIN objective USING (account_id, objective_id) WHERE account_id = :account
    """,
    CLOSE: """
        SELECT closed_at AS at, month::text AS id, 'close' AS what, month::text AS name,
               to_char(month, 'FMMonth YYYY') AS title
        FROM closed_month WHERE account_id = :account
    """,
    ADJUSTMENT: """
        SELECT p.posted_at AS at,
               p.driver || ' ' || b.unit || ' ' || date_trunc('month', p.day)::date || ' ' || p.revision AS id,
               coalesce(min(p.cause), '') AS what, p.driver AS name,
               p.driver || ', ' || to_char(date_trunc('month', p.day), 'FMMonth YYYY') AS title,
               sum(p.expected) AS amount, b.unit
        FROM posting p JOIN basis b USING (account_id, basis_id)
        WHERE account_id = :account AND p.kind = 'adjustment'
          AND (CAST(:provider AS text) IS NULL OR p.provider = :provider)
        GROUP BY p.posted_at, p.revision, p.driver, b.unit, date_trunc('month', p.day)
    """,
    ASSUMPTION: """
        SELECT known_at AS at, entry_id::text AS id, action AS what, slug AS name, slug AS title, author,
               author_side AS side
        FROM assumption_entry WHERE account_id = :account AND action IN ('validate', 'dispute')
    """,
    MODEL: """
        SELECT applied_at AS at, revision::text AS id, 'applied' AS what, revision::text AS name,
               'Value model, version ' || revision AS title
        FROM model_revision
    """,
}


async def read_timeline(
    tx: Transaction, account: Account, kinds: Collection[str], provider: str | None = None
) -> list[Moment]:
    """All moments of these kinds, oldest first. `provider` keeps a partner to its own part (value rule 19)."""
    wanted = [kind for kind in KINDS if kind in kinds and (provider is None or kind in FOR_PARTNERS)]
    where = {"account": account.account_id, "zone": account.timezone, "provider": provider}
    found = []
    for kind in wanted:
        query = _QUERIES[kind]
        given = {name: value for name, value in where.items() if f":{name}" in query}
        rows = await tx.rows(text(query), given)
        found += [Moment(kind=kind, **row._asdict()) for row in rows]
    if provider is not None:
        found = [one for one in found if one.kind != MILESTONE or one.what == GO_LIVE or one.what not in BETWEEN_US]
    titles = {driver.slug: driver.title or driver.slug for driver in (await newest_model(tx)).drivers}
    return sorted((_titled(one, titles) for one in found), key=lambda one: (one.at, KINDS.index(one.kind), one.id))


def _titled(one: Moment, titles: Mapping[str, str]) -> Moment:
    """Drivers by the titles that people know."""
    if one.kind == ADJUSTMENT and one.name in titles:
        return msgspec.structs.replace(one, title=one.title.replace(one.name, titles[one.name], 1))
    slug = one.name.removeprefix("driver:")
    return msgspec.structs.replace(one, title=titles[slug]) if one.kind == ASSUMPTION and slug in titles else one
