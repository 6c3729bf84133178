"""Event files that were good before they were damaged: each line goes in, is kept with its reason, or the file is
refused whole before anything is stored."""

import gzip
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.conftest import Databases
from tests.telemetry.damage import damaged
from tests.telemetry.factories import NOW, apply_meters, recounted, rows, scalar, stored_rollups
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.scope import no_accounts
from valueplatform.telemetry.importing import import_events
from valueplatform.value.verify import verify_intake

TIMES: Final = int(os.environ.get("VALUEPLATFORM_TEST_TIMES", "1"))
"""More of them: `VALUEPLATFORM_TEST_TIMES=50 pytest tests/telemetry/test_damaged_files.py`."""
USED: Final = [
    {"id": f"{n}", "type": "job.done", "account": "acme", "time": time, "subject": "kim", "minutes": 1.5, "team": "ä"}
    for n, time in enumerate(["2026-05-04T10:00:00Z", "2026-05-05", "2026-05-06 09:30", "2026-05-07T00:00:00+14:00"])
]  # fmt: skip
NDJSON: Final = "\n".join(json.dumps({**row, "data": {"deep": [[1, {"a": None}]], "channel": "app"}}) for row in USED)
CSV: Final = "\r\n".join([",".join(USED[0]), *(",".join(f'"{value}"' for value in row.values()) for row in USED)])
PLAIN_CSV: Final = "\n".join([";".join(USED[0]), *(";".join(map(str, row.values())) for row in USED)])
PACKINGS: Final[tuple[Callable[[bytes], bytes], ...]] = (
    bytes,
    lambda content: gzip.compress(content, 1),
    lambda content: gzip.compress(content, 1)[:-9],
)
ALL: Final = "SELECT * FROM events"


@pytest.fixture
async def sound(databases: Databases) -> AsyncIterator[Databases]:
    """Whatever was imported, the record is whole afterward."""
    await apply_meters(databases)
    yield databases
    assert await stored_rollups(databases) == await recounted(databases)
    async with databases.ingest.transaction(no_accounts(), steady=True) as tx:
        assert await verify_intake(tx) == []
    assert await scalar(databases, "SELECT count(*) FROM event") > 0


@seed(6)
@settings(
    max_examples=40 * TIMES,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(damaged(*(text.encode() for text in (NDJSON, CSV, PLAIN_CSV))), st.sampled_from(PACKINGS))
async def test_a_damaged_file_is_taken_line_by_line_or_refused(
    sound: Databases, tmp_path: Path, content: bytes, packed: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "events"
    path.write_bytes(packed(content))
    before = await rows(sound, "SELECT count(*) AS tallies FROM ingest_tally")
    try:
        report = await import_events(sound.ingest, {"events": path}, ALL, lambda: NOW)
    except InvalidInputError:
        assert await rows(sound, "SELECT count(*) AS tallies FROM ingest_tally") == before
        return
    assert report.received == report.stored + report.duplicates + report.conflicts + len(report.rejections)
    assert all(one.code and one.message for one in report.rejections)
