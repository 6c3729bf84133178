"""Sending one e-mail by SMTP. The server's address and login come from the environment; nothing of them is logged."""

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import parseaddr
from enum import StrEnum
from typing import Final

from valueplatform.core.errors import InstallationError

STEP: Final = 10.0
"""Seconds that one answer of the server may take."""
WHOLE: Final = 30.0
"""Seconds for everything, however fast each single answer comes."""
_PREFIX: Final = "VALUEPLATFORM_SMTP_"
_LONGEST_REASON: Final = 200
_REFUSED: Final = 500
"""Answers from here on are for good."""


class Tls(StrEnum):
    """`tls` from the first byte, `starttls` before the login, `none` for a server on the same machine."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


PORTS: Final[Mapping[Tls, int]] = {Tls.TLS: 465, Tls.STARTTLS: 587, Tls.NONE: 25}


class DeliveryError(Exception):
    """What was to be sent was not taken. `final`: it never will be, at this address."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(_printable(reason))
        self.final = final


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """`sender` is an address, with or without a name before it: `Fieldnote <value@fieldnote.example>`."""

    host: str
    port: int
    tls: Tls
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def domain(self) -> str:
        return parseaddr(self.sender)[1].rpartition("@")[2]


def smtp_settings(env: Mapping[str, str]) -> SmtpSettings | None:
    """From VALUEPLATFORM_SMTP_HOST, _PORT, _TLS, _USER, _PASSWORD and _FROM; None without a host.

    Raises InstallationError, naming the variable.
    """
    given = {name: env.get(_PREFIX + name, "").strip() for name in ("HOST", "PORT", "TLS", "USER", "PASSWORD", "FROM")}
    if not given["HOST"]:
        return None
    tls = _tls(given["TLS"] or Tls.STARTTLS.value)
    sender = given["FROM"]
    address = parseaddr(sender)[1]
    if not sender.isprintable() or address.count("@") != 1 or not all(address.split("@")):
        raise InstallationError(f"{_PREFIX}FROM must be an address such as value@example.com; it is {sender!r}.")
    if bool(given["USER"]) != bool(given["PASSWORD"]):
        raise InstallationError(f"Set both {_PREFIX}USER and {_PREFIX}PASSWORD, or neither.")
    if given["USER"] and tls is Tls.NONE:
        raise InstallationError(f"{_PREFIX}TLS is none, which would send the password in the clear; use starttls.")
    return SmtpSettings(
        given["HOST"], _port(given["PORT"], tls), tls, sender, given["USER"] or None, given["PASSWORD"] or None
    )


def _tls(text: str) -> Tls:
    try:
        return Tls(text.lower())
    except ValueError:
        raise InstallationError(f"{_PREFIX}TLS must be tls, starttls or none; it is {text!r}.") from None


def _port(text: str, tls: Tls) -> int:
    if not text:
        return PORTS[tls]
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 65535):
        raise InstallationError(f"{_PREFIX}PORT must be a port from 1 to 65535; it is {text!r}.")
    return int(text)


async def send_mail(settings: SmtpSettings, message: EmailMessage, to: str, *, whole: float = WHOLE) -> None:
    """Hand the message over. Raises DeliveryError; after `whole` seconds the connection is cut."""
    await _within(_Talk(settings, message, to), whole)


async def check_smtp(settings: SmtpSettings, *, whole: float = WHOLE) -> None:
    """Connect and log in, and send nothing. Raises DeliveryError."""
    await _within(_Talk(settings), whole)


async def _within(talk: "_Talk", whole: float) -> None:
    speaking = asyncio.create_task(asyncio.to_thread(talk.run))
    try:
        done, _ = await asyncio.wait({speaking}, timeout=whole)
    except asyncio.CancelledError:
        talk.cut()
        raise
    if not done:
        talk.cut()  # a server that drips a byte a second would hold the thread forever
        with suppress(DeliveryError):
            await speaking
        raise DeliveryError(f"The mail server took longer than {whole:.0f} s.")
    await speaking


class _Talk:
    """One connection, in a thread of its own: the standard library's client waits, and cannot be canceled."""

    def __init__(self, settings: SmtpSettings, message: EmailMessage | None = None, to: str = "") -> None:
        self._settings = settings
        self._message = message
        self._to = to
        self._server: smtplib.SMTP | None = None
        self._ended = False

    def cut(self) -> None:
        self._ended = True
        sock = self._server.sock if self._server is not None else None
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def run(self) -> None:
        try:
            self._speak()
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise DeliveryError(
                f"The mail server refused the address: {code} {_text(said)}", final=_is_final(code)
            ) from None
        except smtplib.SMTPAuthenticationError as error:
            raise DeliveryError(f"The mail server refused the login: {error.smtp_code}.") from None
        except smtplib.SMTPResponseException as error:
            raise DeliveryError(f"The mail server answered {error.smtp_code} {_text(error.smtp_error)}") from None
        except smtplib.SMTPNotSupportedError as error:
            raise DeliveryError(f"The mail server cannot do what is needed: {error}") from None
        except (smtplib.SMTPException, OSError, MessageError, ValueError) as error:
            raise DeliveryError(
                f"The mail server could not be spoken to: {str(error) or type(error).__name__}"
            ) from None

    def _speak(self) -> None:
        with self._connected() as server:
            if self._ended:
                raise OSError("cut off")
            if self._settings.tls is Tls.STARTTLS:
                server.starttls(context=ssl.create_default_context())
            if self._settings.user is not None and self._settings.password is not None:
                server.login(self._settings.user, self._settings.password)
            if self._message is None:
                server.ehlo_or_helo_if_needed()
                server.noop()
            else:
                server.send_message(self._message, parseaddr(self._settings.sender)[1], [self._to])
            # What was taken is taken, whatever becomes of the farewell.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()

    def _connected(self) -> smtplib.SMTP:
        given = self._settings
        self._server = (
            smtplib.SMTP_SSL(timeout=STEP, context=ssl.create_default_context(), local_hostname="localhost")
            if given.tls is Tls.TLS
            else smtplib.SMTP(timeout=STEP, local_hostname="localhost")
        )
        vars(self._server)["_host"] = given.host  # else the certificate is compared with no name
        code, said = self._server.connect(given.host, given.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)
        return self._server


def _is_final(code: int) -> bool:
    return code >= _REFUSED


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said


def _printable(text: str) -> str:
    line = " ".join(text.split())
    return "".join(letter for letter in line if letter.isprintable())[:_LONGEST_REASON]
