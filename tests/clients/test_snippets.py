"""The snippets of docs/connect, as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import Product, Run

CONNECT = Path(__file__).parents[2] / "docs/connect"
PAGES = sorted(page.stem for page in CONNECT.glob("*.md") if page.stem != "README")
_BLOCK = re.compile(r"```(python|js|sh)\n(.*?)```", re.DOTALL)


def snippet(page: str, product: Product) -> tuple[str, str]:
    """Language and code of the one block of a page, pointed at the server, for an account of its own."""
    ((language, code),) = _BLOCK.findall((CONNECT / f"{page}.md").read_text(encoding="utf-8"))
    assert "http://127.0.0.1:8000" in code
    return language, code.replace("http://127.0.0.1:8000", product.url).replace("acme", f"docs-{page}").replace(
        "job-42", f"{page}-42"
    )


@pytest.mark.parametrize("page", PAGES)
def test_the_snippet_of_a_page_sends_an_event(
    page: str, product: Product, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    language, code = snippet(page, product)
    if language == "js":
        node: Run = request.getfixturevalue("node")
        script = tmp_path / f"{page}.mjs"
        script.write_text(code, encoding="utf-8")
        node(str(script), KEY=product.key)
    else:
        command = [sys.executable, "-c", code] if language == "python" else ["sh", "-c", code]
        environment = {**os.environ, "KEY": product.key}
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert ran.returncode == 0, ran.stderr
    assert product.stored(f"docs-{page}")


def test_every_page_is_listed() -> None:
    listed = (CONNECT / "README.md").read_text(encoding="utf-8")
    assert [page for page in PAGES if f"({page}.md)" not in listed] == []
