"""The server as a process of its own, on a database of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from valueplatform.api.measuring import SHARED_FOLDER
from valueplatform.commands.serve import COUNTS_FOLDER


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(data_dir: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_URL", "VALUEPLATFORM"))}
    return {**kept, "VALUEPLATFORM_DATA_DIR": str(data_dir)}


@contextmanager
def serving(data_dir: Path, *options: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    port = free_port()
    command = [sys.executable, "-m", "valueplatform", "serve", "--port", str(port), *options]
    with subprocess.Popen(command, env=environment(data_dir), start_new_session=True) as server:
        try:
            yield f"http://127.0.0.1:{port}", server
        finally:
            if server.poll() is None:
                server.terminate()
            server.wait(30)


def until_ready(base_url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"{base_url}/readyz").is_success:
                return
        except httpx.TransportError:
            pass
        assert server.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server did not get ready"
        time.sleep(0.1)


def is_stopped_with_its_database(data_dir: Path, server: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    assert (data_dir / "postgres" / "postmaster.pid").exists()
    server.send_signal(number)
    assert server.wait(30) == 0
    assert not (data_dir / "postgres" / "postmaster.pid").exists()


def test_it_serves_the_embedded_database_and_takes_it_with_it(tmp_path: Path) -> None:
    with serving(tmp_path) as (base_url, server):
        until_ready(base_url, server)
        assert httpx.get(f"{base_url}/api/v1/accounts").status_code == 401
        is_stopped_with_its_database(tmp_path, server, signal.SIGINT)


def test_several_processes_serve_and_count_together_and_end_together(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "2") as (base_url, server):
        until_ready(base_url, server)
        for _ in range(40):
            assert httpx.get(f"{base_url}/healthz").status_code == 200
        line = 'valueplatform_http_requests_total{method="GET",route="/healthz",status="200"} 40.0'
        assert line in httpx.get(f"{base_url}/metrics").text
        is_stopped_with_its_database(tmp_path, server, signal.SIGTERM)
    assert COUNTS_FOLDER == SHARED_FOLDER


def test_a_port_that_is_taken_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "valueplatform", "serve", "--port", port]
        ran = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert f"Port {port} of 127.0.0.1 cannot be used" in ran.stderr
    assert not (tmp_path / "postgres").exists()
