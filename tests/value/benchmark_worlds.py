"""An installation whose accounts are compared: ten that send jobs, of two segments and known scale, made by the code
itself."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import NOW, SUPPLIER, TODAY, VALIDATOR
from tests.value.worth_worlds import BEFORE, DAYS, Sent, install, jobs, opens
from tests.value.worths import the_model
from valueplatform.core.scope import grant_all
from valueplatform.value import assumption_record as record
from valueplatform.value.assumption_record import Statement
from valueplatform.value.assumptions import EVER, Action
from valueplatform.value.benchmark_run import compare_accounts
from valueplatform.value.model import BenchmarkSection, ValueModel
from valueplatform.value.ranges import Range

SCALE: Final = "seats"
PROSPECT: Final = "prospect"
AGREED: Final = {"a10": "1.8", "a11": "2", "a12": "2.2", "a13": "2.4", "a14": "3"}
_SIZED: Final = text("UPDATE account SET segment = :segment, attributes = CAST(:attributes AS jsonb) WHERE key = :key")


def model(more: str = "") -> ValueModel:
    return msgspec.structs.replace(the_model(more), benchmark=BenchmarkSection(SCALE))


def sent() -> Mapping[str, Sequence[Sent]]:
    """Twenty-four accounts with jobs: what they save a job rises with their number; those that save most open tracking
    too, and all sent jobs first. One sent jobs in one month alone, and one nothing at all."""
    first = jobs(3, [BEFORE])
    each = {
        f"a{n:02}": [*first, *jobs(9 - n % 9), *(jobs(1) * (n // 6)), *(opens(3, DAYS[n % 3 :]) if n >= 18 else [])]
        for n in range(24)
    }
    return {**each, "begun": jobs(1, DAYS[-1:]), PROSPECT: []}


def segment_of(key: str) -> str | None:
    return None if key == "a00" else "big" if key == PROSPECT or key > "a08" else "small"


async def compared(databases: Databases, accounts: Mapping[str, Sequence[Sent]] | None = None) -> dict[str, int]:
    """Their ids by key, once the worker has been round."""
    ids = await install(databases, accounts if accounts is not None else sent(), model())
    await size(databases, {key: str(10 + at % 2) for at, key in enumerate(ids)})
    await compare(databases)
    return ids


async def size(databases: Databases, scales: Mapping[str, object]) -> None:
    """Give accounts their scale, and the segment of their name."""
    async with databases.worker.transaction(grant_all()) as tx:
        for key, scale in scales.items():
            attributes = msgspec.json.encode({SCALE: scale}).decode()
            await tx.execute(_SIZED, {"key": key, "segment": segment_of(key), "attributes": attributes})


async def compare(databases: Databases) -> int:
    """A run to its end; in how many steps."""
    return len([None async for _ in compare_accounts(databases.worker, grant_all())])


async def agree(databases: Databases, ids: Mapping[str, int]) -> None:
    """Five accounts of one segment validate what a minute is worth, and accounts are compared anew."""
    for key, value in AGREED.items():
        async with databases.worker.transaction(grant_all()) as tx:
            statement = Statement("per_minute", Range.point(Decimal(value)), "USD/minute", EVER, "payroll")
            entry = await record.state_value(tx, ids[key], Action.PROPOSE, statement, SUPPLIER, NOW)
            await record.validate(tx, ids[key], entry.entry_id, VALIDATOR, NOW, TODAY)
    await compare(databases)


__all__ = ["NOW", "PROSPECT", "SCALE", "agree", "compare", "compared", "model", "segment_of", "sent", "size"]
