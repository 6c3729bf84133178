"""The figures that the design states about color, and the rules that keep charts and assets honest."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hatch_build

ROOT = Path(__file__).parents[2]
PORTAL = ROOT / "src" / "valueplatform" / "portal"
CHARTS = PORTAL / "charts"
CSS = (PORTAL / "static" / "tokens.css").read_text()

TEXT = ("ink", "ink-2", "ink-3", "realized", "committed", "risk", "predicted")
EDGES = ("line-strong", "focus")
GROUNDS = ("paper", "surface", "sunk")
THEMES = {
    "vega-theme": ("plain", 0),
    "vega-theme-dark": ("plain", 1),
    "vega-theme-contrast": ("more", 0),
    "vega-theme-contrast-dark": ("more", 1),
}


def _tokens(css: str) -> dict[str, tuple[str, str]]:
    pairs = re.findall(r"--vp-([a-z0-9-]+):\s*light-dark\((#[0-9a-f]+), (#[0-9a-f]+)\)", css)
    return {name: (light, dark) for name, light, dark in pairs}


PLAIN = _tokens(CSS[: CSS.index("@media (prefers-contrast: more)")])
CHOSEN = _tokens(CSS[CSS.index('[data-contrast="more"]') :])
PREFERRED = _tokens(CSS[CSS.index("@media (prefers-contrast: more)") : CSS.index('[data-contrast="more"]')])
PALETTES = {"plain": PLAIN, "more": PLAIN | CHOSEN}
SCHEMES = [(palette, scheme) for palette in PALETTES for scheme in (0, 1)]


def luminance(color: str) -> float:
    """Relative luminance of WCAG 2.2."""
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_measured_as_wcag_does() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(("palette", "scheme"), SCHEMES)
@pytest.mark.parametrize("name", TEXT)
def test_text_can_be_read_on_every_ground(palette: str, scheme: int, name: str) -> None:
    tokens = PALETTES[palette]
    ratios = {ground: contrast(tokens[name][scheme], tokens[ground][scheme]) for ground in GROUNDS}

    assert min(ratios.values()) >= 4.5, ratios


@pytest.mark.parametrize(("palette", "scheme"), SCHEMES)
@pytest.mark.parametrize("name", EDGES)
def test_edges_and_focus_can_be_seen_on_every_ground(palette: str, scheme: int, name: str) -> None:
    tokens = PALETTES[palette]
    ratios = {ground: contrast(tokens[name][scheme], tokens[ground][scheme]) for ground in GROUNDS}

    assert min(ratios.values()) >= 3, ratios


@pytest.mark.parametrize(("scheme", "least"), [(0, 5.2), (1, 6.5)])
@pytest.mark.parametrize("name", ["realized", "committed", "risk", "predicted"])
def test_a_hue_can_be_read_on_its_own_soft_ground(name: str, scheme: int, least: float) -> None:
    assert contrast(PLAIN[name][scheme], PLAIN[f"{name}-soft"][scheme]) >= least


@pytest.mark.parametrize(("palette", "scheme"), SCHEMES)
def test_a_primary_button_can_be_read(palette: str, scheme: int) -> None:
    tokens = PALETTES[palette]
    assert contrast(tokens["on-ink"][scheme], tokens["ink"][scheme]) >= 15


@pytest.mark.parametrize("scheme", [0, 1])
def test_the_four_hues_are_equally_light_so_that_form_must_tell_them_apart(scheme: int) -> None:
    ratios = [contrast(PLAIN[name][scheme], PLAIN["paper"][scheme]) for name in TEXT[3:]]

    assert max(ratios) / min(ratios) < 1.2


def test_high_contrast_is_the_same_whether_chosen_or_preferred() -> None:
    assert CHOSEN
    assert CHOSEN == PREFERRED


def test_high_contrast_is_higher() -> None:
    for scheme in (0, 1):
        for name in TEXT:
            plain = contrast(PLAIN[name][scheme], PLAIN["sunk"][scheme])
            assert contrast(CHOSEN[name][scheme], CHOSEN["sunk"][scheme]) > plain


def _walk(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(item, (*path, key))
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item, path)


CHART_FILES = sorted(CHARTS.glob("*.vl.json"))


@pytest.mark.parametrize("file", CHART_FILES, ids=lambda file: file.stem)
def test_a_chart_names_styles_and_never_colors(file: Path) -> None:
    chart = json.loads(file.read_text())
    styles = [set(json.loads((CHARTS / f"{theme}.json").read_text())["style"]) for theme in THEMES]

    assert chart["description"]
    assert chart["$schema"].endswith("/vega-lite/v6.json")
    for path, value in _walk(chart):
        assert not {"color", "fill", "stroke", "background", "scheme"} & set(path), path
        if isinstance(value, str):
            assert not re.search(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(", value), path
        if path and path[-1] == "mark":
            assert all(value["style"] in named for named in styles), value


@pytest.mark.parametrize(("theme", "source"), THEMES.items())
def test_a_chart_theme_uses_the_colors_of_the_tokens(theme: str, source: tuple[str, int]) -> None:
    palette, scheme = source
    allowed = {_long(colors[scheme]) for colors in PALETTES[palette].values()}
    used = {
        _long(value)
        for _, value in _walk(json.loads((CHARTS / f"{theme}.json").read_text()))
        if isinstance(value, str) and value.startswith("#")
    }

    assert used
    assert used <= allowed


def _long(color: str) -> str:
    return color if len(color) == 7 else "#" + "".join(2 * digit for digit in color[1:])


@pytest.mark.parametrize("theme", THEMES)
def test_every_chart_style_names_a_color_or_its_default_would_win(theme: str) -> None:
    styles = json.loads((CHARTS / f"{theme}.json").read_text())["style"]

    assert [name for name, style in styles.items() if "color" not in style] == []


def test_color_stands_in_the_tokens_alone() -> None:
    for name in ("app.css", "pages.css"):
        css = (PORTAL / "static" / name).read_text()
        screen = re.sub(r"@media print \{.*?\n\}", "", css, flags=re.DOTALL)
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)", screen) == []


def test_browser_packages_are_pinned_and_locked_without_an_address() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    lock = json.loads((ROOT / "package-lock.json").read_text())
    pins = package["devDependencies"]

    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in pins.values())
    assert lock["packages"][""]["devDependencies"] == pins
    for name, entry in lock["packages"].items():
        assert not name or entry["integrity"].startswith("sha512-")
        assert "resolved" not in entry


def test_the_built_assets_come_from_the_present_inputs() -> None:
    assert (ROOT / hatch_build.STAMP).read_text() == hatch_build.inputs_digest(ROOT), "run `make install`"


def test_a_first_view_of_the_story_stays_small() -> None:
    """What the story page loads, compressed: 400 KB is the limit, of which 60 are kept for the page and its images."""
    static = PORTAL / "static"
    vendor = static / "vendor"
    compressed = sum(file.stat().st_size for file in vendor.rglob("*") if file.suffix in {".br", ".woff2"})
    plain = sum(file.stat().st_size for file in static.glob("*.*") if file.suffix in {".css", ".js", ".svg"})

    assert compressed + plain / 3 < 340_000
