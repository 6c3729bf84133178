"""One step of the worker: some drafts are put to the model, and what holds is told from then on."""

from datetime import datetime
from typing import Final

import httpx
import structlog

from valueplatform.core.database import Database
from valueplatform.core.scope import Scope
from valueplatform.core.settings import RewordingSettings
from valueplatform.narrative.rewording.acceptance import problems
from valueplatform.narrative.rewording.model import TIMEOUT, LanguageModel, ModelError
from valueplatform.narrative.rewording.store import Wanted, forget_old, keep_answer, keep_failure, take
from valueplatform.telemetry.marks import Stretch, mark_days

CAUSE: Final = "wording"
AT_ONCE: Final = 10
MOST_KEPT: Final = 2000
"""Characters of an answer that are kept, to see what a model does."""
_log = structlog.get_logger(__name__)


async def reword_some(database: Database, scope: Scope, settings: RewordingSettings, now: datetime) -> int:
    """Ask for the drafts that are due, ten at most; how many. No transaction is open while the model thinks."""
    async with database.transaction(scope) as tx:
        await forget_old(tx, now)
        waiting = await take(tx, now, AT_ONCE)
    async with httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False) as client:
        model = LanguageModel(settings, client)
        for wanted in waiting:
            await _ask(database, scope, model, wanted, now)
    return len(waiting)


async def _ask(database: Database, scope: Scope, model: LanguageModel, wanted: Wanted, now: datetime) -> None:
    name = model.settings.model
    try:
        answer = await model.reworded(wanted.draft)
    except ModelError as error:
        _log.warning("sentence not reworded", account=wanted.account_id, problem=str(error), tries=wanted.tries)
        async with database.transaction(scope) as tx:
            await keep_failure(tx, wanted, str(error), name, now)
        return
    refused = problems(wanted.draft, answer)
    async with database.transaction(scope) as tx:
        await keep_answer(tx, wanted, answer[:MOST_KEPT], refused, name, now)
        if not refused and answer != wanted.draft:
            day = now.date()
            await mark_days(await tx.driver(), [Stretch(wanted.account_id, day, day)], CAUSE)
    if refused:
        _log.info("rewording refused", account=wanted.account_id, problems=refused)
