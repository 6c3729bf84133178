"""A tenant scope is a value that only authorization can make."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import valueplatform
from valueplatform.core.scope import Scope, grant_accounts, grant_all, no_accounts

SOURCE = Path(str(valueplatform.__file__)).parent
ALLOWED = {"core/authorization.py", "upkeep.py", "worker.py"}


def makers_of_scopes(source: str) -> Iterator[str]:
    """Each name in the source that would let it make a scope: `grant_…` however reached, or a call of `Scope`."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name) if name.startswith("grant_"):
                yield name
            case ast.Call(func=ast.Name(id="Scope") | ast.Attribute(attr="Scope")):
                yield "Scope"


def test_only_authorization_and_the_worker_make_scopes() -> None:
    offenders = {
        path.relative_to(SOURCE).as_posix(): sorted(set(makers_of_scopes(path.read_text(encoding="utf-8"))))
        for path in SOURCE.rglob("*.py")
        if path != SOURCE / "core/scope.py"
    }
    assert {path for path, names in offenders.items() if names} <= ALLOWED
    assert offenders["core/authorization.py"] == ["grant_accounts", "grant_all"]


@pytest.mark.parametrize(
    "source",
    [
        "from valueplatform.core.scope import grant_all",
        "from valueplatform.core.scope import grant_all as harmless",
        "import valueplatform.core.scope as s\ns.grant_accounts([1])",
        "Scope(None)",
        "scope.Scope(account_ids=None)",
    ],
)
def test_the_walk_sees_every_way_to_make_a_scope(source: str) -> None:
    assert list(makers_of_scopes(source))


def test_a_scope_covers_its_accounts_only() -> None:
    assert grant_accounts([1, 2]).covers(2)
    assert not grant_accounts([1, 2]).covers(3)
    assert not no_accounts().covers(1)
    assert grant_all().covers(3)


def test_a_scope_of_no_account_is_never_written_as_all() -> None:
    assert grant_accounts([]) == no_accounts() == Scope(frozenset())
    assert no_accounts().literal == ""
