"""The metadata that all tables share, and how a tenant table is declared."""

from typing import Any, Final

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.schema import SchemaItem

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def tenant_table(name: str, *items: SchemaItem, key: tuple[str, ...], hot: bool = False) -> Table:
    """A table of one account's rows: `account_id` comes first in its primary key and in every foreign key.

    `hot` tables take thousands of rows a second and do without the foreign key to `account`, whose check costs a
    query a row; their account ids come from the same transaction that looked the account up.
    """
    constraints: list[SchemaItem] = [PrimaryKeyConstraint("account_id", *key)]
    if not hot:
        constraints.append(ForeignKeyConstraint(["account_id"], ["account.account_id"]))
    column: Column[Any] = Column("account_id", BigInteger, nullable=False, autoincrement=False)
    return Table(name, metadata, column, *items, *constraints, info={"tenant": True})
