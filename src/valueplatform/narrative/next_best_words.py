"""Suggestions in words: what to do, why, and what is not known. Numbers are spans; none is computed here.

Never causal (value rule 6): accounts *realized* more after they began to use a feature; nothing says it made them.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from gettext import NullTranslations
from string import Formatter
from typing import Final

from babel import Locale

from valueplatform.narrative.document import Span
from valueplatform.narrative.insight import Standing
from valueplatform.narrative.next_best import Emptiness, Ground, Pricing, ReasonNumber, Suggestion
from valueplatform.narrative.next_best_prompt import Prompt, Why
from valueplatform.narrative.wording.numbers import day_text, number_text
from valueplatform.value.model import OfferKind

_WORTH_SAYING: Final = Decimal("0.01")
"""A smaller difference between shares is not worth a sentence."""

_PREDICTED: Final = frozenset({"uplift", "uplift_overall", "gross", "low", "expected", "high", "chance"})


class SuggestionWords:
    """One language. `translations` is a gettext catalog of the messages below; without it, English."""

    def __init__(self, locale: str = "en_US", translations: NullTranslations | None = None) -> None:
        self._locale = Locale.parse(locale)
        self._translations = translations or NullTranslations()

    def what(self, suggestion: Suggestion) -> str:
        """One imperative sentence."""
        _ = self._translations.gettext
        if suggestion.used_until is not None:
            message = _("Use {title} again.")
        else:
            message = {
                OfferKind.FEATURE: _("Start to use {title}."),
                OfferKind.SERVICE: _("Have {title} done."),
                OfferKind.PRACTICE: _("Make {title} a practice."),
                OfferKind.PRODUCT: _("Take {title} on."),
            }[suggestion.offer]
        return message.format(title=suggestion.title)

    def reason(self, suggestion: Suggestion) -> tuple[Span, ...]:
        """Whole sentences with a space between them."""
        numbers = {
            **{number.name: number for number in suggestion.numbers},
            **{cost.kind: ReasonNumber(cost.kind, cost.amount, cost.unit) for cost in suggestion.costs},
        }
        together = dict(zip(("first", "second"), suggestion.goes_with, strict=False))
        terms = {"segment": suggestion.segment or "", "practice": suggestion.practice or "", **together}
        return self._joined(self._filled(sentence, numbers, terms) for sentence in self._sentences(suggestion))

    def prompt(self, prompt: Prompt) -> tuple[Span, ...]:
        """To the steward: whom to talk to, why now, what is at stake."""
        _ = self._translations.gettext
        contact = prompt.contact
        terms = {
            "what": self.what(prompt.suggestion),
            "name": contact.name if contact else "",
            "role": contact.role if contact else "",
            "day": day_text(prompt.ends, self._locale) if prompt.ends else "",
        }
        sentences = [
            "{what}",
            _("Talk to {name} ({role}).") if contact else _("Nobody is named on the customer's side yet."),
            {
                Why.RENEWAL: _("The contract ends on {day}."),
                Why.ACCEPTED: _("It was accepted, and is not done yet."),
                Why.NEW: _("It is new."),
                Why.STANDING: _("No date presses."),
            }[prompt.why],
            *self._stake(prompt.suggestion),
        ]
        numbers = _stake_numbers(prompt.suggestion)
        return self._joined(self._filled(sentence, numbers, terms) for sentence in sentences)

    def _stake(self, suggestion: Suggestion) -> Iterator[str]:
        _ = self._translations.gettext
        if suggestion.expected is not None:
            yield _("Expected in the next 12 months: {expected}, likely {low} to {high}.")
        if suggestion.chance is not None:
            yield _("The chance that it is taken up within half a year is {chance}.")
        if (spoken := self._signs().get(suggestion.sign or "")) is not None:
            yield spoken

    def _signs(self) -> Mapping[str, str]:
        """What adds most to the chance."""
        _ = self._translations.gettext
        together = _("What speaks for it most: it goes with what they use.")
        return {
            "in_segment": _("What speaks for it most: it is usual in their segment."),
            "overall": _("What speaks for it most: it is usual."),
            "lately": _("What speaks for it most: many used it of late."),
            "affinity": together,
            "log_affinity": together,
            "breadth": _("What speaks for it most: they use much of what there is."),
            "tenure": _("What speaks for it most: how long they have been with us."),
            "size": _("What speaks for it most: how much they use."),
        }

    def empty(self, why: Emptiness) -> str:
        """Why there is nothing to suggest."""
        _ = self._translations.gettext
        return {
            Emptiness.NO_FEATURES: _("Nothing can be suggested: the value model names no features with events."),
            Emptiness.NOT_FITTED: _("Nothing can be suggested yet: accounts have not been compared."),
            Emptiness.CONTRACT_ENDED: _("Nothing is suggested: every contract has ended."),
            Emptiness.NOTHING_LEFT: _("Nothing is left to suggest: what may be had is in use, accepted or declined."),
            Emptiness.NOTHING_IN_FAVOR: _(
                "Nothing is suggested: of what may be had, nothing promises more than it costs, or is used elsewhere."
            ),
        }[why]

    def _sentences(self, suggestion: Suggestion) -> Iterator[str]:
        yield from self._usual(suggestion)
        yield from self._together(suggestion)
        if suggestion.practice is not None:
            _ = self._translations.gettext
            yield _(
                "Of the {top} accounts that realize most of {practice}, {top_using} use it; "
                "of the {rest} others, {rest_using}."
            )
        yield from self._ground(suggestion)
        yield from self._costs(suggestion)

    def _usual(self, suggestion: Suggestion) -> Iterator[str]:
        _ = self._translations.ngettext
        users = suggestion.number("users")
        if users is None or not users.value:
            return
        count = int(users.value)
        if suggestion.segment is None:
            yield _("{users} of {accounts} accounts uses it.", "{users} of {accounts} accounts use it.", count)
        else:
            yield _(
                "{users} of {accounts} accounts in {segment} uses it.",
                "{users} of {accounts} accounts in {segment} use it.",
                count,
            )

    def _together(self, suggestion: Suggestion) -> Iterator[str]:
        _ = self._translations.gettext
        match suggestion.goes_with:
            case (_one,):
                yield _("It often goes with {first}, which you use.")
            case (_one, _other):
                yield _("It often goes with {first} and {second}, which you use.")

    def _ground(self, suggestion: Suggestion) -> Iterator[str]:
        _, plural = self._translations.gettext, self._translations.ngettext
        counts = {
            number.name: int(number.value) for number in suggestion.numbers if number.unit in {"account", "month"}
        }
        match suggestion.ground:
            case Ground.EFFECT:
                yield from self._effect(suggestion)
            case Ground.FEW_ACCOUNTS:
                yield plural(
                    "We cannot price this yet: only {compared} account has enough months to compare.",
                    "We cannot price this yet: only {compared} accounts have enough months to compare.",
                    counts["compared"],
                )
            case Ground.FEW_ADOPTERS if not counts["adopters"]:
                yield _("We cannot price this yet: no account began to use it while its value was on record.")
            case Ground.FEW_ADOPTERS:
                yield plural(
                    "We cannot price this yet: only {adopters} account began to use it while its value was on record.",
                    "We cannot price this yet: only {adopters} accounts began to use it while their value was on "
                    "record.",
                    counts["adopters"],
                )
            case Ground.ONE_ACCOUNT:
                yield _("We cannot price this yet: what is known of it rests mostly on one account.")
            case Ground.PART:
                yield _("We name no value of its own: it is counted with the product that it is part of.")
            case Ground.UNCLEAR:
                yield _("We name no value: accounts that began to use it did not clearly realize more than others.")
            case Ground.SCATTERED:
                yield _("We cannot price this for you yet: accounts that began to use it differ too much.")
            case Ground.SHORT_RECORD:
                yield from self._short_record(suggestion)

    def _short_record(self, suggestion: Suggestion) -> Iterator[str]:
        _ = self._translations.gettext
        yield _("We cannot price this for you yet: too little of your own value is on record.")
        uplift = suggestion.number("uplift")
        if uplift is not None and uplift.value > 0:
            yield _("Accounts that began to use it went on to realize {uplift} more.")

    def _effect(self, suggestion: Suggestion) -> Iterator[str]:
        _ = self._translations.gettext
        yield _(
            "{adopters} accounts began to use it while their value was on record, and went on to realize "
            "{uplift_overall} more, measured against accounts without it in the same months."
        )
        own, overall = suggestion.number("uplift"), suggestion.number("uplift_overall")
        if own and overall and abs(own.value - overall.value) >= _WORTH_SAYING:
            yield _("For accounts like yours it comes to {uplift}.")
        yield _("On {year_of_value} a year, that is {gross} in the next 12 months.")

    def _costs(self, suggestion: Suggestion) -> Iterator[str]:
        _ = self._translations.gettext
        kinds = {cost.kind for cost in suggestion.costs}
        match suggestion.pricing:
            case Pricing.INCLUDED:
                yield _("It is included.")
            case Pricing.COSTS_EXTRA if "price" in kinds:
                yield _("It costs extra: {price} a year.")
            case Pricing.COSTS_EXTRA:
                yield _("It costs extra; the price is not stated.")
            case Pricing.NOT_STATED:
                yield _("Whether it costs extra is not stated.")
        if "effort" in kinds:
            yield _("Setting it up takes effort worth {effort}.")
        if suggestion.expected is None:
            return
        if suggestion.net and suggestion.costs:
            yield _("The expected value is what remains after that.")
        elif suggestion.costs and any(cost.unit != suggestion.unit for cost in suggestion.costs):
            yield _("The expected value is before that: no exchange rate is on record.")
        elif not suggestion.net:
            yield _("The expected value is before that.")

    @staticmethod
    def _joined(sentences: Iterable[Iterable[Span]]) -> tuple[Span, ...]:
        spans: list[Span] = []
        for sentence in sentences:
            spans += [Span(" "), *sentence] if spans else sentence
        return tuple(spans)

    def _filled(self, sentence: str, numbers: Mapping[str, ReasonNumber], terms: Mapping[str, str]) -> Iterator[Span]:
        for text, name, _, _ in Formatter().parse(sentence):
            if text:
                yield Span(text)
            if name is not None:
                yield Span(terms[name]) if name in terms else self._number(numbers[name])

    def _number(self, number: ReasonNumber) -> Span:
        # The noun of what is counted stands in the sentence.
        unit = "count" if number.unit in {"account", "month"} else number.unit
        return Span(
            text=number_text(number.value, unit, self._locale),
            name=number.name,
            value=format(number.value, "f"),
            unit=number.unit,
            standing=Standing.PREDICTED if number.name in _PREDICTED else None,
        )


def _stake_numbers(suggestion: Suggestion) -> dict[str, ReasonNumber]:
    found = {
        "low": (suggestion.low, suggestion.unit),
        "expected": (suggestion.expected, suggestion.unit),
        "high": (suggestion.high, suggestion.unit),
        "chance": (suggestion.chance, "share"),
    }
    return {name: ReasonNumber(name, value, unit) for name, (value, unit) in found.items() if value is not None}
