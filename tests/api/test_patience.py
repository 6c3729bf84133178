import asyncio
from typing import Any

from litestar import Litestar, Request, post
from litestar.types import HTTPReceiveMessage, Message, Scope

from valueplatform.api.patience import BodiesInTime
from valueplatform.api.problems import EXCEPTION_HANDLERS


@post("/")
async def read(request: Request[Any, Any, Any]) -> int:
    return len(await request.body())


def a_piece(body: bytes, *, more: bool) -> HTTPReceiveMessage:
    return {"type": "http.request", "body": body, "more_body": more}


async def sent(pieces: list[HTTPReceiveMessage], patience: float = 0.05) -> tuple[int, bytes]:
    """What a server answers to a body that comes piece by piece, and then not at all."""
    app = Litestar(
        [read], middleware=[BodiesInTime(patience)], exception_handlers=EXCEPTION_HANDLERS, openapi_config=None
    )
    answer: list[Message] = []

    async def receive() -> HTTPReceiveMessage:
        if pieces:
            return pieces.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        answer.append(message)

    scope: Any = {
        "type": "http", "method": "POST", "path": "/", "raw_path": b"/", "root_path": "", "query_string": b"",
        "headers": [], "scheme": "http", "server": None, "client": None, "http_version": "1.1", "asgi": {},
        "extensions": None,
    }  # fmt: skip
    checked: Scope = scope
    await app(checked, receive, send)
    start = answer[0]
    assert start["type"] == "http.response.start"
    return start["status"], b"".join(m["body"] for m in answer if m["type"] == "http.response.body")


async def test_a_body_that_stops_to_come_is_given_up() -> None:
    status, body = await sent([a_piece(b"a", more=True)])
    assert (status, b"did not arrive within" in body) == (408, True)
    assert (await sent([]))[0] == 408


async def test_a_body_that_comes_in_pieces_is_taken() -> None:
    assert await sent([a_piece(b"a", more=True), a_piece(b"bc", more=False)]) == (201, b"3")


async def test_after_the_body_the_hang_up_is_waited_for_without_end() -> None:
    middleware = BodiesInTime(0.01)
    waited = asyncio.Event()
    messages = [a_piece(b"", more=False)]

    async def receive() -> HTTPReceiveMessage:
        if messages:
            return messages.pop()
        await waited.wait()
        return {"type": "http.disconnect"}

    async def app(_scope: Scope, receive_in_time: Any, _send: Any) -> None:
        await receive_in_time()
        asyncio.get_running_loop().call_later(0.05, waited.set)
        assert (await receive_in_time())["type"] == "http.disconnect"

    nothing: Any = None
    await middleware.handle(nothing, receive, nothing, app)
