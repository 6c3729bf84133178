"""From an admitted insight to a sentence: one template a kind, numbers as spans, nothing computed here.

Templates see each number of the insight under its name (`{{ realized }}`), without its sign as `{{ size_change }}`
where words carry the sign, its exact value as `value.realized` for conditions, each term under its name (days and
months worded), and `to` (the audience), `account`, `supplier`. What is missing is an error. Texts are gettext
messages; `catalogs` holds them in other languages.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any, Final, Literal

from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined, meta, select_autoescape

from valueplatform.narrative.document import Audience, Language, Note, Sentence, Span
from valueplatform.narrative.faithful import Admitted
from valueplatform.narrative.faithful.sentences import check_sentence
from valueplatform.narrative.insight import Insight, Number
from valueplatform.narrative.rewording.acceptance import problems
from valueplatform.narrative.rewording.draft import MARK as DRAFT_MARK
from valueplatform.narrative.rewording.draft import Rewordings
from valueplatform.narrative.wording.catalogs import LOCALES, translations_of
from valueplatform.narrative.wording.numbers import day_text, month_text, number_text

Place = Literal["headline", "lead", "chapter", "margin"]
LONGEST_NAME: Final = 4
REMEMBERED: Final = 512
"""Sentences: more than the stories of one account say."""
HERE: Final = Path(__file__).parent
# Characters of the private use area mark where a number stands in rendered text.
_OPEN, _CLOSE, _BARE = "\ue000", "\ue001", "\ue002"
_MARK: Final = re.compile(f"{_OPEN}({_BARE}?)([a-z0-9_]+){_CLOSE}")
_MARKS: Final = re.compile(f"[{_OPEN}{_CLOSE}{_BARE}]")


class UnfaithfulSentenceError(AssertionError):
    """A rendered sentence that says something else than its insight: it is never shown."""


class Wording:
    """One language. `translations` are gettext catalogs of the templates' messages; without them, English."""

    def __init__(self, locale: str = "en_US", translations: NullTranslations | None = None) -> None:
        self.locale = Locale.parse(locale)
        self._translations = translations or NullTranslations()
        self._environment = Environment(
            loader=FileSystemLoader(HERE),
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            # Sentences are plain text; the pages that show them escape them.
            autoescape=select_autoescape(enabled_extensions=()),
            auto_reload=False,
        )
        self._environment.policies["ext.i18n.trimmed"] = True
        self._environment.filters["inside"] = inside_sentence if self.locale.language == "en" else str
        self._environment.filters["opening"] = opening_sentence
        self._spans = lru_cache(REMEMBERED)(self._said)
        self._problems = lru_cache(REMEMBERED)(self._check)
        self._figures = lru_cache(REMEMBERED)(self._all_figures)
        self._looks_at = cache(self._read_by)
        install = getattr(self._environment, "install_gettext_translations")  # noqa: B009 - added by the extension
        install(self._translations, newstyle=True)

    @property
    def language(self) -> Language:
        return Language(self.locale.language)

    def sentence(
        self,
        admitted: Admitted,
        audience: Audience,
        place: Place = "chapter",
        rewordings: Rewordings | None = None,
        *,
        asked: bool = False,
        cautioned: bool = False,
    ) -> Sentence:
        """The templates' words, or those of a language model where one is asked and says the same. `asked`: a sentence
        before this one has asked for the same remedy; `cautioned`: one of the chapter has said that what follows is not
        validated. Raises UnfaithfulSentenceError."""
        insight = admitted.insight
        template = f"sentences/{insight.kind}.j2"
        spans = self._spans(
            admitted, template, **self._seen(template, audience, place, asked=asked, cautioned=cautioned)
        )
        reworded = self._reworded(spans, admitted, rewordings) if rewordings is not None else None
        return Sentence(
            insight_id=admitted.id,
            kind=insight.kind,
            spans=reworded or spans,
            plain=spans if reworded else (),
            numbers=self._figures(admitted),
            strength=insight.strength,
            period_from=insight.period_from,
            period_to=insight.period_to,
        )

    def note(self, admitted: Admitted, audience: Audience, kind: str) -> Note:
        """A margin note. Raises UnfaithfulSentenceError."""
        title = self.phrase("note-title", admitted.insight.terms, about=admitted.insight.kind)
        template = f"notes/{admitted.insight.kind}.j2"
        spans = self._spans(admitted, template, **self._seen(template, audience, "margin"))
        return Note(kind=kind, title=title, spans=spans, insight_id=admitted.id)

    def phrase(self, template: str, terms: Mapping[str, str], **given: object) -> str:
        """Words without numbers: a title, a reason, a label."""
        context = {name: self._term(name, said) for name, said in terms.items()}
        return _tidy(self._environment.get_template(f"{template}.j2").render(context | given))

    def has_sentence(self, kind: str) -> bool:
        return _has_sentence(kind)

    def _seen(self, template: str, audience: Audience, place: Place, **said: bool) -> dict[str, Any]:
        """What the template looks at beside the insight: whoever differs in nothing else is told the same."""
        given = {"to": audience.value, "place": place, "asked": False, "cautioned": False} | said
        return {name: said for name, said in given.items() if name in self._looks_at(template)}

    def _read_by(self, template: str) -> frozenset[str]:
        source, *_ = FileSystemLoader(HERE).get_source(self._environment, template)
        return frozenset(meta.find_undeclared_variables(self._environment.parse(source)))

    def _said(self, admitted: Admitted, template: str, **seen: object) -> tuple[Span, ...]:
        insight = admitted.insight
        context = self._context(admitted) | seen
        text = self._opened(_tidy(self._environment.get_template(template).render(context)))
        spans = self._parted(text, insight)
        found = self._problems(spans, admitted)
        if found:
            text = _MARK.sub(r"<\2>", text)
            raise UnfaithfulSentenceError(f"{insight.kind}, {insight.subject}: {'; '.join(found)} in {text!r}")
        return spans

    def _check(self, spans: tuple[Span, ...], admitted: Admitted) -> list[str]:
        return check_sentence(spans, admitted, str(self.locale))

    def _reworded(self, spans: tuple[Span, ...], admitted: Admitted, rewordings: Rewordings) -> tuple[Span, ...] | None:
        """The answer to this sentence's draft as spans; None where there is none, or it does not say the same."""
        numbers = {number.name: number for number in admitted.insight.numbers}
        draft = "".join(self._mark_of(span, numbers) for span in spans)

        def read(answer: str) -> tuple[Span, ...]:
            return self._parted(_marked(answer), admitted.insight)

        def is_faithful(answer: str) -> bool:
            return not problems(draft, answer) and not check_sentence(read(answer), admitted, str(self.locale))

        answer = rewordings.of(draft, is_faithful)
        return None if answer is None else read(answer)

    def _mark_of(self, span: Span, numbers: Mapping[str, Number]) -> str:
        if span.name is None:
            return span.text.replace("{", "(").replace("}", ")")
        number = numbers[span.name]
        signed = span.text == number_text(number.value, number.unit, self.locale, signed=True)
        return f"{{{span.name}}}" if signed else f"{{size_{span.name}}}"

    def _parted(self, text: str, insight: Insight) -> tuple[Span, ...]:
        """Rendered text with its numbers as spans of their own."""
        spans: list[Span] = []
        position = 0
        for mark in _MARK.finditer(text):
            if mark.start() > position:
                spans.append(Span(text[position : mark.start()]))
            spans.append(self._span(insight.number(mark[2]), signed=not mark[1]))
            position = mark.end()
        if position < len(text):
            spans.append(Span(text[position:]))
        return tuple(spans)

    def _all_figures(self, admitted: Admitted) -> tuple[Span, ...]:
        return tuple(self._span(number, signed=True) for number in admitted.insight.numbers)

    def _span(self, number: Number, *, signed: bool) -> Span:
        return Span(
            text=number_text(number.value, number.unit, self.locale, signed=signed),
            name=number.name,
            value=format(number.value, "f"),
            unit=number.unit,
            standing=number.standing,
        )

    def _context(self, admitted: Admitted) -> dict[str, Any]:
        insight = admitted.insight
        terms = {name: self._term(name, said) for name, said in insight.terms.items()}
        return {
            **terms,
            **{number.name: f"{_OPEN}{number.name}{_CLOSE}" for number in insight.numbers},
            **{f"size_{number.name}": f"{_OPEN}{_BARE}{number.name}{_CLOSE}" for number in insight.numbers},
            "value": {number.name: number.value for number in insight.numbers},
            "terms": terms,
            "names": [number.name for number in insight.numbers],
            "marks": {number.name: f"{_OPEN}{number.name}{_CLOSE}" for number in insight.numbers},
            "account": self._short(admitted.account_name),
            "supplier": _plain(admitted.supplier_name),
            "subject": insight.subject,
        }

    def _short(self, account: str) -> str:
        """An account with a long name is called by what it is, so that a headline stays short."""
        return _plain(account) if len(account.split()) <= LONGEST_NAME else self._translations.gettext("this account")

    def _opened(self, text: str) -> str:
        """What stands for a long name begins a sentence like any other words."""
        short = self._translations.gettext("this account")
        return re.sub(rf"(?:^|(?<=[.!?] )){re.escape(short)}\b", opening_sentence(short), text)

    def _term(self, name: str, said: str) -> str:
        if name.endswith("_day"):
            return day_text(date.fromisoformat(said), self.locale)
        if name.endswith("month"):
            return month_text(date.fromisoformat(said), self.locale)
        return _plain(said)


@cache
def _has_sentence(kind: str) -> bool:
    return (HERE / "sentences" / f"{kind}.j2").is_file()


@cache
def english() -> Wording:
    return Wording()


@cache
def wording_in(language: Language) -> Wording:
    if language is Language.ENGLISH:
        return english()
    return Wording(LOCALES[language], translations_of(language))


def render(
    admitted: Admitted, audience: Audience, wording: Wording | None = None, place: Place = "chapter"
) -> Sentence:
    """The one way from an insight to words; it takes nothing but what `admit` let through."""
    return (wording or english()).sentence(admitted, audience, place)


def inside_sentence(name: str) -> str:
    """A title as it reads within a sentence: 'Hourly cost' becomes 'hourly cost', 'ERP hours' stays."""
    return name[:1].lower() + name[1:] if name[1:2].islower() or name[1:2] == " " else name


def opening_sentence(name: str) -> str:
    """A title as it begins a sentence."""
    return name[:1].upper() + name[1:]


def _marked(answer: str) -> str:
    """The marks of a draft as those of rendered text."""
    return DRAFT_MARK.sub(_rendered_mark, _plain(_tidy(answer)))


def _rendered_mark(mark: re.Match[str]) -> str:
    name = mark[0].strip("{}")
    bare = name.removeprefix("size_")
    return f"{_OPEN}{_BARE if bare != name else ''}{bare}{_CLOSE}"


def _plain(text: str) -> str:
    """Text of the record cannot stand for a number of ours."""
    return _MARKS.sub("", text)


def _tidy(text: str) -> str:
    return " ".join(text.split(None))
