"""Bringing one account up to date as the worker does: value, insights with the steward's concerns, story, standing."""

from datetime import datetime

from tests.conftest import Databases
from valueplatform.core.authorization import accounts_or_all
from valueplatform.narrative.document import Audience
from valueplatform.narrative.faithful import admit, rederive
from valueplatform.narrative.gathering import gather
from valueplatform.narrative.insights import discover
from valueplatform.narrative.store import save_insights, save_story
from valueplatform.narrative.story import compose
from valueplatform.stewardship.signals import concerns
from valueplatform.stewardship.standing import AccountStanding, refresh_standing
from valueplatform.value.refreshing import refresh_value


async def refresh(databases: Databases, account_id: int, now: datetime) -> AccountStanding:
    async with databases.worker.transaction(accounts_or_all([account_id])) as tx:
        await refresh_value(tx, account_id, now)
        facts = await gather(tx, account_id, now)
        found = [*discover(facts), *concerns(facts)]
        admitted, refused = admit(found, await rederive(tx, account_id, found))
        assert not refused, refused
        await save_insights(tx, account_id, admitted, now)
        document = compose(facts, admitted, Audience.STEWARD)
        for audience in (Audience.CUSTOMER, Audience.STEWARD):
            await save_story(tx, account_id, compose(facts, admitted, audience), now)
        return await refresh_standing(tx, account_id, facts, admitted, document, now)
