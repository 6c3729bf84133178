"""An account with a steward, a champion, a sponsor and an economic buyer, whose stories are told version by version."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import insert, text

from tests.conftest import Databases
from tests.core.factories import SetClock
from tests.stewardship.factories import account, document, model, people, sentence, tell
from valueplatform.accounts.people import as_person
from valueplatform.core.authorization import PersonRole, UserPrincipal, UserRole, operator_scope, scope_of
from valueplatform.core.tables import user
from valueplatform.core.users import user_by_email
from valueplatform.narrative.document import Audience, Sentence
from valueplatform.stewardship.digests.choice import Cadence, Channel, Choice, save_choice
from valueplatform.stewardship.digests.due import queue_next
from valueplatform.stewardship.digests.marks import begin_marks
from valueplatform.stewardship.digests.sending import Means, send_next
from valueplatform.stewardship.tables import bad_news

MONDAY = datetime(2026, 6, 15, 6, tzinfo=UTC)
"""08:00 in Berlin."""
CHAMPION, SPONSOR, USER, STEWARD = "carl@harbor.example", "dana@harbor.example", "una@harbor.example", "maya@f.example"

DAILY = Choice(channel=Channel.EMAIL, cadence=Cadence.CHANGED, hour=8, timezone="Europe/Berlin")
ROLES = {CHAMPION: PersonRole.CHAMPION, SPONSOR: PersonRole.SPONSOR, USER: PersonRole.USER}
AUDIENCES = (Audience.CUSTOMER, Audience.EXECUTIVE, Audience.STEWARD)


def news(insight_id: str, said: str) -> Sentence:
    return msgspec.structs.replace(sentence(insight_id, said), kind="change")


@dataclass
class Readers:
    databases: Databases
    account_id: int
    clock: SetClock
    told: list[Sentence] = field(default_factory=list)
    version: int = 0

    async def principal(self, email: str) -> UserPrincipal:
        async with self.databases.worker.transaction(operator_scope()) as tx:
            known = await as_person(tx, await user_by_email(tx, email))
        assert isinstance(known, UserPrincipal)
        return known

    async def choose(self, email: str, choice: Choice = DAILY) -> str | None:
        """What the page does, in the web role."""
        person = await self.principal(email)
        async with self.databases.web.transaction(scope_of(person)) as tx:
            secret = await save_choice(tx, person.user_id, choice, self.clock())
            await begin_marks(tx, person, choice, self.clock(), anew=True)
        return secret

    async def tell(self, *sentences: Sentence, **changes: Any) -> int:
        """Another version for every audience, with these sentences added."""
        self.version += 1
        self.told += sentences
        for audience in AUDIENCES:
            story = document(*self.told, audience=audience.value, **changes)
            await tell(self.databases, self.account_id, story, self.version, self.clock())
        return self.version

    async def tell_bad(self, insight_id: str = "ins_bad", said: str = "Savings fell by a third.") -> None:
        """Another version, with bad news in it."""
        await self.tell(news(insight_id, said))
        values = {
            "account_id": self.account_id,
            "insight_id": insight_id,
            "told_at": self.clock(),
            "text": said,
        }
        async with self.databases.worker.transaction(operator_scope()) as tx:
            await tx.execute(insert(bad_news).values(position=0, **values))

    async def look(self) -> None:
        while await queue_next(self.databases.worker, self.clock()):
            pass

    async def serve(self, means: Means, until: timedelta = timedelta()) -> None:
        """Minute by minute, what the service does."""
        end = self.clock() + until
        while True:
            await self.look()
            while await send_next(self.databases.worker, means, self.clock):
                pass
            if self.clock() >= end:
                return
            self.clock.advance(timedelta(minutes=1))

    async def rows(self, query: str) -> list[dict[str, Any]]:
        async with self.databases.worker.transaction(operator_scope()) as tx:
            return [row._asdict() for row in await tx.rows(text(query))]

    async def states(self) -> list[tuple[int, str]]:
        rows = await self.rows("SELECT version, state FROM digest ORDER BY queued_at, version")
        return [(row["version"], row["state"]) for row in rows]

    async def run(self, statement: str, **values: Any) -> None:
        async with self.databases.worker.transaction(operator_scope()) as tx:
            await tx.execute(text(statement), values)


async def readers(databases: Databases, **account_: Any) -> Readers:
    await model(databases)
    account_id = await account(databases, "harbor", **{"name": "Harbor Logistics", **account_})
    await people(databases, account_id, *((email, email, role, None) for email, role in ROLES.items()))
    async with databases.worker.transaction(operator_scope()) as tx:
        for email in ROLES:
            values = {"email": email, "name": email, "role": UserRole.CUSTOMER, "account_ids": [account_id]}
            await tx.execute(insert(user).values(values))
        await tx.execute(insert(user).values(email=STEWARD, name="Maya", role=UserRole.STEWARD))
    return Readers(databases, account_id, SetClock(MONDAY))
