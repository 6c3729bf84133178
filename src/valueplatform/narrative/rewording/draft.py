"""A sentence as a language model sees it: every number is a mark such as `{change}`; no amount leaves the program."""

import hashlib
import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

MARK: Final = re.compile(r"\{(?:size_)?[a-z0-9_]+\}")
LONGEST: Final = 600
"""Characters; no sentence of ours is as long."""


def draft_id(draft: str) -> str:
    return hashlib.sha256(draft.encode()).hexdigest()


@dataclass(slots=True)
class Rewordings:
    """The answers that one account's drafts have got, by draft (itself, where it stays as it is); `wanted` gathers the
    drafts that were told and have none. `private` are names that no draft may hold when it leaves the program: those of
    people."""

    answers: Mapping[str, str] = field(default_factory=dict)
    private: AbstractSet[str] = frozenset()
    wanted: set[str] = field(default_factory=set)

    def of(self, draft: str, is_faithful: Callable[[str], bool]) -> str | None:
        """The answer to a draft, if it holds today; a draft without an answer is wanted from now on."""
        answer = self.answers.get(draft)
        if answer is None:
            if self._may_leave(draft):
                self.wanted.add(draft)
            return None
        return answer if answer != draft and is_faithful(answer) else None

    def _may_leave(self, draft: str) -> bool:
        return len(draft) <= LONGEST and not any(name in draft for name in self.private)
