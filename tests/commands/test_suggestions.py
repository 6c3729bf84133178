from collections.abc import Sequence

import pytest

from tests.accounts.factories import an_account
from tests.commands.factories import run
from tests.conftest import Databases
from tests.narrative.next_best_records import NOW, put_model, put_world
from tests.narrative.next_best_worlds import World, feature, model_of, world
from valueplatform.commands import suggestions


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggestions, "system_clock", lambda: NOW)


@pytest.fixture
def simulated() -> World:
    return world(31, (0.5, 0.3, 0.0), accounts=24, noise=0.03)


@pytest.fixture
async def accounts(databases: Databases, simulated: World) -> Sequence[int]:
    return await put_world(databases, simulated)


@pytest.fixture
def candidate(simulated: World) -> str:
    """The key of an account that uses neither of the features that bring something."""
    return f"account-{next(at for at, users in enumerate(simulated.users, start=1) if not users[:2].any())}"


async def test_training_says_what_was_compared_and_what_can_be_priced(
    databases: Databases, accounts: Sequence[int]
) -> None:
    trained = await run(databases, "train", "--json")
    assert trained.code == 0
    assert trained.json["verdicts"] == {"f0": "priced", "f1": "priced", "f2": "unclear"}
    assert 0 < trained.json["accounts_compared"] <= len(accounts)
    assert trained.json["last_month"] == "2026-02"
    assert trained.json["accounts_excluded"] == 0
    assert trained.json["suggestions"] >= trained.json["accounts_with_suggestions"] > 0


async def test_training_speaks_to_people_too(databases: Databases, accounts: Sequence[int]) -> None:
    trained = await run(databases, "train")
    assert "The value of 2 of 3 features can be told from noise: f0, f1." in trained.out
    assert len(accounts) == 24


async def test_suggestions_come_ranked_with_value_interval_and_reason(
    databases: Databases, accounts: Sequence[int], candidate: str
) -> None:
    assert (await run(databases, "train")).code == 0
    suggested = await run(databases, "suggest", candidate, "--json")
    assert (suggested.code, suggested.json["account"]) == (0, candidate)
    best, second, *_ = suggested.json["suggestions"]
    assert [best["feature"], second["feature"]] == ["f0", "f1"]
    assert float(best["interval"]["low"]) < float(best["expected"]) < float(best["interval"]["high"])
    assert "went on to realize" in best["reason"]
    assert "chance" not in suggested.out
    assert len(accounts) == 24


async def test_suggestions_are_said_in_words(databases: Databases, accounts: Sequence[int], candidate: str) -> None:
    await run(databases, "train")
    said = (await run(databases, "suggest", candidate)).out
    assert said.startswith("1. Start to use F0.\n")
    assert "predicted for the next 12 months (90% interval: " in said
    assert len(accounts) == 24


async def test_before_training_an_account_gets_the_reason_instead(databases: Databases) -> None:
    await put_model(databases, model_of((feature("f0"),)))
    await an_account(databases)
    suggested = await run(databases, "suggest", "acme", "--json")
    assert suggested.code == 0
    assert suggested.json["suggestions"] == []
    assert "have not been compared" in suggested.json["empty"]


async def test_an_unknown_account_is_a_plain_message(databases: Databases) -> None:
    await put_model(databases, model_of(()))
    suggested = await run(databases, "suggest", "nobody")
    assert (suggested.code, suggested.out) == (1, "")
    assert "There is no account 'nobody'." in suggested.err


async def test_without_a_model_there_is_nothing_to_train(databases: Databases) -> None:
    trained = await run(databases, "train")
    assert trained.code == 1
    assert "model apply" in trained.err
