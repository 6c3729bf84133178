"""Whether a write comes from a page of our own: a second line behind the token of the session.

Browsers say so in `Sec-Fetch-Site`, on addresses that they trust; older ones, and all of them on plain HTTP elsewhere,
send `Origin` with what may change something. A request with neither is no browser's; it still needs the token.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from valueplatform.core.errors import ForbiddenError

_OWN: Final = frozenset({"same-origin", "none"})


def require_own_origin(headers: Mapping[str, str], public_url: str) -> None:
    """Raises ForbiddenError for a request that a page of another origin sent. `headers` by lower-case name."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        own = site in _OWN
    elif origin is not None:
        own = origin == _origin(public_url) or urlsplit(origin).netloc == headers.get("host", "")
    else:
        own = True
    if not own:
        raise ForbiddenError("This request was sent by a page of another site, so it was not carried out.")


def _origin(url: str) -> str:
    address = urlsplit(url)
    return f"{address.scheme}://{address.netloc}"
