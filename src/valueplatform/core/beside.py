"""Tasks that run beside somebody's main work, at most one of a name at a time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Beside:
    """Whoever starts tasks here ends them."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def is_running(self, name: str) -> bool:
        return name in self._tasks and not self._tasks[name].done()

    def start(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Does nothing while the one of that name is running."""
        if not self.is_running(name):
            self._tasks[name] = asyncio.create_task(work())

    async def finished(self) -> None:
        """When all that were started have ended."""
        if self._tasks:
            await asyncio.wait(self._tasks.values())

    async def end(self) -> None:
        """Cancel all, and wait until they are gone."""
        for task in self._tasks.values():
            task.cancel()
        await self.finished()
