"""The snippets that pages show are those of docs/connect."""

import pytest

from tests.clients.test_snippets import PAGES
from valueplatform.portal.snippets import EXAMPLE_URL, connect_folder, parse, snippets
from valueplatform.portal.view.connect import Run

URL = "https://value.fieldnote.example"


def test_every_client_of_the_docs_is_there_in_the_order_of_their_index() -> None:
    found = snippets(URL)
    assert sorted(found) == PAGES
    index = (connect_folder() / "README.md").read_text(encoding="utf-8")
    assert list(found) == sorted(found, key=lambda client: index.index(f"({client}.md)"))


@pytest.mark.parametrize("client", PAGES)
def test_the_code_is_the_very_code_that_the_clients_tests_run(client: str) -> None:
    found = snippets(EXAMPLE_URL)[client]
    text = (connect_folder() / f"{client}.md").read_text(encoding="utf-8")
    assert f"\n{found.code}\n```" in text


@pytest.mark.parametrize("client", PAGES)
def test_a_snippet_points_at_this_installation(client: str) -> None:
    found = snippets(URL)[client]
    assert URL in found.code
    assert EXAMPLE_URL not in found.code
    assert found.before


@pytest.mark.parametrize("client", PAGES)
def test_no_mark_up_is_left_in_the_words(client: str) -> None:
    found = snippets(URL)[client]
    for paragraph in (*found.before, *found.after):
        assert not any(sign in run.text for run in paragraph for sign in ("**", "```", "]("))
        assert not any("`" in run.text for run in paragraph)


def test_words_are_set_as_they_are_marked() -> None:
    found = parse("x", "# Title\n\nA `b`\nand **c**.\n\n```sh\ncode `as it is`\n```\n\nAfter.\n\nLast.\n")
    assert found.title == "Title"
    assert found.before == ((Run("A "), Run("b", "code"), Run(" and "), Run("c", "strong"), Run(".")),)
    assert found.code == "code `as it is`"
    assert found.after == ((Run("After."),), (Run("Last."),))


@pytest.mark.parametrize("page", ["", "# Title\n", "no title\n\n```sh\nx\n```\n", "# T\n\ntext without code\n"])
def test_a_page_of_another_shape_is_an_error(page: str) -> None:
    with pytest.raises(ValueError, match=r"docs/connect/x\.md"):
        parse("x", page)
