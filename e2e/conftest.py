"""The whole product as a person meets it: PostgreSQL, server and worker as processes of their own, and a Chromium.

One sample supplier a run, loaded by the demo's own command. No page of any journey may write an error to the console,
which is where a browser also tells what the content security policy refused.
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from e2e import chromium
from tests.conftest import FAST
from valueplatform.accounts.accounts import ids_of
from valueplatform.commands.context import connect, upgrade_schema
from valueplatform.core.authorization import KeyKind, operator_scope
from valueplatform.core.clock import system_clock
from valueplatform.core.database import Database, Role
from valueplatform.core.embedded import running
from valueplatform.core.keys import SUPPLIER, KeyGrant, create_key
from valueplatform.core.settings import Settings
from valueplatform.core.sign_in import create_link
from valueplatform.core.users import user_by_email

T = TypeVar("T")

ACCOUNT = "harbor-logistics"
OTHER_ACCOUNT = "northline-elevators"
SPONSOR = "daniel.reyes@harbor-logistics.example"
VALIDATOR = "ana.brandt@harbor-logistics.example"
STEWARD = "maya.okafor@fieldnote.example"
STARTING = 60.0
STOPPING = 15.0
PATIENCE = 10_000
"""Milliseconds that a page may take to show what is expected of it."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a Chromium the journeys are left out, with the cure."""
    own = [item for item in items if Path(__file__).parent in item.path.parents]
    if own and chromium.find() is None:
        for item in own:
            item.add_marker(pytest.mark.skip(reason=chromium.CURE))


@dataclass(frozen=True)
class Platform:
    """A running installation."""

    base_url: str
    database_url: str

    def link(self, email: str) -> str:
        """A one-time sign-in link, as `valueplatform user link` makes them."""

        async def make(database: Database) -> str:
            async with database.transaction(operator_scope()) as tx:
                return await create_link(tx, await user_by_email(tx, email), system_clock)

        return f"/sign-in/{self.run(make)}"

    def key(self, kind: KeyKind, *accounts: str, provider: str = SUPPLIER) -> str:
        """A key as `valueplatform key create` makes them; without accounts for all."""

        async def make(database: Database) -> str:
            async with database.transaction(operator_scope()) as tx:
                ids = await ids_of(tx, accounts) if accounts else None
                name = f"{kind} {time.monotonic_ns()}"
                return (await create_key(tx, KeyGrant(kind, name, provider=provider, account_ids=ids))).key

        return self.run(make)

    def run(self, work: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
        """Playwright has the event loop of this thread."""

        async def alone() -> T:
            database = Database(self.database_url, Role.WORKER)
            try:
                return await work(database)
            finally:
                await database.dispose()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, alone()).result()


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """Eight accounts of the sample with eight months of history, served."""
    with tempfile.TemporaryDirectory(prefix="vp-e2e-") as folder, running(Path(folder), settings=FAST) as server:
        _migrate(server.url)
        port = _free_port()
        base_url = f"http://127.0.0.1:{port}"
        environment = {**os.environ, "DATABASE_URL": server.url, "VALUEPLATFORM_PUBLIC_URL": base_url}
        sample = ["--accounts", "8", "--days", "240", "--seed", "7", "--port", str(port), "--load-only"]
        subprocess.run([*_COMMAND, "demo", *sample], env=environment, check=True, capture_output=True, timeout=300)
        with _process(environment, "serve", "--port", str(port)) as serving, _process(environment, "worker"):
            _wait_until_ready(base_url, serving)
            yield Platform(base_url, server.url)


_COMMAND = (sys.executable, "-m", "valueplatform")


def _migrate(url: str) -> None:
    async def migrate() -> None:
        databases = connect(Settings(url, Path()), url)
        await upgrade_schema(databases)
        await databases.dispose()

    asyncio.run(migrate())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _process(environment: dict[str, str], *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([*_COMMAND, *arguments], env=environment, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOPPING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            pytest.fail(f"`valueplatform {arguments[0]}` did not end within {STOPPING:.0f} s of being told to")


def _wait_until_ready(base_url: str, serving: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline and serving.poll() is None:
        try:
            if httpx.get(f"{base_url}/readyz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the server did not start")


@pytest.fixture(scope="session")
def base_url(platform: Platform) -> str:
    return platform.base_url


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {
        **browser_type_launch_args,
        "executable_path": chromium.find(),
        "args": chromium.launch_arguments(),
    }


@dataclass
class Watch:
    """What went wrong on any page of a journey. `allowed` are beginnings of messages that a journey provokes."""

    faults: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("response", lambda answer: self._answer(answer.status, answer.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(f"console: {message.text}")

    def _answer(self, status: int, url: str) -> None:
        if status >= 500:
            self.faults.append(f"{status}: {url}")

    @property
    def unexpected(self) -> list[str]:
        return [fault for fault in self.faults if not fault.startswith(tuple(self.allowed))]


@pytest.fixture
def watch() -> Iterator[Watch]:
    watching = Watch()
    yield watching
    assert watching.unexpected == []


SignIn = Callable[..., Page]


@pytest.fixture
def sign_in(platform: Platform, browser: Browser, watch: Watch) -> Iterator[SignIn]:
    """Signs somebody in, in a browser context of their own; options are those of a context (viewport, …)."""
    contexts: list[BrowserContext] = []

    def enter(email: str, **options: Any) -> Page:
        context = browser.new_context(base_url=platform.base_url, **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        watch.follow(page)
        page.goto(platform.link(email))
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("button", name="account menu")).to_be_visible()
        page.wait_for_load_state()
        return page

    yield enter
    for context in contexts:
        context.close()
