"""What the customer put in over a period (value rule 7): its contracts, and its effort as far as it is on record.

One definition for every return that is told: implementation and own work are known where costs of the account say them
(`accounts.costs.KNOWN_EFFORT`), in its currency; then they are in it, and otherwise only contracts are, and it is said.
"""

from dataclasses import dataclass

from valueplatform.core.periods import Period
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import Figure, effort, number, paid, plus
from valueplatform.narrative.insight import Number


@dataclass(frozen=True, slots=True)
class PutIn:
    """`effort` is 0 where none is known of the period; `whole` is both."""

    paid: Figure
    effort: Figure
    currency: str

    @property
    def whole(self) -> Figure:
        return plus((self.paid, self.effort)) if self.effort.value else self.paid

    @property
    def term(self) -> str:
        return "contracts-and-effort" if self.effort.value else "contracts"

    @property
    def numbers(self) -> tuple[Number, ...]:
        """The parts, and what they come to where these are two."""
        parts = (number("paid", self.paid, self.currency), number("effort", self.effort, self.currency))
        return (*parts, number("put_in", self.whole, self.currency)) if self.effort.value else parts


def put_in(facts: AccountFacts, period: Period) -> PutIn:
    return PutIn(paid(facts, period), effort(facts, period), facts.currency)
