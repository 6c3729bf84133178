"""Addresses that somebody gave us (S8): loopback, private, link-local, redirects, rebinding refused."""

import asyncio
from collections.abc import Sequence

import httpcore
import pytest

from tests.core.mail_server import hang_up, listening
from tests.core.receiver import a_receiver
from valueplatform.core.outbound import Outbound, RefusedAddressError, is_public


@pytest.mark.parametrize("address", [
    "127.0.0.1", "127.9.9.9", "0.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0",
    "fc00::1", "fd12:3456::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "fec0::1", "2001:db8::1", "nonsense", "",
])  # fmt: skip
def test_what_is_not_the_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:93.184.216.34"])
def test_the_internet_is_public(address: str) -> None:
    assert is_public(address)


def resolving(*answers: Sequence[str]) -> Outbound:
    """Each look-up gives the next answer; the last stays."""
    left = list(answers)

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        found = left.pop(0) if len(left) > 1 else left[0]
        if not found:
            raise OSError("no such name")
        return found

    return Outbound(resolve=resolve)


@pytest.mark.parametrize("url", [
    "", "hooks.example", "http://hooks.example/x", "ftp://hooks.example", "file:///etc/passwd", "https://",
    "https://user:pass@hooks.example/", "https://hooks.example:99999/", "https://hooks.example/\r\nX: y",
    "https://hooks.exämple/", "https://[::1", "https://hooks.example/" + "x" * 2000, "javascript:alert(1)",
])  # fmt: skip
async def test_what_is_no_https_address_is_refused(url: str) -> None:
    with pytest.raises(RefusedAddressError):
        await resolving(["93.184.216.34"]).check(url)


async def test_a_name_that_may_stand_for_a_private_address_is_refused() -> None:
    for found in (["127.0.0.1"], ["93.184.216.34", "10.0.0.7"], []):
        with pytest.raises(RefusedAddressError):
            await resolving(found).check("https://hooks.example/in")
    assert await resolving(["93.184.216.34"]).check(" https://hooks.example/in ") == "https://hooks.example/in"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "2130706433", "0x7f.1", "0177.0.0.1", "localhost", "127.1"])
async def test_this_machine_is_refused_under_all_its_names(host: str) -> None:
    with pytest.raises(RefusedAddressError):
        await Outbound().check(f"https://{host}/")


async def test_a_name_that_changes_between_the_check_and_the_connection_is_refused() -> None:
    async with a_receiver() as receiver:
        rebinding = resolving(["93.184.216.34"], ["127.0.0.1"])
        url = await rebinding.check(f"https://hooks.example:{receiver.port}/in")
        with pytest.raises(RefusedAddressError):
            await rebinding.post(url, {}, b"{}")

    assert receiver.heard == []


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with a_receiver() as other, a_receiver() as receiver:
        receiver.status, receiver.more = "307 Temporary Redirect", f"Location: http://127.0.0.1:{other.port}/\r\n"

        status = await Outbound(private=True).post(f"http://127.0.0.1:{receiver.port}/", {"x-a": "b"}, b"body")

    assert status == 307
    assert other.heard == []
    assert receiver.heard[0].endswith(b"\r\n\r\nbody")
    assert b"x-a: b" in receiver.heard[0]


async def test_what_was_kept_while_private_addresses_were_allowed_is_not_called_afterwards() -> None:
    async with a_receiver() as receiver:
        with pytest.raises(RefusedAddressError):
            await Outbound().post(f"http://127.0.0.1:{receiver.port}/", {}, b"")
        with pytest.raises(RefusedAddressError):
            await Outbound().post(f"https://127.0.0.1:{receiver.port}/", {}, b"")

    assert receiver.heard == []


async def test_an_address_that_never_answers_is_given_up_in_time() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        await hang_up(writer)

    async with listening(silent) as port:
        with pytest.raises((TimeoutError, httpcore.TimeoutException)):
            await Outbound(private=True).post(f"http://127.0.0.1:{port}/", {}, b"", whole=0.2)
