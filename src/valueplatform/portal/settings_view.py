"""The settings page: what was chosen, what may be, and what became of the last digest. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from valueplatform.core.authorization import UserRole
from valueplatform.narrative.document import Language
from valueplatform.portal.exact import moment_text
from valueplatform.portal.view.settings import Option, Settings
from valueplatform.stewardship.digests.choice import Cadence, Channel, Choice
from valueplatform.stewardship.digests.mail import SETTINGS_PATH
from valueplatform.stewardship.digests.outbox import Ended

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CADENCES: Final = {
    Cadence.CHANGED: "Daily, when something changed",
    Cadence.WEEKLY: "Every week",
    Cadence.MONTHLY: "Every month, on its first such weekday",
}
LANGUAGES: Final = {Language.ENGLISH: "English", Language.GERMAN: "German (Deutsch)"}
NO_MAIL: Final = (
    "E-mail is not set up here. Whoever runs this installation names a mail server in VALUEPLATFORM_SMTP_HOST and "
    "the sender in VALUEPLATFORM_SMTP_FROM."
)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the page is made of. `mail`: this installation can send e-mail; `private`: webhooks may go anywhere."""

    role: UserRole
    email: str
    choice: Choice
    ended: Mapping[str, Ended]
    mail: bool
    private: bool
    saved: bool = False
    secret: str = ""
    error: str = ""


def settings_view(desk: Desk) -> Settings:
    choice = desk.choice
    return Settings(
        action=SETTINGS_PATH,
        about=_about(desk),
        channels=tuple(_channels(desk)),
        cadences=tuple(Option(c.value, said, c is choice.cadence) for c, said in CADENCES.items()),
        weekdays=tuple(Option(str(n), name, n == choice.weekday) for n, name in enumerate(WEEKDAYS)),
        hours=tuple(Option(str(hour), f"{hour:02}:00", hour == choice.hour) for hour in range(24)),
        languages=tuple(Option(one.value, said, one is choice.language) for one, said in LANGUAGES.items()),
        timezone=choice.timezone,
        zones=tuple(dict.fromkeys((choice.timezone, "UTC"))),
        webhook_url=choice.webhook_url or "",
        url_hint="An address of yours that takes JSON by POST, signed as Standard Webhooks asks"
        + ("." if desk.private else "; https, and on the internet."),
        state=_state(desk),
        trouble=_trouble(desk),
        bad_news=choice.bad_news if desk.role is UserRole.STEWARD else None,
        no_mail="" if desk.mail else NO_MAIL,
        has_secret=choice.channel is Channel.WEBHOOK and bool(choice.webhook_url),
        secret=desk.secret,
        saved=desk.saved,
        error=desk.error,
    )


def _about(desk: Desk) -> str:
    of = "the value stories of your accounts" if desk.role is UserRole.STEWARD else "your value story"
    said = f"A digest tells what is new in {of} since the last one, and is sent only when something is."
    if desk.role is UserRole.STEWARD:
        said += " One e-mail has all your accounts, bad news first; a webhook is called for each."
    return f"{said} Nothing is sent until you choose it here."


def _channels(desk: Desk) -> list[Option]:
    chosen = desk.choice.channel
    options = [Option(Channel.NONE.value, "No digests", chosen is Channel.NONE)]
    if desk.mail or chosen is Channel.EMAIL:
        options.append(Option(Channel.EMAIL.value, "E-mail", chosen is Channel.EMAIL, f"To {desk.email}."))
    options.append(Option(Channel.WEBHOOK.value, "Webhook", chosen is Channel.WEBHOOK))
    return options


def _state(desk: Desk) -> str:
    sent = desk.ended.get("sent")
    if sent is None:
        return "No digest has been sent to you yet." if desk.choice.is_on else ""
    return f"The last digest was sent on {_when(sent.at, desk)}."


def _trouble(desk: Desk) -> str:
    """Where the newest digest did not arrive."""
    waiting, given_up, sent = (desk.ended.get(state) for state in ("waiting", "given-up", "sent"))
    if waiting is not None and waiting.error:
        return f"The digest of {_when(waiting.at, desk)} has not arrived yet, and is tried again: {waiting.error}"
    if given_up is not None and (sent is None or sent.at < given_up.at):
        return (
            f"The last digest could not be delivered, and was given up on {_when(given_up.at, desk)}: {given_up.error} "
            "What is in it comes with the next."
        )
    return ""


def _when(moment: datetime, desk: Desk) -> str:
    return moment_text(moment, desk.choice.timezone)
