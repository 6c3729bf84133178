import pytest

from valueplatform.core.errors import ForbiddenError
from valueplatform.portal.origin import require_own_origin

PUBLIC = "https://value.example"
HOST = {"host": "value.example"}


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "anything-new"},
        {"sec-fetch-site": "cross-site", "origin": PUBLIC},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://value.example.evil.example"},
        {"origin": "https://value.example:8443"},
        {"origin": ""},
    ],
)
def test_a_page_of_another_site_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ForbiddenError, match="another site"):
        require_own_origin({**HOST, **headers}, PUBLIC)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": PUBLIC},
        {"origin": "http://value.example"},
        {},
    ],
)
def test_a_page_of_our_own_and_what_is_no_browser_pass(headers: dict[str, str]) -> None:
    require_own_origin({**HOST, **headers}, PUBLIC)


def test_an_address_on_the_same_machine_by_another_name_is_judged_by_the_host_it_asked_for() -> None:
    require_own_origin({"host": "localhost:8000", "origin": "http://localhost:8000"}, "http://127.0.0.1:8000")
    with pytest.raises(ForbiddenError):
        require_own_origin({"host": "127.0.0.1:8000", "origin": "http://localhost:8000"}, "http://127.0.0.1:8000")
