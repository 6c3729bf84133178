"""A rejected event tried again, by the dialect that it came in by and under the model in force."""

from datetime import datetime

from valueplatform.core.database import Database
from valueplatform.core.errors import InvalidInputError, UnprocessableError
from valueplatform.core.scope import no_accounts
from valueplatform.telemetry.dialects import replayed
from valueplatform.telemetry.group_commit import GroupCommitter
from valueplatform.telemetry.otlp_accounts import section_in_force
from valueplatform.telemetry.rejections import RejectedEvent, first_sender
from valueplatform.telemetry.requests import IngestRequest, Report


async def replay(
    database: Database, committer: GroupCommitter, rejected: RejectedEvent, received_at: datetime
) -> Report:
    """Whoever asks for it, it stays the event of its sender. `database` is in the ingest role.

    Raises UnprocessableError for what never was an event, and what `GroupCommitter.commit` raises.
    """
    async with database.transaction(no_accounts()) as tx:
        sender = await first_sender(tx, rejected)
        section = await section_in_force(tx)
    try:
        parsed = replayed(rejected.origin, rejected.body, rejected.received_at, received_at, section)
    except InvalidInputError as error:
        raise UnprocessableError(f"This one cannot be replayed: {error.message} Send it again, mended.") from error
    request = IngestRequest(
        sender,
        received_at,
        parsed.events,
        parsed.rejections,
        size=len(rejected.body),
        replayed=rejected.rejected_id,
    )
    return await committer.commit(request)
