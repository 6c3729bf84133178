"""What the service counts about itself, for Prometheus. No label carries an account, a key or a person."""

import os
import time
from functools import lru_cache
from typing import Final

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from valueplatform.telemetry.requests import Report

SHARED_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder in which the processes of one server put their counts together."""

UNROUTED: Final = "(none)"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_STARTED: Final = "valueplatform.started"
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Measures:
    """The counts of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "valueplatform_http_requests",
            "Requests answered, by method, route and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "valueplatform_http_request_seconds",
            "Seconds from the request's routing to the start of its answer.",
            ["method", "route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._events = Counter(
            "valueplatform_events",
            "Events received over HTTP, by what became of them.",
            ["outcome"],
            registry=self.registry,
        )
        # To look a child up by its labels takes 2 us, ten times as long as to count.
        self._answered = lru_cache(maxsize=1024)(self._requests.labels)
        self._taking = lru_cache(maxsize=1024)(self._seconds.labels)
        self._became = lru_cache(maxsize=16)(self._events.labels)

    async def before_send(self, message: Message, scope: Scope) -> None:
        """Counts every answer, those to unknown addresses too."""
        if message["type"] != "http.response.start":
            return
        method = str(scope.get("method"))
        method = method if method in _METHODS else "other"
        route = str(scope.get("path_template") or UNROUTED)
        self._answered(method, route, str(message["status"])).inc()
        started = scope["state"].get(_STARTED)
        if isinstance(started, float):
            self._taking(method, route).observe(time.perf_counter() - started)

    def ingested(self, report: Report) -> None:
        for outcome in ("stored", "duplicates", "conflicts"):
            if count := getattr(report, outcome):
                self._became(outcome).inc(count)
        if report.rejections:
            self._became("rejected").inc(len(report.rejections))

    def exposition(self) -> bytes:
        """In Prometheus' text form; over all processes of the server where they share a folder."""
        if not os.environ.get(SHARED_FOLDER):
            return generate_latest(self.registry)
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]  # the library has no types there
        return generate_latest(shared)


class Timed(ASGIMiddleware):
    """Notes when a request was routed."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        scope["state"][_STARTED] = time.perf_counter()
        await next_app(scope, receive, send)
