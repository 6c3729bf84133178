"""Data folders in awkward places."""

import os
import stat
from pathlib import Path

import pytest

from tests.core.embedded.users import FAST, enter_and_leave, lives, query, socket_dir
from valueplatform.core.embedded import running
from valueplatform.core.embedded.home import Home
from valueplatform.core.errors import InstallationError


@pytest.mark.parametrize("name", ["n" * 150, "with space", "a,b:c", "données"])
def test_a_folder_whose_path_suits_no_socket_works_all_the_same(data_dir: Path, name: str) -> None:
    with running(data_dir / name, settings=FAST) as database:
        folder = socket_dir(database.url)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert len(os.fsencode(folder / ".s.PGSQL.5432")) <= 107
        assert query(database, "SELECT 1") == 1
    assert not lives(data_dir / name)
    assert not folder.exists()


def test_a_stand_in_for_the_short_socket_folder_is_refused(data_dir: Path) -> None:
    home = Home(data_dir / ("n" * 150))
    home.socket_dir().symlink_to(data_dir.parent)
    try:
        with pytest.raises(InstallationError, match=r"valueplatform-.* belongs to another user or is no folder"):
            enter_and_leave(home.path)
    finally:
        home.socket_dir().unlink()


def test_a_link_to_the_folder_is_the_same_folder(data_dir: Path) -> None:
    link = data_dir.with_name("link")
    link.symlink_to(data_dir)
    with running(data_dir, settings=FAST) as database, running(link, settings=FAST) as same:
        assert same == database


def test_a_file_where_the_folder_should_be_is_named(data_dir: Path) -> None:
    data_dir.write_text("")
    with pytest.raises(InstallationError, match=r"data folder .*/data/db cannot be used: File exists .*--data-dir"):
        enter_and_leave(data_dir / "db")
    data_dir.unlink()
