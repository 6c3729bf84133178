import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.core.embedded.users import Enter, User, lives
from valueplatform.core.embedded.home import Home
from valueplatform.core.embedded.server import Server


@pytest.fixture
def enter() -> Iterator[Enter]:
    users: list[User] = []

    def start(data_dir: Path, behind: Sequence[str] = ()) -> User:
        users.append(User(data_dir, behind))
        return users[-1]

    yield start
    for user in users:
        user.close()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder that every user may reach, unlike pytest's; nothing runs in it when the test has ended."""
    parent = Path(tempfile.mkdtemp(prefix="vp-"))
    parent.chmod(0o711)
    yield parent / "data"
    left_behind = [lock.parent for lock in parent.rglob("server.lock") if lives(lock.parent)]
    for home in left_behind:
        Server(Home(home)).stop()
    shutil.rmtree(parent)
    assert not left_behind, "the test left a server behind"
