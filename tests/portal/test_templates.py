import dataclasses
import json
import re
from html.parser import HTMLParser
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, UndefinedError

from tests.portal.samples import (
    CHART,
    FRAGMENTS,
    LEAST_PAGES,
    LEAST_PROOF,
    LEAST_STORY,
    NUMBER,
    PROOF,
    RICH_PAGES,
    SHELL,
    STORY,
    Rendering,
)
from valueplatform.portal.templating import STATIC, asset, environment
from valueplatform.portal.view.drawings import Spark, Strip

HOSTILE = "'\"></p></script><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}{% raw %}&lt;"
VOID = {"meta", "link", "input", "br", "img", "path", "rect", "circle", "line", "col"}


class Page(HTMLParser):
    """The elements of a page, in order, with their attributes and the text inside scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.script_text: list[str] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self._open, f"</{tag}> closes nothing"
        opened = self._open.pop()
        assert opened == tag, f"</{tag}> closes <{opened}>"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        (self.script_text if self._open and self._open[-1] in {"script", "style"} else self.text).append(data)

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attrs for tag, attrs in self.elements if tag in tags]

    def having(self, attribute: str) -> list[dict[str, str]]:
        return [attrs for _, attrs in self.elements if attribute in attrs]


@pytest.fixture(scope="module")
def templates() -> Environment:
    return TEMPLATES


TEMPLATES = environment()


def rendered(templates: Environment, rendering: Rendering) -> str:
    return templates.get_template(rendering.template).render(rendering.values)


def name_of(rendering: Rendering) -> str:
    return rendering.template


every_page = pytest.mark.parametrize("shown", RICH_PAGES + LEAST_PAGES, ids=name_of)
everything = pytest.mark.parametrize("shown", RICH_PAGES + LEAST_PAGES + FRAGMENTS, ids=name_of)


def hostile(value: Any, annotation: Any = str) -> Any:
    """The same view with every free text replaced. What is absent stays absent; addresses stay, since code makes
    them.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        hints = get_type_hints(type(value))
        changes = {
            field.name: hostile(getattr(value, field.name), hints[field.name])
            for field in dataclasses.fields(value)
            if not field.name.endswith(("href", "action", "anchor", "id", "beside"))
        }
        return dataclasses.replace(value, **changes)
    if isinstance(value, tuple):
        inner = [hint for hint in get_args(annotation) if hint is not Ellipsis] or [str]
        if get_origin(annotation) in (Union, UnionType):
            inner = [str]
        kept = len(inner) == len(value) and Ellipsis not in get_args(annotation)
        return tuple(hostile(item, inner[i] if kept else inner[0]) for i, item in enumerate(value))
    if isinstance(value, dict):
        return {key: hostile(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    if isinstance(value, str) and value and get_origin(annotation) is not Literal:
        return HOSTILE
    return value


@pytest.mark.parametrize("shown", RICH_PAGES + FRAGMENTS, ids=name_of)
def test_hostile_text_stays_text(templates: Environment, shown: Rendering) -> None:
    plain = Page(rendered(templates, shown))
    attacked = Page(rendered(templates, shown.with_each(hostile)))

    assert [tag for tag, _ in attacked.elements] == [tag for tag, _ in plain.elements]
    assert [set(attrs) for _, attrs in attacked.elements] == [set(attrs) for _, attrs in plain.elements]
    assert "{{ 7 * 7 }}" in "".join(attacked.text)


@everything
def test_nothing_runs_inside_the_markup(templates: Environment, shown: Rendering) -> None:
    """The content security policy allows no inline script and no inline style, and neither do we."""
    found = Page(rendered(templates, shown))

    assert not found.all("style")
    assert not found.having("style")
    assert "".join(found.script_text).strip() == ""
    assert all(script["src"].startswith("/static/") for script in found.all("script"))
    assert not [name for _, attrs in found.elements for name in attrs if re.match(r"on|hx-on|hx-vals|hx-vars", name)]
    assert not [value for _, attrs in found.elements for value in attrs.values() if value.startswith("javascript:")]


@every_page
def test_a_page_loads_only_what_is_there(templates: Environment, shown: Rendering) -> None:
    found = Page(rendered(templates, shown))

    for address in [a["src"] for a in found.all("script")] + [a["href"] for a in found.all("link")]:
        path, _, version = address.partition("?v=")
        assert (STATIC / path.removeprefix("/static/")).is_file()
        assert version or path.endswith(".woff2")


@every_page
def test_a_page_has_one_title_and_steps_down_one_heading_at_a_time(templates: Environment, shown: Rendering) -> None:
    html = rendered(templates, shown)
    main = html[html.index("<main") : html.index("<dialog") if "<dialog" in html else None]
    levels = [int(level) for level in re.findall(r"<h([1-6])\b", main)]

    assert levels.count(1) == 1
    assert all(level <= before + 1 for before, level in zip([0, *levels], levels, strict=False))


@everything
def test_ids_are_unique(templates: Environment, shown: Rendering) -> None:
    html = re.sub(r"<template.*?</template>", "", rendered(templates, shown), flags=re.DOTALL)
    ids = [attrs["id"] for attrs in Page(html).having("id")]
    doubled = {name for name in ids if ids.count(name) > 1}

    assert doubled <= {"row-harbor"}  # the sample shows one account in two groups


@pytest.mark.parametrize(
    "shown", [shown for shown in RICH_PAGES + LEAST_PAGES + FRAGMENTS if shown.template[0] != "_"], ids=name_of
)
def test_what_refers_to_an_element_finds_it(templates: Environment, shown: Rendering) -> None:
    """Partials are left out: they refer to the page around them."""
    found = Page(rendered(templates, shown))
    ids = {attrs["id"] for attrs in found.having("id")}
    for attribute in ("aria-labelledby", "aria-describedby", "for", "popovertarget", "form"):
        assert {attrs[attribute] for attrs in found.having(attribute)} - ids <= {"h-proof"}  # filled by the drawer


@everything
def test_every_number_is_a_link_with_its_exact_value(templates: Environment, shown: Rendering) -> None:
    links = [a for a in Page(rendered(templates, shown)).all("a") if "num" in a.get("class", "").split()]

    assert all(a["href"].startswith("/proof/") and a["data-value"] and a["data-unit"] for a in links)
    assert all(a["aria-label"].endswith("open proof") for a in links)


@everything
def test_every_form_that_changes_something_carries_the_token(templates: Environment, shown: Rendering) -> None:
    html = rendered(templates, shown)
    for form in re.findall(r"<form.*?</form>", html, flags=re.DOTALL):
        if 'method="post"' in form:
            assert re.search(r'name="_csrf" value="token-[01]"', form)
        else:
            assert 'method="get"' in form or 'method="dialog"' in form


def test_a_number_says_its_doubt_aloud(templates: Environment) -> None:
    html = templates.from_string('{% import "macros.html" as m %}{{ m.number(n) }}').render(n=NUMBER)

    assert 'aria-label="$486K, under review, open proof"' in html
    assert 'class="num num-under-review num-key"' in html


def test_a_missing_value_is_an_error_and_never_a_blank(templates: Environment) -> None:
    with pytest.raises(UndefinedError):
        templates.get_template("story.html").render(story=STORY)


def test_a_live_fragment_is_the_article_of_the_page(templates: Environment) -> None:
    page = rendered(templates, Rendering("story.html", {"shell": SHELL, "story": STORY}))
    fragment = rendered(templates, Rendering("story_live.html", {"shell": SHELL, "story": STORY}))

    article = page[page.index("<article") : page.index("</article>")]
    assert article in fragment
    assert "<html" not in fragment
    assert 'id="since" hx-swap-oob="true"' in fragment
    assert 'id="fresh" hx-swap-oob="true"' in fragment


def test_nothing_new_swaps_nothing_beside_the_article(templates: Environment) -> None:
    fragment = rendered(templates, Rendering("story_live.html", {"shell": SHELL, "story": LEAST_STORY}))

    assert 'id="since"' not in fragment


def test_drawer_and_page_show_the_same_proof(templates: Environment) -> None:
    values = {"shell": SHELL, "proof": PROOF}
    drawer = rendered(templates, Rendering("proof_drawer.html", values)).replace("h3", "h2")
    page = rendered(templates, Rendering("proof.html", values))

    start = drawer.index('<p class="insight"')
    assert (
        drawer[start : drawer.index("Show more")].split()
        == page[page.index('<p class="insight"') : page.index("Show more")].split()
    )


def test_a_proof_that_disagrees_takes_the_number_back(templates: Environment) -> None:
    html = rendered(templates, Rendering("proof.html", {"shell": SHELL, "proof": LEAST_PROOF}))

    assert "We have taken this number back." in html
    assert "Recomputing it gave 59, not 60." in html


def test_a_chart_carries_its_data_and_says_what_one_sees(templates: Environment) -> None:
    html = templates.from_string('{% import "macros.html" as m %}{{ m.chart(c) }}').render(c=CHART)
    found = Page(html)
    (figure,) = found.having("data-chart")

    assert json.loads(figure["data-drawing"]) == {
        "datasets": {"rows": [{"end": "2026-08-31", "realized": 0.486, "last": True}], "gaps": []},
        "params": {"prefix": "$", "suffix": "M"},
        "description": CHART.description,
    }
    assert [a["aria-label"] for a in found.all("div") if a.get("role") == "img"] == [CHART.description]


anything = st.floats(-5, 5)


@given(realized=anything, low=anything, expected=anything, high=anything)
def test_a_strip_never_leaves_its_scale(realized: float, low: float, expected: float, high: float) -> None:
    strip = Strip("Hours", realized, low, expected, high, "$1", "$2")
    html = TEMPLATES.from_string('{% import "macros.html" as m %}{{ m.strip(s) }}').render(s=strip)

    assert all(0 <= float(position) <= 100 for position in re.findall(r'"(-?[\d.]+)%"', html))
    assert html.count("$2 committed") == 1


@given(distances=st.lists(anything, min_size=1, max_size=20), periods=st.integers(1, 40), band=st.floats(0, 2))
def test_a_sparkline_stays_in_its_box(distances: list[float], periods: int, band: float) -> None:
    spark = Spark(tuple(distances), max(periods, len(distances)), band, "as committed")
    html = TEMPLATES.from_string('{% import "macros.html" as m %}{{ m.spark(s) }}').render(s=spark)

    points = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", html[html.index('class="real') :])
    assert len(points) == len(distances)
    assert all(0 <= float(x) <= 108 and 0 <= float(y) <= 30 for x, y in points)


def test_an_asset_changes_its_address_with_its_content() -> None:
    assert re.fullmatch(r"/static/app\.css\?v=[0-9a-f]{12}", asset("app.css"))
    assert asset("app.css") != asset("pages.css")
    with pytest.raises(FileNotFoundError):
        asset("absent.css")
