"""How tenant tables are declared."""

import pytest
from sqlalchemy import ForeignKeyConstraint, Table

from tests.core.schema_of_all_rooms import metadata

TENANT_TABLES = [table for table in metadata.sorted_tables if table.info.get("tenant")]


@pytest.mark.parametrize("table", TENANT_TABLES, ids=lambda table: table.name)
def test_account_id_comes_first_in_the_primary_and_in_every_foreign_key(table: Table) -> None:
    assert next(iter(table.primary_key.columns)).name == "account_id"
    assert next(iter(table.columns)).name == "account_id"
    assert not table.c.account_id.nullable
    for constraint in table.constraints:
        if isinstance(constraint, ForeignKeyConstraint):
            assert constraint.column_keys[0] == "account_id"


def test_only_tables_that_take_thousands_of_rows_a_second_do_without_the_foreign_key_to_account() -> None:
    without = {table.name for table in TENANT_TABLES if not table.foreign_key_constraints} - {"account"}
    assert without == {
        "accrual",
        "catalog_day",
        "catalog_due",
        "changed_day",
        "event",
        "event_conflict",
        "intake",
        "intake_day",
        "quality_finding",
        "recent_event",
        "rejected_event",
        "rollup",
        "rollup_member",
        "rollup_unmetered",
        "running_total",
        "group_member",
    }


def test_constraints_have_names_that_a_later_migration_can_rely_on() -> None:
    for table in metadata.sorted_tables:
        for constraint in table.constraints:
            assert constraint.name, f"{table.name}: {constraint}"
