"""Starting, finding and stopping the server of one data folder."""

import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from valueplatform.core.embedded.home import SOCKET_NAME, TICK, Home, try_lock
from valueplatform.core.embedded.program import MAJOR, Program, find_program
from valueplatform.core.errors import InstallationError

START_PATIENCE = 120.0  # seconds: recovery after a crash replays up to max_wal_size
STOP_PATIENCE = 30.0  # seconds, for a fast shutdown and its checkpoint; then an immediate one
ANSWER_PATIENCE = 1.0  # seconds, then asked again
REVIVAL_REST = 1.0  # seconds between two tries to start a server that ended by itself
RETRY_PATIENCE = 3.0  # seconds that the remains of a killed server may hold its shared memory
TLS_REQUEST = struct.pack("!II", 8, 80877103)  # PostgreSQL's frontend protocol, message SSLRequest

SETTINGS: Mapping[str, str] = {
    "max_connections": "100",
    "shared_buffers": "128MB",
    "jit": "off",  # our statements are short: compiling them costs more than it gains
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


class Server:
    """The server of one home. Every method is called with the gate held, but for `kept`."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: threading.Thread | None = None
        self._in_use = False
        self._left = threading.Event()

    def ensure(self, settings: Mapping[str, str]) -> str:
        """Start the server unless it lives, wait until it is ready; its socket folder."""
        until = time.monotonic() + START_PATIENCE
        retry_until = time.monotonic() + RETRY_PATIENCE
        attempts = 0
        while time.monotonic() < until:
            claim = self._claim()
            if claim is None:
                if socket_dir := self._ready_at():
                    return socket_dir
            else:
                try:
                    if attempts and not (self._shares_with_the_dead() and time.monotonic() < retry_until):
                        raise InstallationError(
                            f"The embedded PostgreSQL in {self.home.cluster} does not start.{self.home.log_tail()}"
                        )
                    attempts += 1
                    self._start(settings, claim)
                except OSError as error:
                    raise self.home.unusable(error) from error
                finally:
                    os.close(claim)
            time.sleep(TICK)
        raise InstallationError(
            f"The embedded PostgreSQL in {self.home.cluster} was not ready after {START_PATIENCE:.0f} s; it may "
            f"still be recovering: try again.{self.home.log_tail()}"
        )

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Meanwhile, a server that this user started and that ends by itself is started again: killed, or because the
        disk of its log was full, as soon as there is room. One that was stopped in order stays so."""
        self._in_use = True
        try:
            yield
        finally:
            self._in_use = False
            self._left.set()

    def _keep(self, settings: Mapping[str, str]) -> None:
        """Collect the exit of the server that was started here, or a zombie stays; and see that it goes on."""
        while process := self._process:
            code = process.wait()
            if code == 0 or not self._in_use:
                return
            structlog.wrap_logger(structlog.PrintLogger(sys.stderr)).warning(
                "the embedded PostgreSQL ended by itself; starting it again", code=code, log=str(self.home.log)
            )
            while not self._revived(settings):
                if self._left.wait(REVIVAL_REST):
                    return
            if self._process is process:
                return  # another user was faster, and keeps it

    def _revived(self, settings: Mapping[str, str]) -> bool:
        try:
            with self.home.gate():
                if self._in_use:
                    self.ensure(settings)
        except InstallationError:
            return False
        return True

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, a checkpoint is written. Returns when no process of it is left."""
        socket_dir = self._ready_at()
        for how, patience in ((signal.SIGINT, STOP_PATIENCE), (signal.SIGQUIT, 10.0)):
            until = time.monotonic() + patience
            told = False
            while time.monotonic() < until:
                claim = self._claim()
                if claim is not None:
                    os.close(claim)
                    if self._keeper is not None:
                        self._keeper.join(timeout=5)
                    if socket_dir:
                        with suppress(OSError):
                            Path(socket_dir).rmdir()
                    return
                if not told and (pid := self._pid()):
                    with suppress(ProcessLookupError):
                        os.kill(pid, how)
                    told = True
                time.sleep(TICK)
        raise InstallationError(f"The embedded PostgreSQL in {self.home.cluster} does not stop.{self.home.log_tail()}")

    def _claim(self) -> int | None:
        """The server lock, or None while a process of this home's server (or its initdb) is alive."""
        descriptor = self.home.open("server.lock")
        if try_lock(descriptor):
            return descriptor
        os.close(descriptor)
        return None

    def _postmaster_file(self) -> list[str]:
        """Lines: process number, cluster, start time, port, socket folder, address, shared memory, state."""
        with suppress(OSError):
            return (self.home.cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        return []

    def _ready_at(self) -> str | None:
        """The socket folder of a server that answers; the file alone may be that of one just killed."""
        match self._postmaster_file():
            case [_, _, _, _, socket_dir, _, _, state] if state.strip() == "ready" and _answers(socket_dir):
                return socket_dir
        return None

    def _pid(self) -> int | None:
        """The postmaster's process number; where /proc can tell, only if that process is a postmaster of ours.

        It is not just after a kill, nor when the server runs in another container on the same folder.
        """
        match self._postmaster_file():
            case [pid, cluster, *_] if pid.isdigit():
                pass
            case _:
                return None
        if Path("/proc/self/cmdline").exists():
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                return None
            if os.fsencode(cluster) not in command.split(b"\0"):
                return None
        return int(pid)

    def _shares_with_the_dead(self) -> bool:
        tail = self.home.log_tail()
        return "is still in use" in tail or "already exists" in tail

    def _start(self, settings: Mapping[str, str], claim: int) -> None:
        """Start the server, not waiting. `claim` proves that none lives: what it left behind is litter."""
        program = find_program(self.home.path, self.home.cluster)
        self._refuse_other_versions()
        if not self.home.cluster.exists():
            self._create(program, settings, claim)
        program.give(self.home.cluster)
        socket_dir = self._prepare_socket_dir(program)
        (self.home.cluster / "postmaster.pid").unlink(missing_ok=True)
        if self.home.log.exists():
            self.home.log.replace(self.home.log.with_suffix(".log.1"))
        fixed = {
            "listen_addresses": "",
            "port": "5432",
            "unix_socket_directories": str(socket_dir),
            "unix_socket_permissions": "0700",
        }
        log = self.home.open(self.home.log.name, os.O_APPEND)
        try:
            process = program.start(
                "postgres",
                "-D",
                str(self.home.cluster),
                *(f"--{name}={value}" for name, value in {**settings, **fixed}.items()),
                output=log,
                keep=claim,
            )
        finally:
            os.close(log)
        if self._process is not None:
            self._process.wait()  # gone, as the claim proves; only its exit is to be collected
        self._process = process
        if threading.current_thread() is not self._keeper:
            self._keeper = threading.Thread(target=self._keep, args=(settings,), name="embedded-postgres", daemon=True)
            self._keeper.start()

    def _refuse_other_versions(self) -> None:
        cluster = self.home.cluster
        if not cluster.exists():
            return
        try:
            found = (cluster / "PG_VERSION").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            raise InstallationError(
                f"{cluster} is not the data of a PostgreSQL (it has no PG_VERSION). Move it away, or use another "
                "--data-dir."
            ) from None
        if found != MAJOR:
            raise InstallationError(
                f"{cluster} was written by PostgreSQL {found}; this release embeds PostgreSQL {MAJOR}, which cannot "
                f"read it. Export it with pg_dump of PostgreSQL {found} and load that into a new --data-dir."
            )

    def _create(self, program: Program, settings: Mapping[str, str], claim: int) -> None:
        """Run initdb beside the final name, so that a cluster is there whole or not at all."""
        draft = self.home.path / "postgres.new"
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(mode=0o700)
        program.give(draft)
        flags = ["--no-sync"] if settings.get("fsync") == "off" else []
        log = self.home.open(self.home.log.name, os.O_TRUNC)
        try:
            process = program.start(
                "initdb",
                f"--pgdata={draft}",
                "--username=postgres",
                "--auth=trust",  # the 0700 socket folder is the door; peer fails where root is mapped
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",  # PostgreSQL's own: sorts alike on every system
                "--no-instructions",
                *flags,
                output=log,
                keep=claim,
            )
            code = _finished(process)
        finally:
            os.close(log)
        if code != 0:
            raise InstallationError(
                f"A new PostgreSQL cannot be made in {self.home.path} (initdb ended with {code}): free some space, "
                f"or use another --data-dir.{self.home.log_tail()}"
            )
        draft.rename(self.home.cluster)
        _make_durable(self.home.path)

    def _prepare_socket_dir(self, program: Program) -> Path:
        """A 0700 folder that belongs to the server's user, rid of a dead server's socket."""
        path = self.home.socket_dir()
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), program.uid}:
            raise InstallationError(
                f"{path} should be the folder of the database's socket, but belongs to another user or is no "
                "folder. Remove it, or set TMPDIR to a folder of your own."
            )
        path.chmod(0o700)
        for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
            (path / name).unlink(missing_ok=True)
        program.give(path)
        return path


def _answers(socket_dir: str) -> bool:
    """Ask whether it speaks TLS, the one question that every PostgreSQL answers without knowing who asks."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, suppress(OSError):
        connection.settimeout(ANSWER_PATIENCE)
        connection.connect(f"{socket_dir}/{SOCKET_NAME}")
        connection.sendall(TLS_REQUEST)
        return connection.recv(1) in {b"N", b"S"}
    return False


def _make_durable(folder: Path) -> None:
    """The names in it outlast a power cut; else a cluster in use might come back under its draft's name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _finished(process: "subprocess.Popen[bytes]") -> int:
    """Its exit code; an impatient Ctrl-C ends it too."""
    try:
        return process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
