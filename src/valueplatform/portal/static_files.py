"""Static files: read once, sent packed, and kept by browsers for as long as their address says.

An address that carries the digest of the content (`templating.asset`) may be kept forever; without it, fonts for a
day, and everything else is asked about each time.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path
from typing import Any, Final

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from valueplatform.core.errors import NotFoundError
from valueplatform.portal.templating import STATIC_PATH

FOREVER: Final = "public, max-age=31536000, immutable"
A_DAY: Final = "public, max-age=86400"
ASK_AGAIN: Final = "no-cache"
SHOWN_DIGITS: Final = 12
_PACKED: Final[Mapping[str, str]] = {"br": ".br", "gzip": ".gz"}  # the best first
_ALREADY_PACKED: Final = frozenset({".woff2", ".png", ".jpg"})


@dataclass(frozen=True, slots=True)
class StaticFile:
    """`bodies` by content coding; '' is the file as it is. `digest` is of that one."""

    media_type: str
    digest: str
    bodies: Mapping[str, bytes]


def read_folder(folder: Path, prefix: str = "") -> dict[str, StaticFile]:
    """Every file below a folder by its path, with its packed siblings; gzip is made where there is none."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith(".") and path.suffix not in _PACKED.values():
            found[prefix + path.relative_to(folder).as_posix()] = _read(path)
    return found


def _read(path: Path) -> StaticFile:
    content = path.read_bytes()
    bodies = {"": content}
    for coding, suffix in _PACKED.items():
        sibling = path.with_name(path.name + suffix)
        if sibling.is_file():
            bodies[coding] = sibling.read_bytes()
    if path.suffix not in _ALREADY_PACKED and "gzip" not in bodies:
        bodies["gzip"] = gzip.compress(content, mtime=0)
    media_type = guess_type(path.name)[0] or "application/octet-stream"
    return StaticFile(media_type, hashlib.sha256(content).hexdigest(), bodies)


def static_handler(files: Mapping[str, StaticFile]) -> HTTPRouteHandler:
    """Serves what was read, and nothing else: no path reaches the file system."""

    @get(f"{STATIC_PATH}/{{name:path}}", include_in_schema=False, sync_to_thread=False)
    def static_file(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
        wanted = str(name).lstrip("/")
        found = files.get(wanted)
        if found is None:
            raise NotFoundError(f"There is no file {wanted!r}.")
        coding = _best_coding(request.headers.get("accept-encoding", ""), found)
        tag = f'"{found.digest[:32]}{coding}"'
        headers = {"ETag": tag, "Vary": "Accept-Encoding", "Cache-Control": _kept(request, wanted, found)}
        if request.headers.get("if-none-match", "").removeprefix("W/") == tag:
            return Response(b"", status_code=304, headers=headers)
        if coding:
            headers["Content-Encoding"] = coding
        return Response(found.bodies[coding], media_type=found.media_type, headers=headers)

    return static_file


def _best_coding(accepted: str, found: StaticFile) -> str:
    """The best that the reader takes; `q=0` is a refusal."""
    taken = set()
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if weight.strip().replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}:
            taken.add(coding.strip())
    return next((coding for coding in _PACKED if coding in taken and coding in found.bodies), "")


def _kept(request: Request[Any, Any, Any], name: str, found: StaticFile) -> str:
    if request.query_params.get("v") == found.digest[:SHOWN_DIGITS]:
        return FOREVER
    return A_DAY if name.endswith(".woff2") else ASK_AGAIN
