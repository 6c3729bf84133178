"""The files of `static/`, packed where the reader takes it, kept by browsers for as long as they are true.

The content does not change while the process runs, so everything is read once. Only what was there then is served.
"""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException

from valueplatform.portal.templating import STATIC, STATIC_PATH

PACKED: Final[Mapping[str, str]] = {"br": ".br", "gzip": ".gz"}
"""Content codings by preference, and how a packed sibling of a file is called."""

FOREVER: Final = "public, max-age=31536000, immutable"
"""For an address that changes with its content."""
ASK_FIRST: Final = "public, no-cache"
_TYPES: Final = {".js": "text/javascript; charset=utf-8", ".woff2": "font/woff2", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file; `bodies` by content coding, '' is as it is."""

    media_type: str
    etag: str
    bodies: Mapping[str, bytes]


@cache
def static_files(folder: Path) -> Mapping[str, StaticFile]:
    """Every file below the folder by its path, without hidden ones and without packed siblings."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): _read(path) for path in found if path.suffix not in {".br", ".gz"}}


def _read(path: Path) -> StaticFile:
    bodies = {"": path.read_bytes()}
    for coding, suffix in PACKED.items():
        sibling = path.with_name(path.name + suffix)
        if sibling.is_file():
            bodies[coding] = sibling.read_bytes()
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    media_type = f"{kind}; charset=utf-8" if kind.startswith("text/") and "charset" not in kind else kind
    return StaticFile(media_type, f'"{hashlib.sha256(bodies[""]).hexdigest()[:20]}"', bodies)


def chosen_coding(accepted: str, offered: Mapping[str, bytes]) -> str:
    """The best coding that is offered and accepted (RFC 9110, 12.5.3); '' for none."""
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        coding, _, parameters = part.strip().partition(";")
        quality = parameters.strip().removeprefix("q=")
        try:
            weights[coding.strip()] = float(quality) if quality else 1.0
        except ValueError:
            continue
    return next((coding for coding in PACKED if coding in offered and weights.get(coding, weights.get("*", 0)) > 0), "")


@get(f"{STATIC_PATH}/{{path:path}}", include_in_schema=False, opt={"public": True})
async def static_file(request: Request[None, None, State], path: Path) -> Response[bytes]:
    """A file by its path. With `?v=` the address stands for this very content, so it may be kept for good."""
    file = static_files(STATIC).get(path.as_posix().lstrip("/"))
    if file is None:
        raise NotFoundException("There is no such file.")
    coding = chosen_coding(request.headers.get("accept-encoding", ""), file.bodies)
    etag = f'{file.etag[:-1]}-{coding}"' if coding else file.etag
    headers = {
        "Cache-Control": FOREVER if "v" in request.query_params else ASK_FIRST,
        "ETag": etag,
        "Vary": "Accept-Encoding",
    }
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if etag in known or "*" in known:
        return Response(b"", status_code=304, headers=headers)
    if coding:
        headers["Content-Encoding"] = coding
    return Response(file.bodies[coding], media_type=file.media_type, headers=headers)
