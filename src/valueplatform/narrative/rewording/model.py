"""A language model behind one small interface: any address that speaks OpenAI's chat completions."""

from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import msgspec

from valueplatform.core.settings import RewordingSettings

TIMEOUT: Final = httpx.Timeout(30, connect=5)
MOST_BYTES: Final = 64 * 1024
INSTRUCTIONS: Final = (
    "You edit one sentence, or two, of a business report so that it reads well. Keep its meaning exactly. Marks in "
    "braces such as {change} stand for figures: keep each of them, once, with the word that stands before it. Add no "
    "fact, cause, judgment, name or number. Keep names and days letter by letter. Answer with the edited text alone."
)


class ModelError(Exception):
    """The model could not be asked, or did not answer as agreed; it may be asked again."""


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    choices: list[_Choice] = []


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """`client` is made anew for each round of questions and closed by the caller; the key is never logged."""

    settings: RewordingSettings
    client: httpx.AsyncClient = field(repr=False)

    async def reworded(self, draft: str) -> str:
        """What the model makes of a draft, untrusted. Raises ModelError."""
        headers = {"Authorization": f"Bearer {self.settings.key}"} if self.settings.key else {}
        request = self.client.build_request(
            "POST", f"{self.settings.url}/chat/completions", json=_question(self.settings.model, draft), headers=headers
        )
        try:
            response = await self.client.send(request, stream=True)
            try:
                body = await _bounded(response)
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise ModelError(type(error).__name__) from error
        if response.status_code != httpx.codes.OK:
            raise ModelError(f"status {response.status_code}")
        try:
            completion = msgspec.json.decode(body, type=_Completion)
        except msgspec.DecodeError as error:
            raise ModelError("no completion") from error
        answer = completion.choices[0].message.content if completion.choices else None
        if not answer:
            raise ModelError("no answer")
        return answer.strip()


async def _bounded(response: httpx.Response) -> bytes:
    body = b""
    async for part in response.aiter_bytes():
        body += part
        if len(body) > MOST_BYTES:
            raise ModelError("answer too long")
    return body


def _question(model: str, draft: str) -> dict[str, Any]:
    messages = [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": draft}]
    return {"model": model, "messages": messages, "temperature": 0}
