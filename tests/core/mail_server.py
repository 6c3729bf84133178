"""A mail server on this machine, as slow, as rude and as short-lived as a test needs it."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage

from valueplatform.core.smtp import SmtpSettings, Tls

SENDER = "Fieldnote <value@fieldnote.example>"


@dataclass
class MailServer:
    """`taken` are the messages that it said it has. The rest is how it misbehaves: `answers` by verb in place of its
    own, `drips` seconds before each byte, `hangs_up` on a verb without an answer."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    drips: float = 0.0
    hangs_up: str = ""
    extensions: tuple[str, ...] = ("SMTPUTF8", "8BITMIME")

    @property
    def settings(self) -> SmtpSettings:
        return SmtpSettings("127.0.0.1", self.port, Tls.NONE, SENDER)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._say(writer, "220 ready")
            while line := (await reader.readline()).decode().strip():
                self.heard.append(line)
                verb = line.split(" ", 1)[0].upper()
                if verb == self.hangs_up:
                    return
                if verb == "DATA" and verb not in self.answers:
                    await self._take(reader, writer)
                    continue
                if verb == "RCPT":
                    self.recipients.append(line)
                await self._say(writer, self.answers.get(verb) or self._usual(verb))
                if verb == "QUIT":
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            await hang_up(writer)

    def _usual(self, verb: str) -> str:
        if verb == "EHLO":
            return "\r\n".join([*(f"250-{name}" for name in self.extensions), "250 HELP"])
        return "221 bye" if verb == "QUIT" else "250 ok"

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._say(writer, "354 go on")
        body = await reader.readuntil(b"\r\n.\r\n")
        if self.hangs_up == "TAKEN":  # it has the message, and the answer is lost
            self.taken.append(_read(body))
            raise ConnectionError
        said = self.answers.get("TAKEN", "250 taken")
        if said.startswith("250"):
            self.taken.append(_read(body))
        await self._say(writer, said)

    async def _say(self, writer: asyncio.StreamWriter, text: str) -> None:
        for byte in f"{text}\r\n".encode() if self.drips else ():
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(self.drips)
        if not self.drips:
            writer.write(f"{text}\r\n".encode())
            await writer.drain()


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def _read(body: bytes) -> EmailMessage:
    lines = body.removesuffix(b".\r\n").replace(b"\r\n", b"\n").split(b"\n")
    unstuffed = b"\n".join(line[1:] if line.startswith(b"..") else line for line in lines)
    made = email.message_from_bytes(unstuffed, policy=email.policy.default)
    assert isinstance(made, EmailMessage)
    return made


@asynccontextmanager
async def a_mail_server() -> AsyncIterator[MailServer]:
    mail = MailServer()
    async with listening(mail.serve) as port:
        mail.port = port
        yield mail


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    """The port of a server on this machine. Whoever is still connected at the end is cut off: nothing outlives it."""
    talks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks[task] = writer
        await serve(reader, writer)

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task, writer in talks.items():
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*talks, return_exceptions=True)
        for writer in talks.values():
            with suppress(ConnectionError):
                await writer.wait_closed()
        await server.wait_closed()
