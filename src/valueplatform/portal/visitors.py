"""How often somebody who is not signed in may ask, by the address at the other end of the connection.

Each address has a bucket of `BURST` questions that fills up by `A_MINUTE`. Behind a proxy everybody shares the proxy's
address, since nothing that it claims is believed; so the bucket is large, and what a question costs is small. Kept in
this process: of several, each has its own.
"""

from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from time import monotonic
from typing import Final

from valueplatform.core.errors import OverloadedError

A_MINUTE: Final = 120
BURST: Final = 60
MOST: Final = 10_000
"""Addresses that are remembered; the one that asked longest ago is forgotten first."""


class Visitors:
    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def admit(self, address: str) -> None:
        """Raises OverloadedError where the address has asked too often."""
        now = self._clock()
        left, at = self._seen.pop(address, (float(BURST), now))
        left = min(float(BURST), left + (now - at) * A_MINUTE / 60)
        self._seen[address] = (left - 1 if left >= 1 else left, now)
        while len(self._seen) > MOST:
            self._seen.popitem(last=False)
        if left < 1:
            wait = ceil((1 - left) * 60 / A_MINUTE)
            raise OverloadedError("Too many estimates were asked for from here; wait a moment.", retry_after=wait)
