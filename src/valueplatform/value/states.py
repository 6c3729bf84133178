"""The words for how far a value can be believed, and how they combine (value rules 2, 4, 9 and 10)."""

from collections.abc import Iterable
from enum import StrEnum


class State(StrEnum):
    """How far both sides agree. *measured*: it rests on telemetry alone, there is nothing to agree on."""

    UNDER_REVIEW = "under-review"
    ESTIMATED = "estimated"
    PROPOSED = "proposed"
    VALIDATED = "validated"
    MEASURED = "measured"


_STATE_RANK = {state: rank for rank, state in enumerate(State)}


def weakest_state(states: Iterable[State]) -> State:
    """The state of what rests on all of `states`; of nothing, MEASURED."""
    return min(states, key=_STATE_RANK.__getitem__, default=State.MEASURED)


def is_agreed(state: State) -> bool:
    """Whether value in this state may count (rule 10), as far as assumptions and baselines go."""
    return state in {State.VALIDATED, State.MEASURED}
