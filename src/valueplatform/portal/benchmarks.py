"""How an account compares with others: each driver, and what the top quarter does."""

from litestar import Response, get

from valueplatform.core.authorization import Action
from valueplatform.portal.benchmark_view import benchmarks_view
from valueplatform.portal.calling import Key, PortalRequest, both, place_of
from valueplatform.portal.frame import account_shell
from valueplatform.portal.portal import Shared
from valueplatform.value.benchmark_read import read_benchmarks


@get(both("/benchmarks"))
async def benchmarks_page(request: PortalRequest, portal: Shared, key: Key = None) -> Response[str]:
    async with portal.door.entered(request) as caller:
        place = await place_of(caller, key, Action.READ_VALUE)
        found = await read_benchmarks(caller.tx, place.account)
        shell = await account_shell(caller, place, "/story")
    return portal.pages.page("benchmarks.html", shell=shell, benchmarks=benchmarks_view(found, place))


HANDLERS = (benchmarks_page,)
