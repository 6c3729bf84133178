"""The server as a process of its own, on the database of a test."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.commands.test_serve import free_port, until_ready


@contextmanager
def running_server(database_url: str) -> Iterator[str]:
    """Its address, once it is ready."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "valueplatform", "serve", "--port", str(port)]
    environment = {**os.environ, "DATABASE_URL": database_url}
    with subprocess.Popen(command, env=environment, start_new_session=True) as process:
        try:
            until_ready(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(30)
