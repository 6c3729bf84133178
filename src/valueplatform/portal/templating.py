"""The one template environment: strict about what is missing, escaping everything."""

import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent
STATIC = HERE / "static"
STATIC_PATH = "/static"


def environment() -> Environment:
    """Templates see `asset(name)` for the address of a file below `static/`, and nothing of the application."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["asset"] = asset
    return made


@cache
def asset(name: str) -> str:
    """The address of a static file; it changes with the content, so that the answer may be kept forever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()
    return f"{STATIC_PATH}/{name}?v={digest[:12]}"
