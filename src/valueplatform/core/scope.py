"""The tenant scope: which accounts one transaction may touch.

A scope is made by authorization alone (`core.authorization`, and the worker for the account that it holds the
lock of); a test walks the source tree and fails where anything else calls `grant_*`. The database enforces it
again by row-level security.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

ALL_LITERAL: Final = "-1"


@dataclass(frozen=True, slots=True)
class Scope:
    """One account, a set of accounts, or all (`account_ids` is None). Account ids are positive."""

    account_ids: frozenset[int] | None

    @property
    def literal(self) -> str:
        """The value of the `valueplatform.scope` setting: integers and commas only, so it is safe inside SQL.

        An empty set is '', which the database reads as no account at all.
        """
        if self.account_ids is None:
            return ALL_LITERAL
        return ",".join(str(int(account_id)) for account_id in sorted(self.account_ids))

    def covers(self, account_id: int) -> bool:
        return self.account_ids is None or account_id in self.account_ids


def grant_accounts(account_ids: Iterable[int]) -> Scope:
    """Raises ValueError for an id below 1: such ids stand for no account, and -1 in a setting for all."""
    granted = frozenset(account_ids)
    if any(account_id < 1 for account_id in granted):
        raise ValueError(f"no account has an id below 1: {sorted(granted)}")
    return Scope(granted)


def grant_all() -> Scope:
    return Scope(None)


def no_accounts() -> Scope:
    """Nothing at all: for transactions on tables that belong to no account."""
    return Scope(frozenset())
