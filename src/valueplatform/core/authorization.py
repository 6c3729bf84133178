"""Who may do what, and on which accounts.

Rights are declared once, as tables of `Action`; the scopes of a key are the same words. Accounts are a `Scope`,
which only this module makes (and the worker, for the account that it holds the lock of).

A customer's rights follow the person's role in the account (`accounts.people.as_person` looks it up). Only
the *validator* validates (value rule 9 asks for a *named* validator): a sponsor or an economic buyer who should
validate is named validator too, by role. No supplier, no partner and no administrator ever has that right.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from valueplatform.core.errors import ForbiddenError
from valueplatform.core.scope import Scope, grant_accounts, grant_all


class Action(StrEnum):
    """What can be allowed. `thing:verb`, as in the `--scopes` of a key."""

    READ_ACCOUNTS = "accounts:read"
    READ_VALUE = "value:read"
    READ_STORY = "story:read"
    READ_REPORT = "report:read"
    READ_SUGGESTIONS = "suggestions:read"
    DECIDE_SUGGESTIONS = "suggestions:decide"
    READ_METERS = "meters:read"
    READ_EVENTS = "events:read"
    """Single events with their subjects: a right of its own (value rule 18)."""
    WRITE_EVENTS = "events:write"
    RETRACT_EVENTS = "events:retract"
    READ_REJECTED = "rejected-events:read"
    REPLAY_REJECTED = "rejected-events:replay"
    READ_INGEST = "ingest-keys:read"
    """Which keys send, and what became of their last events; subjects only with READ_EVENTS."""
    READ_ASSUMPTIONS = "assumptions:read"
    PROPOSE_ASSUMPTION = "assumptions:propose"
    DISPUTE_ASSUMPTION = "assumptions:dispute"
    VALIDATE_ASSUMPTION = "assumptions:validate"
    READ_PLAN = "plan:read"
    MANAGE_PLAN = "plan:manage"
    """Objectives and targets."""
    SIGN_PLAN = "plan:sign"
    """For one's own side; a plan is in force once both sides signed."""
    SIGN_STATEMENT = "statements:sign"
    """For one's own side: what a period brought, as it was known."""
    PLAN_SCENARIOS = "scenarios:plan"
    """What if: own scenarios, and those that others share."""
    READ_MILESTONES = "milestones:read"
    MANAGE_MILESTONES = "milestones:manage"
    READ_CONTRACTS = "contracts:read"
    READ_PEOPLE = "people:read"
    READ_CONVERSATIONS = "conversations:read"
    ASK = "conversations:ask"
    ANSWER = "conversations:answer"
    CONTRIBUTE = "contributions:write"
    """Value events of a partner's own."""
    AGREE_SPLIT = "splits:agree"
    """Propose and answer how a joint driver is shared: one of three parties speaks."""
    READ_CONSENTS = "consents:read"
    MANAGE_CONSENTS = "consents:manage"
    """What partners may see and send: for the customer alone to say."""
    READ_PORTFOLIO = "portfolio:read"
    READ_SIGNALS = "signals:read"
    SETTLE_SIGNALS = "signals:settle"
    HOLD_NEWS = "news:hold"
    """Hold back notices and digests of bad news, for at most two working days (value rule 13)."""
    READ_CATALOG = "catalog:read"
    WRITE_CATALOG = "catalog:write"
    """Who answers for an event type, what it takes to send it, and which are wished for."""
    READ_QUALITY = "data-quality:read"
    READ_FINANCE = "finance:read"
    """What accounts pay and cost, across all of them: only for who may see every account."""
    MANAGE_RATES = "exchange-rates:manage"
    READ_SYSTEM = "system:read"
    MANAGE_MODEL = "model:manage"
    MANAGE_ACCESS = "access:manage"


class UserRole(StrEnum):
    CUSTOMER = "customer"
    PARTNER = "partner"
    STEWARD = "steward"
    PRODUCT = "product"
    OPERATIONS = "operations"
    FINANCE = "finance"
    LEADERSHIP = "leadership"
    ADMIN = "admin"


class PersonRole(StrEnum):
    """What a person is in the customer's organization."""

    SPONSOR = "sponsor"
    ECONOMIC_BUYER = "economic-buyer"
    CHAMPION = "champion"
    VALIDATOR = "validator"
    ADMIN = "admin"
    USER = "user"


class KeyKind(StrEnum):
    INGEST = "ingest"
    PARTNER = "partner"
    ADMIN = "admin"


class Side(StrEnum):
    """On which side of the table a principal sits."""

    CUSTOMER = "customer"
    SUPPLIER = "supplier"
    PARTNER = "partner"


_NOT_FOR_SUPPLIERS: Final = frozenset({Action.VALIDATE_ASSUMPTION, Action.MANAGE_CONSENTS, Action.CONTRIBUTE})
_EVERYTHING: Final = frozenset(Action) - _NOT_FOR_SUPPLIERS

_READER: Final = frozenset(
    {
        Action.READ_ACCOUNTS,
        Action.READ_VALUE,
        Action.READ_STORY,
        Action.READ_REPORT,
        Action.READ_SUGGESTIONS,
        Action.READ_METERS,
        Action.READ_PLAN,
        Action.READ_MILESTONES,
    }
)
# A proposal counts nowhere until a validator has validated it, so everyone on the customer's side may correct us.
_CUSTOMER: Final = _READER | {
    Action.READ_ASSUMPTIONS,
    Action.PLAN_SCENARIOS,
    Action.PROPOSE_ASSUMPTION,
    Action.DISPUTE_ASSUMPTION,
    Action.READ_CONVERSATIONS,
    Action.ASK,
    Action.READ_CONSENTS,
}
_CUSTOMER_LEADS: Final = _CUSTOMER | {
    Action.DECIDE_SUGGESTIONS,
    Action.MANAGE_PLAN,
    Action.MANAGE_MILESTONES,
    Action.READ_PEOPLE,
    Action.MANAGE_CONSENTS,
}
_PARTNER: Final = _READER | {
    Action.READ_ASSUMPTIONS,
    Action.PROPOSE_ASSUMPTION,
    Action.CONTRIBUTE,
    Action.AGREE_SPLIT,
    Action.READ_CONSENTS,
}

RIGHTS_OF_PERSONS: Final[Mapping[PersonRole, frozenset[Action]]] = {
    PersonRole.SPONSOR: _CUSTOMER_LEADS | {Action.READ_CONTRACTS, Action.SIGN_PLAN, Action.SIGN_STATEMENT},
    PersonRole.ECONOMIC_BUYER: _CUSTOMER_LEADS | {Action.READ_CONTRACTS, Action.SIGN_PLAN, Action.SIGN_STATEMENT},
    PersonRole.CHAMPION: _CUSTOMER_LEADS,
    # Who validates a number may see the events that it comes from.
    PersonRole.VALIDATOR: _CUSTOMER
    | {Action.VALIDATE_ASSUMPTION, Action.READ_EVENTS, Action.MANAGE_CONSENTS, Action.AGREE_SPLIT},
    PersonRole.ADMIN: _CUSTOMER_LEADS | {Action.READ_CONTRACTS, Action.READ_EVENTS},
    PersonRole.USER: _CUSTOMER,
}

RIGHTS_OF_USERS: Final[Mapping[UserRole, frozenset[Action]]] = {
    UserRole.CUSTOMER: _CUSTOMER,
    UserRole.PARTNER: _PARTNER,
    UserRole.STEWARD: _EVERYTHING
    - {
        Action.WRITE_EVENTS,
        Action.RETRACT_EVENTS,
        Action.REPLAY_REJECTED,
        Action.MANAGE_RATES,
        Action.MANAGE_MODEL,
        Action.MANAGE_ACCESS,
    },
    UserRole.PRODUCT: _READER
    | {
        Action.READ_ASSUMPTIONS,
        Action.READ_PORTFOLIO,
        Action.READ_CATALOG,
        Action.WRITE_CATALOG,
        Action.READ_INGEST,
    },
    UserRole.OPERATIONS: frozenset(
        {
            Action.READ_ACCOUNTS,
            Action.READ_METERS,
            Action.READ_EVENTS,
            Action.RETRACT_EVENTS,
            Action.READ_REJECTED,
            Action.REPLAY_REJECTED,
            Action.READ_INGEST,
            Action.READ_SIGNALS,
            Action.READ_CATALOG,
            Action.READ_QUALITY,
            Action.READ_SYSTEM,
        }
    ),
    UserRole.FINANCE: _READER
    | {
        Action.READ_ASSUMPTIONS,
        Action.READ_CONTRACTS,
        Action.READ_PORTFOLIO,
        Action.READ_FINANCE,
        Action.MANAGE_RATES,
    },
    UserRole.LEADERSHIP: _READER
    | {
        Action.READ_ASSUMPTIONS,
        Action.READ_PORTFOLIO,
        Action.READ_SIGNALS,
        Action.READ_CATALOG,
        Action.READ_FINANCE,
        Action.READ_SYSTEM,
    },
    UserRole.ADMIN: _EVERYTHING,
}

RIGHTS_OF_KEYS: Final[Mapping[KeyKind, frozenset[Action]]] = {
    KeyKind.INGEST: frozenset(
        {
            Action.WRITE_EVENTS,
            Action.RETRACT_EVENTS,
            Action.READ_REJECTED,
            Action.REPLAY_REJECTED,
            Action.READ_INGEST,
        }
    ),
    KeyKind.PARTNER: _PARTNER | {Action.MANAGE_PLAN, Action.MANAGE_MILESTONES, Action.DECIDE_SUGGESTIONS},
    KeyKind.ADMIN: _EVERYTHING,
}


@dataclass(frozen=True, slots=True)
class UserPrincipal:
    """A signed-in person. `account_ids` None = every account; `person_role` is set for customers only."""

    user_id: int
    email: str
    name: str
    role: UserRole
    account_ids: frozenset[int] | None
    provider: str | None = None
    person_role: PersonRole | None = None

    @property
    def side(self) -> Side:
        match self.role:
            case UserRole.CUSTOMER:
                return Side.CUSTOMER
            case UserRole.PARTNER:
                return Side.PARTNER
            case _:
                return Side.SUPPLIER

    @property
    def author(self) -> str:
        """How the record names this principal; the same for the same person, whatever way they come in."""
        return self.email

    @property
    def rights(self) -> frozenset[Action]:
        if self.role is UserRole.CUSTOMER and self.person_role is not None:
            return RIGHTS_OF_PERSONS[self.person_role]
        return RIGHTS_OF_USERS[self.role]


@dataclass(frozen=True, slots=True)
class KeyPrincipal:
    """A machine. `sources` None = any source; `person` is the e-mail of the customer's person whom it acts for;
    `limited`: what it may send is bounded by quotas."""

    key_id: UUID
    kind: KeyKind
    name: str
    provider: str
    account_ids: frozenset[int] | None
    sources: frozenset[str] | None
    scopes: frozenset[Action]
    person: str | None = None
    person_role: PersonRole | None = None
    limited: bool = False

    @property
    def side(self) -> Side:
        if self.person is not None:
            return Side.CUSTOMER
        return Side.PARTNER if self.kind is KeyKind.PARTNER else Side.SUPPLIER

    @property
    def author(self) -> str:
        return self.person if self.person is not None else f"key {self.name}"

    @property
    def rights(self) -> frozenset[Action]:
        if self.person is None:
            return RIGHTS_OF_KEYS[self.kind] & self.scopes
        # Once the person has left the account, its key is good for nothing.
        return frozenset() if self.person_role is None else RIGHTS_OF_PERSONS[self.person_role] & self.scopes


Principal = UserPrincipal | KeyPrincipal


def may(principal: Principal, action: Action) -> bool:
    """Whether the principal may do this on the accounts of its scope."""
    return action in principal.rights


def require(principal: Principal, action: Action) -> None:
    """Raises ForbiddenError, naming what is missing."""
    if not may(principal, action):
        who = principal.role if isinstance(principal, UserPrincipal) else f"{principal.kind} key"
        raise ForbiddenError(
            f"This {who} may not do that: {action} is not among its rights.", {"missing": action.value}
        )


def scope_of(principal: Principal) -> Scope:
    """The accounts that the principal may touch."""
    return accounts_or_all(principal.account_ids)


def accounts_or_all(account_ids: Iterable[int] | None) -> Scope:
    return grant_all() if account_ids is None else grant_accounts(account_ids)


def operator_scope() -> Scope:
    """Every account: for whoever runs commands with the address of the database in hand."""
    return grant_all()
