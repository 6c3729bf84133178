"""A proof as a partner may see it: its own number opened, without people, disputes and what others sent."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from valueplatform.narrative.proofs import InputLine, MeterLine, Proof
from valueplatform.value.model import BY_EVENT, ValueModel
from valueplatform.value.states import State

NO_EVENTS: Final[Mapping[str, object]] = {"count": None, "sample": [], "next_cursor": None, "is_exact": None}
"""Single events are not for partners; how many there are would tell of others."""


def proof_for_partner(proof: Proof, model: ValueModel) -> dict[str, Any]:
    """Who said something becomes nobody; where a driver counts each provider's events apart, its meters, which count
    them together, lose their value."""
    joint = any(
        driver.slug == line.slug and driver.provider == BY_EVENT for driver in model.drivers for line in proof.drivers
    )
    masked = msgspec.structs.replace(
        proof,
        baselines=tuple(_input(line) for line in proof.baselines),
        assumptions=tuple(_input(line) for line in proof.assumptions),
        meters=tuple(_meter(line) if joint else line for line in proof.meters),
    )
    shown: dict[str, Any] = msgspec.to_builtins(masked)
    return {**shown, "events": dict(NO_EVENTS)}


def _input(line: InputLine) -> InputLine:
    disputed = line.state == State.UNDER_REVIEW
    return msgspec.structs.replace(
        line,
        state=State.ESTIMATED if disputed else line.state,
        author="",
        validator=None,
        reason="",
        entry_id=None,
        disputed_by=None,
        dispute=None,
    )


def _meter(line: MeterLine) -> MeterLine:
    return msgspec.structs.replace(line, value="")
