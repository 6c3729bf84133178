"""The pages of docs/connect, taken apart: one source for whoever reads them there and for the pages of the portal.

A page is a title, paragraphs, one block of code, paragraphs; inside a paragraph `code` and **strong** words. A test
holds the pages to that.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from valueplatform.portal.view.connect import Run, Snippet

EXAMPLE_URL: Final = "http://127.0.0.1:8000"
"""Where the snippets send to, until they are pointed elsewhere."""
_INDEX: Final = "README"
_PAGE: Final = re.compile(r"# (?P<title>.+?)\n(?P<before>.*?)```\w+\n(?P<code>.*?)```\n(?P<after>.*)", re.DOTALL)
_LISTED: Final = re.compile(r"^- \[[^\]]+\]\(([a-z-]+)\.md\)", re.MULTILINE)
_MARKED: Final = re.compile(r"`(?P<code>[^`]+)`|\*\*(?P<strong>(?:[^*]|\*(?!\*))+)\*\*")


def connect_folder() -> Path:
    """The pages: inside the package when installed from a wheel, beside `src` in a checkout."""
    packaged = Path(str(files("valueplatform"))) / "docs" / "connect"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "docs" / "connect"


@cache
def snippets(public_url: str) -> dict[str, Snippet]:
    """Each client's page by its name, in the order of the index, pointed at this installation."""
    folder = connect_folder()
    index = (folder / f"{_INDEX}.md").read_text(encoding="utf-8")
    return {
        client: parse(client, (folder / f"{client}.md").read_text(encoding="utf-8").replace(EXAMPLE_URL, public_url))
        for client in _LISTED.findall(index)
    }


def parse(client: str, page: str) -> Snippet:
    """Raises ValueError for a page of another shape."""
    parts = _PAGE.fullmatch(page)
    if parts is None:
        raise ValueError(f"docs/connect/{client}.md is not a title, text, one block of code and text.")
    return Snippet(
        client,
        parts["title"],
        tuple(_paragraphs(parts["before"])),
        parts["code"].rstrip("\n"),
        tuple(_paragraphs(parts["after"])),
    )


def _paragraphs(text: str) -> Iterator[tuple[Run, ...]]:
    for paragraph in re.split(r"\n{2,}", text.strip()):
        if paragraph:
            yield tuple(_runs(paragraph.replace("\n", " ")))


def _runs(text: str) -> Iterator[Run]:
    end = 0
    for found in _MARKED.finditer(text):
        if found.start() > end:
            yield Run(text[end : found.start()])
        if found["code"] is not None:
            yield Run(found["code"], "code")
        else:
            yield Run(found["strong"].replace("`", ""), "strong")
        end = found.end()
    if end < len(text):
        yield Run(text[end:])
