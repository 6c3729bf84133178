"""What identify and group calls say of accounts and people, and how it gets there.

Only events that are new say anything: a duplicate, a conflict or a rejected event changes nobody.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from valueplatform.core.authorization import PersonRole
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.users import normal_email
from valueplatform.telemetry.admission import Entry
from valueplatform.telemetry.event import Effect, hash_id

LONGEST_NAME: Final = 200
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", order="deterministic")

# Rows that change are locked in order of their key first: two writers then wait for each other in one direction only.
_LOCK: Final = """
    SELECT account_id FROM account JOIN unnest($1::bigint[], $2::text[], $3::text[])
        AS told (account_id, said, attributes) USING (account_id)
    WHERE account.name <> coalesce(said, account.name)
       OR account.attributes || told.attributes::jsonb <> account.attributes
    ORDER BY account_id FOR NO KEY UPDATE OF account
"""
_UPDATE: Final = """
    UPDATE account SET name = coalesce(said, account.name), revision = revision + 1,
        attributes = account.attributes || told.attributes::jsonb
    FROM unnest($1::bigint[], $2::text[], $3::text[]) AS told (account_id, said, attributes)
    WHERE account.account_id = told.account_id AND account.account_id = ANY($4::bigint[])
"""
# A name that is only the front of the address says nothing, so it replaces none.
_PEOPLE: Final = """
    INSERT INTO person (account_id, email, name, role)
    SELECT account_id, email, coalesce(name, split_part(email, '@', 1)), $4
    FROM unnest($1::bigint[], $2::text[], $3::text[]) AS told (account_id, email, name) ORDER BY account_id, email
    ON CONFLICT (account_id, email) DO UPDATE SET name = excluded.name
    WHERE person.name <> excluded.name AND excluded.name <> split_part(excluded.email, '@', 1)
"""
_JOIN: Final = """
    INSERT INTO group_member (account_id, event_key, member, since)
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::timestamptz[]) ON CONFLICT DO NOTHING
"""


class Profile(Effect, frozen=True, kw_only=True):
    """None = nothing said. `attributes` are merged into those of the account, a member that is null left out. `joins`
    is who is in the account from the time of the event on (`groups`)."""

    account_name: str | None = None
    attributes: Mapping[str, object] | None = None
    email: str | None = None
    person_name: str | None = None
    joins: str | None = None


def account_profile(traits: object) -> Profile | None:
    """What the traits of a group say of its account: `name`, and attributes. None where they say nothing."""
    if not isinstance(traits, dict):
        return None
    name = _name(traits.get("name"))
    attributes = {key: value for key, value in traits.items() if key != "name" and value is not None}
    return Profile(account_name=name, attributes=attributes or None) if name or attributes else None


def person_profile(traits: object) -> Profile | None:
    """Whom the traits of a person name; None without an e-mail address, which is what people are known by."""
    if not isinstance(traits, dict):
        return None
    said = traits.get("email")
    try:
        email = normal_email(said) if isinstance(said, str) else None
    except InvalidInputError:
        email = None
    if email is None or not email.isprintable():
        return None
    first, last = (_name(traits.get(one)) for one in ("firstName", "lastName"))
    name = _name(traits.get("name")) or " ".join(filter(None, (first, last)))
    return Profile(email=email, person_name=name or None)


def _name(value: object) -> str | None:
    """A name on one line; None where it is no text, or says nothing."""
    if not isinstance(value, str):
        return None
    text = "".join(sign if sign.isprintable() else " " for sign in value)
    return " ".join(text.split())[:LONGEST_NAME].strip() or None


async def apply_profiles(connection: "asyncpg.Connection[Any]", entries: Sequence[Entry]) -> None:
    """Accounts by id, then people by address; what came later in the group counts. A role is never changed."""
    accounts: dict[int, tuple[str | None, dict[str, object]]] = {}
    people: dict[tuple[int, str], str | None] = {}
    members: list[tuple[int, UUID, UUID, datetime]] = []
    for entry in sorted(entries, key=attrgetter("request", "event.index")):
        profile = entry.event.effect
        if not isinstance(profile, Profile):
            continue
        if profile.account_name is not None or profile.attributes:
            name, attributes = accounts.get(entry.account_id, (None, {}))
            accounts[entry.account_id] = (profile.account_name or name, {**attributes, **(profile.attributes or {})})
        if profile.email is not None:
            key = (entry.account_id, profile.email)
            people[key] = profile.person_name or people.get(key)
        if profile.joins is not None:
            members.append((entry.account_id, entry.event.key, member_of(entry.provider, profile.joins), entry.time))
    if accounts:
        await _change_accounts(connection, accounts)
    if people:
        ids, emails = zip(*people, strict=True)
        await connection.execute(_PEOPLE, ids, emails, list(people.values()), PersonRole.USER.value)
    if members:
        await connection.execute(_JOIN, *zip(*members, strict=True))


def member_of(provider: str, person: str) -> UUID:
    """Who somebody is in the words of one provider: another's `kim` is another person."""
    return hash_id(f"{len(provider)}:{provider}{person}".encode())


async def _change_accounts(
    connection: "asyncpg.Connection[Any]", accounts: Mapping[int, tuple[str | None, Mapping[str, object]]]
) -> None:
    names = [name for name, _ in accounts.values()]
    attributes = [_ENCODER.encode(attributes).decode() for _, attributes in accounts.values()]
    told = (list(accounts), names, attributes)
    changed = [row["account_id"] for row in await connection.fetch(_LOCK, *told)]
    if changed:
        await connection.execute(_UPDATE, *told, changed)
