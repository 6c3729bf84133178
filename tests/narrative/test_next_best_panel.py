from datetime import date
from decimal import Decimal

import numpy as np
import polars as pl

from valueplatform.narrative.next_best_panel import (
    ACCOUNT_SCHEMA,
    HISTORY,
    USAGE_SCHEMA,
    VALUE_SCHEMA,
    Grid,
    Panel,
    grid_of,
    month_number,
)

TODAY = date(2026, 3, 10)


def a_grid(
    *,
    used: tuple[date, ...] = (),
    values: dict[date, str] | None = None,
    today: date = TODAY,
) -> Grid:
    accounts = pl.DataFrame([(7, None, today)], schema=ACCOUNT_SCHEMA, orient="row")
    usage = pl.DataFrame([(7, "checklists", month, 4, month) for month in used], schema=USAGE_SCHEMA, orient="row")
    amounts = [(7, month, Decimal(value)) for month, value in (values or {}).items()]
    return grid_of(Panel(accounts, pl.DataFrame(amounts, schema=VALUE_SCHEMA, orient="row"), usage), ["checklists"])


def at(grid: Grid, month: date) -> int:
    return month_number(month) - grid.first


def test_the_last_month_is_the_newest_whole_one() -> None:
    grid = a_grid()
    assert at(grid, date(2026, 2, 1)) == grid.months - 1


def test_the_month_that_is_running_is_not_compared() -> None:
    grid = a_grid(values={date(2026, 2, 1): "10", date(2026, 3, 1): "99"})
    assert grid.value[0, -1] == 10
    assert not (grid.value == 99).any()


def test_an_account_whose_day_has_not_turned_yet_has_one_whole_month_less() -> None:
    accounts = pl.DataFrame(
        [(1, None, date(2026, 3, 1)), (2, None, date(2026, 2, 28))], schema=ACCOUNT_SCHEMA, orient="row"
    )
    values = pl.DataFrame(
        [(account, date(2026, 2, 1), Decimal(5)) for account in (1, 2)], schema=VALUE_SCHEMA, orient="row"
    )
    grid = grid_of(Panel(accounts, values, pl.DataFrame(schema=USAGE_SCHEMA)), ())
    assert grid.value[0, -1] == 5
    assert np.isnan(grid.value[1, -1])


def test_a_month_without_value_is_unknown_not_zero() -> None:
    grid = a_grid(values={date(2026, 2, 1): "10"})
    assert np.isnan(grid.value[0, -2])


def test_months_before_the_history_are_not_looked_at() -> None:
    grid = a_grid(values={date(2020, 1, 1): "10"}, used=(date(2020, 1, 1),))
    assert np.isnan(grid.value).all()
    assert not grid.events.any()
    assert grid.months == HISTORY + 3


def test_a_feature_is_taken_up_over_three_months_and_dropped_after_three_without_events() -> None:
    grid = a_grid(used=(date(2025, 5, 1), date(2025, 6, 1), date(2025, 7, 1), date(2025, 8, 1)))
    start = at(grid, date(2025, 4, 1))
    assert grid.intensity[0, 0, start : start + 8].tolist() == [0, 1 / 3, 2 / 3, 1, 1, 1, 1, 0]


def test_use_every_other_month_is_use() -> None:
    grid = a_grid(used=(date(2025, 5, 1), date(2025, 7, 1), date(2025, 9, 1)))
    start = at(grid, date(2025, 5, 1))
    assert grid.active[0, 0, start : start + 7].all()
    assert not grid.active[0, 0, start + 7]


def test_no_accounts_make_an_empty_grid() -> None:
    empty = Panel(
        pl.DataFrame(schema=ACCOUNT_SCHEMA), pl.DataFrame(schema=VALUE_SCHEMA), pl.DataFrame(schema=USAGE_SCHEMA)
    )
    assert grid_of(empty, ["checklists"]).value.shape[0] == 0
