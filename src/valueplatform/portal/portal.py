"""What all handlers of the portal share, made once by the composition root."""

from dataclasses import dataclass, field

from litestar.di import NamedDependency, Provide

from valueplatform.core.clock import Clock
from valueplatform.core.database import Database
from valueplatform.portal.answers import Pages
from valueplatform.portal.calling import Door
from valueplatform.portal.live import LiveStories
from valueplatform.portal.templating import environment
from valueplatform.portal.visitors import Visitors
from valueplatform.stewardship.digests.sending import Means


@dataclass(frozen=True, slots=True)
class Portal:
    door: Door
    pages: Pages
    live: LiveStories
    clock: Clock
    public_url: str
    means: Means
    visitors: Visitors = field(default_factory=Visitors)

    @classmethod
    def over(cls, web: Database, clock: Clock, public_url: str, means: Means | None = None) -> "Portal":
        """The portal over the database in the web role; `public_url` is where browsers reach it, `means` what digests
        are sent with."""
        sent_with = means or Means(public_url)
        return cls(
            Door(web, clock, public_url), Pages(environment()), LiveStories(web.url), clock, public_url, sent_with
        )


Shared = NamedDependency[Portal]


def provided(portal: Portal) -> dict[str, Provide]:
    """What handlers take by name."""

    def provide_portal() -> Portal:
        return portal

    return {"portal": Provide(provide_portal, sync_to_thread=False)}
