"""How a reader wants to be told."""

from dataclasses import dataclass

from valueplatform.portal.view.words import Act


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    text: str
    chosen: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """`state` says what became of the last digest; `secret` is shown this once. `bad_news` is None for whoever is not
    told of it; `no_mail` says why there is no e-mail and who can change that. `url_hint` says what may stand there."""

    action: str
    about: str
    channels: tuple[Option, ...]
    cadences: tuple[Option, ...]
    weekdays: tuple[Option, ...]
    hours: tuple[Option, ...]
    timezone: str
    zones: tuple[str, ...]
    webhook_url: str
    url_hint: str
    languages: tuple[Option, ...] = ()
    state: str = ""
    trouble: str = ""
    bad_news: bool | None = None
    no_mail: str = ""
    has_secret: bool = False
    secret: str = ""
    saved: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """`act` is None once it is done."""

    title: str
    text: str
    act: Act | None = None
