import random

import polars as pl
import pytest

from valueplatform.core.arrival import sorts_itself, with_arrival_order
from valueplatform.core.errors import InvalidInputError

SIZE = 3000
DRAW = random.Random(5)


def numbered(**columns: list[object]) -> pl.DataFrame:
    frame = pl.DataFrame(columns)
    return frame.select(pl.Series("_row", range(1, frame.height + 1), dtype=pl.Int64), pl.all())


KEYS = [DRAW.randrange(50) for _ in range(SIZE)]
TABLES = {
    "u": numbered(id=list(range(SIZE)), k=list(KEYS), odd=[n % 2 for n in range(SIZE)]),
    "s": numbered(k=DRAW.sample(range(50), 50), name=[f"s{n}" for n in range(50)]),
    "v": numbered(id=list(range(SIZE, 2 * SIZE)), k=list(KEYS)),
}


def ids(sql: str) -> list[int]:
    result = pl.SQLContext(frames=TABLES, eager=True).execute(with_arrival_order(sql))
    return list(result.sort("_row", maintain_order=True)["id"])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM u",
        "select u.id, s.name from u join s on u.k = s.k",
        "SELECT u.id FROM u LEFT JOIN s ON u.k = s.k",
        'SELECT "a b".id FROM u AS "a b" JOIN s x USING (k)',
        "SELECT u.id FROM u, s WHERE u.k = s.k",
        "WITH j AS (SELECT u.id, u.k FROM u JOIN s ON u.k = s.k) SELECT j.id FROM j JOIN s ON j.k = s.k",
        "SELECT x.id FROM (SELECT id, k FROM u) AS x JOIN s ON x.k = s.k",
        "SELECT * FROM u",
        "SELECT u.id, u.k * 2 AS double FROM u JOIN s ON u.k = s.k",
        "SELECT u._row * 2 AS place, u.id FROM u JOIN s ON u.k = s.k",
        "SELECT u.* FROM u JOIN s ON u.k = s.k",
        "SELECT id FROM u LEFT SEMI JOIN s ON u.k = s.k",
        "SELECT id FROM u WHERE k IN (SELECT k FROM s) -- from nowhere",
        "SELECT /* from */ u.id, 'FROM (' AS text FROM u JOIN s ON u.k = s.k",
        "SELECT COALESCE(u.id, CAST(s.k AS INT)) AS id FROM u JOIN s ON u.k = s.k",
        "SELECT MAX(id) AS id FROM u GROUP BY id",
    ],
)
def test_rows_come_in_the_order_of_the_first_table(sql: str) -> None:
    assert ids(sql) == list(range(SIZE))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM u UNION ALL SELECT id FROM v",
        "SELECT * EXCLUDE odd FROM u UNION ALL SELECT * FROM v",
        "WITH w AS (SELECT id, k FROM u UNION ALL SELECT id, k FROM v) SELECT w.id FROM w JOIN s ON w.k = s.k",
    ],
)
def test_the_parts_of_a_union_follow_one_another(sql: str) -> None:
    assert ids(sql) == list(range(2 * SIZE))


def test_rows_that_a_join_multiplies_are_ordered_by_both_tables() -> None:
    tables = {"a": numbered(k=[1, 1]), "b": numbered(k=[1] * 500, id=list(range(500)))}
    sql = with_arrival_order("SELECT b.id FROM a JOIN b ON a.k = b.k")
    result = pl.SQLContext(frames=tables, eager=True).execute(sql).sort("_row")
    assert list(result["id"]) == [*range(500), *range(500)]


@pytest.mark.parametrize("sql", ["SELECT DISTINCT k FROM u", "SELECT id FROM u UNION SELECT id FROM v", "SELECT 1"])
def test_what_a_row_number_would_change_is_left_as_it_is(sql: str) -> None:
    assert with_arrival_order(sql) == sql


def test_an_order_of_its_own_is_seen_only_at_the_top() -> None:
    assert sorts_itself("SELECT id FROM u ORDER BY id")
    assert not sorts_itself("SELECT id FROM (SELECT id FROM u ORDER BY id) x")
    assert not sorts_itself("SELECT 'ORDER BY' FROM u")


def test_text_that_is_no_sql_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="cannot be read as SQL"):
        with_arrival_order("SELECT 'open")
