"""The data folder: its places, its locks and its private files."""

import fcntl
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from valueplatform.core.errors import InstallationError

GATE_PATIENCE = 180.0  # seconds: longer than anyone may take to start or to stop
TICK = 0.005  # seconds between two looks at a file or a lock

# sun_path holds 107 bytes and a zero on Linux, 103 on macOS; other characters mean something in a URL.
SOCKET_PATH_BYTES = 103
SOCKET_NAME = ".s.PGSQL.5432"
PLAIN_PATH = re.compile(r"/[A-Za-z0-9/._-]*")


def try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Home:
    """The data folder and the places in it."""

    path: Path

    @property
    def cluster(self) -> Path:
        return self.path / "postgres"

    @property
    def log(self) -> Path:
        return self.path / "postgres.log"

    def prepare(self) -> None:
        """Make the folder. Root makes it traversable, since its server may run as another user."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)
        except OSError as error:
            raise self.unusable(error) from error

    def unusable(self, error: OSError) -> InstallationError:
        place = error.filename or self.path
        return InstallationError(
            f"The data folder {self.path} cannot be used: {error.strerror or error} ({place}). "
            "Give a folder that you may write with --data-dir or VALUEPLATFORM_DATA_DIR."
        )

    def open(self, name: str, flags: int = 0) -> int:
        """Open or make a private file of the data folder's owner (root may be the one who asks)."""
        try:
            descriptor = os.open(self.path / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | flags, 0o600)
            if os.geteuid() == 0:
                owner = self.path.stat()
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
        except OSError as error:
            raise self.unusable(error) from error
        return descriptor

    @contextmanager
    def gate(self) -> Iterator[None]:
        """One at a time, over all processes; waits for as long as another may need to start and stop."""
        descriptor = self.open("gate.lock")
        try:
            until = time.monotonic() + GATE_PATIENCE
            while not try_lock(descriptor):
                if time.monotonic() > until:
                    raise InstallationError(
                        f"Another process has been starting or stopping the database in {self.path} for too "
                        f"long. See {self.log}, end the process that holds {self.path / 'gate.lock'}, try again."
                    )
                time.sleep(TICK)
            yield
        finally:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def socket_dir(self) -> Path:
        """In the data folder if that makes a usable socket path, else short and by hash."""
        inside = self.path / "socket"
        if PLAIN_PATH.fullmatch(str(inside)) and len(str(inside / SOCKET_NAME)) <= SOCKET_PATH_BYTES:
            return inside
        name = f"valueplatform-{os.geteuid()}-{sha256(os.fsencode(self.path)).hexdigest()[:16]}"
        for base in (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"):  # noqa: S108 - 0700
            path = Path(base) / name
            fits = PLAIN_PATH.fullmatch(str(path)) and len(str(path / SOCKET_NAME)) <= SOCKET_PATH_BYTES
            if fits and os.access(base, os.W_OK | os.X_OK):
                return path
        raise InstallationError(
            f"The path of the data folder {self.path} is too long for a unix socket, and no short folder may be "
            "written instead. Set TMPDIR to a short folder that you may write, or use a shorter --data-dir."
        )

    def log_tail(self, lines: int = 15) -> str:
        with suppress(OSError):
            said = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
            return "\n".join(("", f"{self.log} ends with:", *said))
        return ""
