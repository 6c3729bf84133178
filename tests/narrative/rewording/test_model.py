import httpx
import pytest

from tests.narrative.rewording.stand_in import response, stand_in
from valueplatform.core.settings import RewordingSettings
from valueplatform.narrative.rewording.model import LanguageModel, ModelError

DRAFT = "Your value rose by {change}."


async def ask(answer: bytes | str) -> str:
    async with stand_in(lambda _draft: answer) as other, httpx.AsyncClient() as client:
        return await LanguageModel(RewordingSettings(other.url, "small", "secret"), client).reworded(DRAFT)


async def test_a_draft_is_put_to_any_address_that_speaks_chat_completions() -> None:
    async with stand_in(lambda draft: f"  {draft} ") as other, httpx.AsyncClient() as client:
        model = LanguageModel(RewordingSettings(other.url, "small", "secret"), client)
        assert await model.reworded(DRAFT) == DRAFT
    assert other.drafts == [DRAFT]
    assert other.asked[0]["model"] == "small"
    assert other.keys == ["bearer secret"]


@pytest.mark.parametrize(
    "answer",
    [
        response("late", "503 Service Unavailable"),
        response("elsewhere", "302 Found\r\nLocation: http://127.0.0.1:1/"),
        response(None),
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnot json!",
        b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\ncut off",
        response("x" * 100_000),
        b"",
    ],
)
async def test_what_is_no_answer_is_an_error_that_may_be_tried_again(answer: bytes) -> None:
    with pytest.raises(ModelError):
        await ask(answer)


async def test_an_address_where_nobody_answers_is_an_error_too() -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(ModelError, match="ConnectError"):
            await LanguageModel(RewordingSettings("http://127.0.0.1:1", "small"), client).reworded(DRAFT)


def test_the_key_is_not_shown() -> None:
    assert "secret" not in repr(RewordingSettings("http://x", "small", "secret"))
