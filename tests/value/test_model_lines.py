import pytest

from valueplatform.value.model_lines import Lines, Path

TEXT = '''\
supplier = { name = "F" }   # 1

[[meter]]
slug = "a"
note = """
slug = "not a key"
[[meter]]
"""
[[ meter ]] # 9
slug = "b"
default.low = "1"
"odd key" = 3
[meter.segment."big one"]
low = 14

[[assumption]]
  [assumption.segment.small]
  low = 18
[[assumption]]
slug = "c"
[plain]
key = 22
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("supplier",), 1),
        (("supplier", "name"), 1),
        (("meter",), None),
        (("meter", 1), 3),
        (("meter", 1, "slug"), 4),
        (("meter", 2), 9),
        (("meter", 2, "slug"), 10),
        (("meter", 2, "default", "low"), 11),
        (("meter", 2, "default", "high"), 11),
        (("meter", 2, "odd key"), 12),
        (("meter", 2, "segment", "big one"), 13),
        (("meter", 2, "segment", "big one", "low"), 14),
        (("meter", 2, "missing"), 9),
        (("assumption", 1, "segment", "small", "low"), 18),
        (("assumption", 2, "slug"), 20),
        (("plain", "key"), 22),
        (("nowhere",), None),
    ],
)
def test_a_key_is_found_on_its_line_else_what_is_around_it(path: Path, line: int | None) -> None:
    assert Lines(TEXT).line_of(path) == line


def test_what_is_not_toml_does_no_harm() -> None:
    assert Lines('[[[]]\n= 3\n"""\n').line_of(("a",)) is None
