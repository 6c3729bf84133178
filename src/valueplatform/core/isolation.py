"""What the database itself says about isolation: whether every rule of the schema still stands.

Each check reads the catalog, so that a rule somebody switched off by hand is found too. `doctor` shows the faults,
the tests demand that there are none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from valueplatform.core.database import Role

UNSCOPED: Final[Mapping[str, str]] = {
    "event_key": "keys are unique across accounts, so it has no tenant; hashes only, for the ingest role alone",
    "cost": "the supplier's own costs, shared ones have no account; the web role reads them for finance alone",
}
"""Tables that name an account and are no tenant tables, each with its reason."""

APPEND_ONLY: Final = (
    "posting",
    "assumption_entry",
    "objective_version",
    "plan_target",
    "plan_terms",
    "plan_signature",
    "value_statement",
    "statement_signature",
    "basis",
    "closed_month",
    "exchange_rate",
    "consent",
    "consent_request",
    "contribution",
    "contribution_answer",
    "split_entry",
    "suggestion_grade",
    "suggestion_grade_input",
    "suggestion_log",
    "news_hold",
    "news_hold_release",
    "proposal_decision",
    "collaboration_response",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that does not hold: where, what is wrong, and the statement that mends it."""

    where: str
    says: str
    cure: str


async def isolation_faults(connection: AsyncConnection) -> list[Fault]:
    """All faults, the roles' first. `connection` may read the catalog in any role."""
    return [
        *await role_faults(connection),
        *await _table_faults(connection),
        *await _unscoped_faults(connection),
        *await _history_faults(connection),
    ]


async def tenant_tables(connection: AsyncConnection) -> list[str]:
    """The tables that hold rows of accounts, as the catalog knows them."""
    return [row.name for row in await _tables_with_account(connection) if row.name not in UNSCOPED]


async def _tables_with_account(connection: AsyncConnection) -> Sequence[Row[Any]]:
    return (await connection.execute(text(_TABLES_WITH_ACCOUNT), {"web": Role.WEB.value})).all()


_TABLES_WITH_ACCOUNT: Final = """
    SELECT c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced, a.attnotnull AS required,
           k.conkey[1] = a.attnum AS first_in_key,
           (SELECT array_agg(pg_get_expr(p.polqual, p.polrelid)) FROM pg_policy p WHERE p.polrelid = c.oid
               AND (0 = ANY (p.polroles) OR to_regrole(:web)::oid = ANY (p.polroles))) AS web_policies,
           (SELECT array_agg(f.conname::text) FROM pg_constraint f
             WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.conkey[1] <> a.attnum) AS loose_keys
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'account_id' AND NOT a.attisdropped
      LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
     WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
     ORDER BY c.relname
"""


async def _table_faults(connection: AsyncConnection) -> Sequence[Fault]:
    faults = []
    for row in await _tables_with_account(connection):
        if row.name in UNSCOPED:
            continue
        if not (row.enabled and row.forced):
            cure = f"ALTER TABLE {row.name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
            faults.append(Fault(row.name, "row security is not enabled and forced", cure))
        if not (row.first_in_key and row.required):
            cure = "declare it by core.schema.tenant_table and migrate"
            faults.append(Fault(row.name, "account_id is not first in the primary key", cure))
        if len(row.web_policies or ()) != 1 or "valueplatform.scope" not in row.web_policies[0]:
            cure = f"leave {row.name} only the policy web_sees_scope for {Role.WEB}"
            faults.append(Fault(row.name, "the web role is not held to its scope by exactly one policy", cure))
        faults += [
            Fault(
                row.name, f"the foreign key {key} does not start with account_id", "recreate it with account_id first"
            )
            for key in row.loose_keys or ()
        ]
    return faults


_RIGHTS: Final = """
    SELECT t.name, r.role, array_agg(p.privilege) AS rights
      FROM unnest(CAST(:tables AS text[])) AS t (name), unnest(CAST(:roles AS text[])) AS r (role),
           unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS p (privilege)
     WHERE to_regclass(t.name) IS NOT NULL AND to_regrole(r.role) IS NOT NULL
       AND has_table_privilege(r.role, to_regclass(t.name), p.privilege)
     GROUP BY t.name, r.role ORDER BY t.name, r.role
"""


async def _unscoped_faults(connection: AsyncConnection) -> Sequence[Fault]:
    faults = []
    asked = {"tables": list(UNSCOPED), "roles": [Role.WEB.value, Role.WORKER.value]}
    for row in await connection.execute(text(_RIGHTS), asked):
        allowed = _ALLOWED.get((row.name, row.role), ())
        beyond = ", ".join(right for right in row.rights if right not in allowed)
        if beyond:
            cure = f"REVOKE {beyond if allowed else 'ALL'} ON {row.name} FROM {row.role}"
            faults.append(Fault(row.name, f"{row.role} may {beyond}, but {UNSCOPED[row.name]}", cure))
    cost = (await connection.execute(text(_COST), {"web": Role.WEB.value})).one_or_none()
    if cost is not None and not (cost.enabled and cost.forced):
        cure = "ALTER TABLE cost ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
        faults.append(Fault("cost", "row security is not enabled and forced", cure))
    if cost is not None and not _only_effort_and_finance(cost.policies or ()):
        fault = "the web role reads more than an account's own effort without saying that it reads finance"
        faults.append(Fault("cost", fault, _COST_CURE))
    return faults


_EVERY_ROW: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
_ALLOWED: Final = {("cost", Role.WEB.value): ("SELECT",), ("cost", Role.WORKER.value): _EVERY_ROW}
_COST_CURE: Final = f"leave cost only the policies web_reads_finance and web_sees_known_effort for {Role.WEB}"
_COST: Final = """
    SELECT c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
           (SELECT array_agg(pg_get_expr(p.polqual, p.polrelid)) FROM pg_policy p WHERE p.polrelid = c.oid
               AND (0 = ANY (p.polroles) OR to_regrole(:web)::oid = ANY (p.polroles))) AS policies
      FROM pg_class c WHERE c.oid = to_regclass('cost')
"""


_OF_EFFORT: Final = "((kind = ANY (ARRAY['implementation'::text, 'internal'::text])) AND (account_id IS NOT NULL) AND ("


def _only_effort_and_finance(policies: Sequence[str]) -> bool:
    others = [policy for policy in policies if not (policy.startswith(_OF_EFFORT) and "valueplatform.scope" in policy)]
    named = ("valueplatform.scope", "'-1'", "valueplatform.finance")
    is_finance = len(others) == 1 and all(part in others[0] for part in named) and " OR " not in others[0]
    return is_finance and len(policies) == 2


_ROLES: Final = """
    SELECT n.name, quote_ident(current_user) AS login, r.oid IS NOT NULL AS found,
           r.rolsuper OR r.rolbypassrls AS above_policies,
           r.rolcreaterole OR r.rolcreatedb OR r.rolreplication AS powerful,
           (SELECT array_agg(m.rolname::text ORDER BY m.rolname) FROM pg_roles m
             WHERE m.oid <> r.oid AND pg_has_role(r.oid, m.oid, 'MEMBER')) AS member_of,
           EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid
                      AND c.relnamespace = current_schema()::regnamespace) AS owns
      FROM unnest(CAST(:roles AS text[])) AS n (name) LEFT JOIN pg_roles r ON r.rolname = n.name ORDER BY n.name
"""


async def role_faults(connection: AsyncConnection) -> Sequence[Fault]:
    """Faults of the roles alone, which a database without any schema may have too."""
    faults = []
    for row in await connection.execute(text(_ROLES), {"roles": [role.value for role in Role]}):
        if not row.found:
            cure = f"CREATE ROLE {row.name} NOLOGIN NOSUPERUSER; GRANT {row.name} TO {row.login}"
            faults.append(Fault(row.name, "the role is missing", cure))
            continue
        if row.above_policies and row.name != Role.INGEST:
            cure = f"ALTER ROLE {row.name} NOSUPERUSER NOBYPASSRLS"
            faults.append(Fault(row.name, "the role is above row security", cure))
        if row.powerful:
            cure = f"ALTER ROLE {row.name} NOCREATEROLE NOCREATEDB NOREPLICATION"
            faults.append(Fault(row.name, "the role has powers that it does not need", cure))
        if row.owns and row.name != Role.OWNER:
            cure = f"REASSIGN OWNED BY {row.name} TO {Role.OWNER}"
            faults.append(Fault(row.name, "the role owns tables, so it could switch row security off", cure))
        faults += [
            Fault(
                row.name,
                f"the role is a member of {other}, whose rights it can take",
                f"REVOKE {other} FROM {row.name}",
            )
            for other in row.member_of or ()
        ]
    return faults


_TRIGGERS: Final = """
    SELECT t.name FROM unnest(CAST(:tables AS text[])) AS t (name)
     WHERE 2 > (SELECT count(*) FROM pg_trigger g JOIN pg_proc f ON f.oid = g.tgfoid
                 WHERE g.tgrelid = to_regclass(t.name) AND f.proname = 'refuse_change' AND g.tgenabled IN ('O', 'A'))
"""


async def _history_faults(connection: AsyncConnection) -> Sequence[Fault]:
    rows = await connection.execute(text(_TRIGGERS), {"tables": list(APPEND_ONLY)})
    return [
        Fault(
            row.name,
            "its past could be changed: an append-only trigger is off",
            f"ALTER TABLE {row.name} ENABLE TRIGGER USER",
        )
        for row in rows
    ]
