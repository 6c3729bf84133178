"""Where archived files are kept: a folder, or any object store that Polars reads (`s3://`, `gs://`, `az://`).

Files are written once, under names of their own, and never changed. How an object store is signed in to is said by
the environment of each process, in the words of its own tools: of `s3://`, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
AWS_REGION; for a store that is not Amazon's, AWS_ENDPOINT_URL, and AWS_ALLOW_HTTP=true where that is no https. Of
`gs://`, GOOGLE_APPLICATION_CREDENTIALS; of `az://`, AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY.
"""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import obstore
import polars as pl
from obstore.exceptions import BaseError
from obstore.store import from_url

from valueplatform.core.errors import InvalidInputError, UnavailableError

RETRY_AFTER_SECONDS = 30
SIGNED_IN_BY: Final = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
"""By the kind of an address: the variables that say how it is reached."""
_ANSWER: Final = re.compile(r"<Code>(.*?)</Code>.*?<Message>(.*?)</Message>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class KeptFile:
    """`path` is below the root; `size` in bytes."""

    path: str
    size: int
    written_at: datetime


@dataclass(frozen=True, slots=True)
class ArchiveStore:
    """The files below one root: a full path or an address.

    What fails raises UnavailableError, naming the place.
    """

    root: str

    @classmethod
    def at(cls, place: str) -> "ArchiveStore":
        """A folder may be given as it is written on this machine. Raises InvalidInputError for an address of no kind
        that is known."""
        scheme = urlsplit(place).scheme
        if len(scheme) > 1:
            if scheme == "file":
                return cls(urlsplit(place).path.rstrip("/"))
            store = cls(place.rstrip("/"))
            try:
                from_url(store.root)
            except (BaseError, ValueError) as error:
                raise InvalidInputError(
                    f"{place!r} is no place for an archive ({reason(error)}); give a folder, or an address such as "
                    "s3://bucket/folder."
                ) from error
            return store
        return cls(str(Path(place).expanduser().resolve()))

    @property
    def is_folder(self) -> bool:
        return self.root.startswith(os.sep)

    def address(self, path: str) -> str:
        """What Polars reads."""
        return f"{self.root}/{path}"

    def put(self, path: str, content: bytes) -> None:
        """Keep a file; once this returns, it outlives the machine's next power cut."""
        try:
            if self.is_folder:
                _write_durably(Path(self.address(path)), content)
            else:
                obstore.put(from_url(self.root), path, content)
        except (OSError, BaseError) as error:
            raise self._away("written", path, error) from error

    def read(self, path: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """All events of a file, or some columns of them."""
        try:
            return pl.read_parquet(
                self.address(path), columns=None if columns is None else list(columns), hive_partitioning=False
            )
        except (OSError, pl.exceptions.PolarsError) as error:
            raise self._away("read", path, error) from error

    def delete(self, paths: Iterable[str]) -> None:
        """Files that are gone already are passed over."""
        for path in paths:
            try:
                if self.is_folder:
                    Path(self.address(path)).unlink(missing_ok=True)
                else:
                    obstore.delete(from_url(self.root), path)
            except FileNotFoundError:
                continue
            except (OSError, BaseError) as error:
                raise self._away("deleted", path, error) from error

    def files(self) -> list[KeptFile]:
        """Every file below the root; none where there is no root yet."""
        if self.is_folder and not Path(self.root).is_dir():
            return []
        try:
            store = from_url(f"file://{self.root}" if self.is_folder else self.root)
            return [
                KeptFile(meta["path"], meta["size"], meta["last_modified"])
                for page in obstore.list(store)
                for meta in page
            ]
        except (OSError, BaseError) as error:
            raise self._away("listed", "", error) from error

    def _away(self, verb: str, path: str, error: Exception) -> UnavailableError:
        return UnavailableError(
            f"The archive at {self.address(path)} cannot be {verb}: {reason(error)}. {cure(self.root)}",
            retry_after=RETRY_AFTER_SECONDS,
        )


def cure(address: str) -> str:
    """What to do where a place cannot be reached."""
    named = SIGNED_IN_BY.get(urlsplit(address).scheme)
    if named is None:
        return "Check that the place exists and is open to this program."
    return f"Check that the bucket exists and that {named} are those of this store, for every process of the product."


def reason(error: Exception) -> str:
    """What has gone wrong, in a line: what the store answered, if it did."""
    answer = _ANSWER.search(str(error))
    return f"{answer[1]}, {answer[2]}" if answer else " ".join(str(error).partition("\n\n")[0].split())


def _write_durably(place: Path, content: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    passing = place.with_name(f".{place.name}.part")
    with passing.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    passing.replace(place)
    for folder in (place.parent, place.parent.parent, place.parent.parent.parent):
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    """The names in a folder are durable on their own only."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
