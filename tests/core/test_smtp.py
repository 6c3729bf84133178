"""One message by SMTP, to servers that are slow, refuse, and drop."""

import time
from collections.abc import AsyncIterator, Mapping
from email.message import EmailMessage

import pytest

from tests.core.mail_server import SENDER, MailServer, a_mail_server
from valueplatform.core.errors import InstallationError
from valueplatform.core.smtp import DeliveryError, SmtpSettings, Tls, check_smtp, send_mail, smtp_settings

TO = "vera@harbor.example"
GIVEN = {"VALUEPLATFORM_SMTP_HOST": "mail.example", "VALUEPLATFORM_SMTP_FROM": SENDER}


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with a_mail_server() as server:
        yield server


def message(text: str = "Hello.") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = SENDER, TO, "News"
    made.set_content(text)
    return made


async def test_a_message_is_handed_over_to_one_address(server: MailServer) -> None:
    await send_mail(server.settings, message("A dot:\n.\nand on."), TO)

    assert [mail.get_content() for mail in server.taken] == ["A dot:\n.\nand on.\n"]
    assert [line.upper() for line in server.recipients] == [f"RCPT TO:<{TO.upper()}>"]
    assert "from:<value@fieldnote.example>" in server.heard[1].lower()


@pytest.mark.parametrize(("verb", "said"), [
    ("RCPT", "450 greylisted, come again"),
    ("MAIL", "451 busy"),
    ("DATA", "554 not now"),
    ("TAKEN", "552 too large"),
])  # fmt: skip
async def test_a_server_that_refuses_is_quoted(server: MailServer, verb: str, said: str) -> None:
    server.answers[verb] = said

    with pytest.raises(DeliveryError, match=said.split(" ", 1)[1]) as refused:
        await send_mail(server.settings, message(), TO)

    assert not refused.value.final
    assert server.taken == []


async def test_an_address_that_is_refused_for_good_is_not_tried_again(server: MailServer) -> None:
    server.answers["RCPT"] = "550 no such person"

    with pytest.raises(DeliveryError, match="no such person") as refused:
        await send_mail(server.settings, message(), TO)

    assert refused.value.final


@pytest.mark.parametrize("verb", ["EHLO", "MAIL", "RCPT", "DATA", "TAKEN"])
async def test_a_server_that_hangs_up_has_not_taken_it(server: MailServer, verb: str) -> None:
    server.hangs_up = verb

    with pytest.raises(DeliveryError) as dropped:
        await send_mail(server.settings, message(), TO)

    assert not dropped.value.final


async def test_a_server_that_hangs_up_on_the_farewell_has_taken_it(server: MailServer) -> None:
    server.hangs_up = "QUIT"

    await send_mail(server.settings, message(), TO)

    assert len(server.taken) == 1


async def test_a_server_that_drips_is_cut_off(server: MailServer) -> None:
    server.drips = 0.2
    began = time.monotonic()

    with pytest.raises(DeliveryError, match="longer than"):
        await send_mail(server.settings, message(), TO, whole=0.5)

    assert time.monotonic() - began < 5
    assert server.taken == []


async def test_what_a_server_says_cannot_break_a_line_of_the_log(server: MailServer) -> None:
    server.answers["MAIL"] = "451-\x1b[31mred\r\n451 " + "x" * 900

    with pytest.raises(DeliveryError) as refused:
        await send_mail(server.settings, message(), TO)

    assert str(refused.value).isprintable()
    assert len(str(refused.value)) <= 200


async def test_no_server_at_all_is_said(server: MailServer) -> None:
    away = SmtpSettings("127.0.0.1", 1, Tls.NONE, SENDER)
    with pytest.raises(DeliveryError, match="could not be spoken to"):
        await send_mail(away, message(), TO)
    with pytest.raises(DeliveryError):
        await check_smtp(away)


async def test_starttls_is_not_left_out_where_the_server_lacks_it(server: MailServer) -> None:
    with pytest.raises(DeliveryError, match="STARTTLS"):
        await send_mail(SmtpSettings("127.0.0.1", server.port, Tls.STARTTLS, SENDER), message(), TO)

    assert server.taken == []


async def test_checking_sends_nothing(server: MailServer) -> None:
    await check_smtp(server.settings)

    assert [line.split()[0] for line in server.heard] == ["ehlo", "noop", "quit"]


def test_without_a_host_there_is_no_mail() -> None:
    assert smtp_settings({"VALUEPLATFORM_SMTP_FROM": SENDER}) is None


def test_ports_follow_the_kind_of_tls_and_the_password_is_not_shown() -> None:
    login = {"VALUEPLATFORM_SMTP_USER": "u", "VALUEPLATFORM_SMTP_PASSWORD": "geheim"}
    found = {tls: smtp_settings({**GIVEN, **login, "VALUEPLATFORM_SMTP_TLS": tls}) for tls in ("tls", "starttls")}

    assert {tls: given.port for tls, given in found.items() if given} == {"tls": 465, "starttls": 587}
    assert "geheim" not in repr(found)
    assert found["tls"] is not None
    assert found["tls"].domain == "fieldnote.example"


@pytest.mark.parametrize("wrong", [
    {"VALUEPLATFORM_SMTP_TLS": "ssl"},
    {"VALUEPLATFORM_SMTP_PORT": "0"},
    {"VALUEPLATFORM_SMTP_PORT": "99999"},
    {"VALUEPLATFORM_SMTP_PORT": "٢٥"},
    {"VALUEPLATFORM_SMTP_FROM": ""},
    {"VALUEPLATFORM_SMTP_FROM": "nobody"},
    {"VALUEPLATFORM_SMTP_FROM": "a@b.example\r\nBcc: c@d.example"},
    {"VALUEPLATFORM_SMTP_USER": "u"},
    {"VALUEPLATFORM_SMTP_PASSWORD": "p"},
    {"VALUEPLATFORM_SMTP_USER": "u", "VALUEPLATFORM_SMTP_PASSWORD": "p", "VALUEPLATFORM_SMTP_TLS": "none"},
])  # fmt: skip
def test_settings_that_cannot_work_name_the_variable(wrong: Mapping[str, str]) -> None:
    with pytest.raises(InstallationError, match="VALUEPLATFORM_SMTP_"):
        smtp_settings({**GIVEN, **wrong})
