"""`valueplatform rates` and `import rates`: said on the command line, kept, listed; and `verify` of finance."""

from pathlib import Path

import pytest

from tests.commands.factories import run
from tests.conftest import Databases
from tests.stewardship.finance_world import a_world


async def test_a_rate_is_said_listed_and_the_later_of_a_day_holds(databases: Databases) -> None:
    await a_world(databases)
    said = await run(databases, "rates", "set", "jpy", "2025-01-01", "0.0067", "--source", "BoJ")
    assert (said.code, said.out.strip()) == (0, "From 2025-01-01 on, 1 JPY is 0.0067 USD (BoJ).")
    assert (await run(databases, "rates", "set", "JPY", "2025-01-01", "0.0068", "--source", "BoJ")).code == 0
    listed = (await run(databases, "rates", "list", "--json")).json
    yen = [one for one in listed if one["rate"]["currency"] == "JPY"]
    assert [float(one["rate"]["rate"]) for one in yen] == [0.0067, 0.0068]
    assert {one["author"] for one in yen} == {"command line"}
    assert "BoJ" in (await run(databases, "rates", "list")).out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["USD", "2025-01-01", "1"], 1, "needs no rate"),
        (["EUR", "2025-01-01", "-1"], 2, ""),
        (["EUR", "2025-01-01", "0"], 1, "above zero"),
        (["EUR", "2025-01-01", "one"], 1, "not a decimal number"),
        (["EUR", "soon", "1"], 2, ""),
    ],
)
async def test_what_cannot_be_a_rate_is_refused_with_the_reason(
    databases: Databases, arguments: list[str], code: int, says: str
) -> None:
    await a_world(databases)
    refused = await run(databases, "rates", "set", *arguments, "--source", "ECB")
    assert (refused.code, says in refused.err) == (code, True)


async def test_rates_come_from_any_file_by_one_query(databases: Databases, tmp_path: Path) -> None:
    await a_world(databases)
    (tmp_path / "ecb.csv").write_text("date,cur,per_euro\n2025-01-01,CHF,1.11\n2025-01-01,USD,1.0\n")
    query = tmp_path / "q.sql"
    query.write_text("SELECT cur AS currency, date AS day, per_euro AS rate, 'ECB' AS source FROM e")
    report = await run(databases, "import", "rates", f"e={tmp_path / 'ecb.csv'}", "--sql", str(query), "--json")
    assert {name: report.json[name] for name in ("created", "rejected")} == {"created": 1, "rejected": 1}
    again = await run(databases, "import", "rates", f"e={tmp_path / 'ecb.csv'}", "--sql", str(query), "--json")
    assert again.json["unchanged"] == 1
