"""What a language model may change in a sentence, and every kind of lie that it must not tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.narrative.rewording.acceptance import FUNCTION_WORDS, problems

ROSE = "Your value rose by {size_change} in June 2026, to {current}. None of it is validated yet."
MOVED = "Dispatch time went from {before} to {now} between 1 May 2026 and 3 Jun 2026."
BEHIND = "You have realized {realized}, behind the {expected} committed by now."

SWAPPED = "Your value rose by {current} in June 2026, to {size_change}. None of it is validated yet."
SWAPPED_TIME = "Dispatch time went to {before} from {now} between 1 May 2026 and 3 Jun 2026."
MOVED_DOUBT = "None of your value rose by {size_change} in June 2026, to {current}. It is validated yet."


@pytest.mark.parametrize(
    ("draft", "answer"),
    [
        (ROSE, ROSE),
        (ROSE, "In June 2026 your value grew by {size_change} to {current}. None of it is validated yet."),
        (ROSE, "Your value increased by {size_change}, to {current}, in June 2026; none of it is validated yet."),
        (MOVED, "Between 1 May 2026 and 3 Jun 2026, dispatch time went from {before} to {now}."),
        (BEHIND, "Today you have realized {realized}, behind the {expected} committed by now.".replace("Today ", "")),
        (BEHIND, "By today you have realized {realized}, behind the {expected} committed."),
    ],
)
def test_order_and_small_words_may_change(draft: str, answer: str) -> None:
    assert problems(draft, answer) == []


@pytest.mark.parametrize(
    ("lie", "draft", "answer"),
    [
        ("a figure of its own", ROSE, ROSE.replace("{size_change}", "$5K")),
        ("a figure in words", ROSE, ROSE.replace("rose", "rose two times")),
        ("a figure left out", ROSE, "Your value rose in June 2026, to {current}. None of it is validated yet."),
        ("a figure told twice", ROSE, ROSE.replace("to {current}", "to {current}, to {current}")),
        ("an unknown mark", ROSE, ROSE.replace("{current}", "{target}")),
        ("amounts that trade places", ROSE, SWAPPED),
        ("before and after that trade places", MOVED, SWAPPED_TIME),
        ("another direction", ROSE, ROSE.replace("rose", "fell")),
        ("no direction", BEHIND, BEHIND.replace(", behind", ", against")),
        ("another month", ROSE, ROSE.replace("June", "July")),
        ("another year", ROSE, ROSE.replace("2026", "2025")),
        ("days that trade places", MOVED, MOVED.replace("1 May 2026 and 3 Jun", "3 Jun 2026 and 1 May")),
        ("a caveat dropped", ROSE, "Your value rose by {size_change} in June 2026, to {current}."),
        ("a caveat turned round", ROSE, ROSE.replace("None of it", "All of it")),
        ("a negation that moves", ROSE, MOVED_DOUBT),
        ("a cause", ROSE, ROSE.replace("in June", "because of our product in June")),
        ("a judgment", ROSE, ROSE.replace("rose", "rose impressively")),
        ("a promise", BEHIND, BEHIND.replace("by now", "by now and will catch up")),
        ("a name", BEHIND, BEHIND.replace("You have", "Acme Corp has")),
        ("markup", ROSE, ROSE.replace("Your value", "<b>Your value</b>")),
        ("a link", ROSE, ROSE + " [more](x)"),
        ("a question", BEHIND, BEHIND.replace("now.", "now?")),
        ("nothing", ROSE, ""),
        ("talk", ROSE, "Sure! Here is the sentence: " + ROSE),
        ("a flood", ROSE, ROSE + " of the" * 500),
        ("a number in other digits", ROSE, ROSE.replace("2026", "\uff12\uff10\uff12\uff16")),
        ("a letter that looks alike", ROSE, ROSE.replace("validated", "v\u0430lidated")),
        ("a hidden character", ROSE, ROSE.replace("value", "val\u200bue")),
    ],
)  # fmt: skip
def test_a_lie_is_refused(lie: str, draft: str, answer: str) -> None:
    assert problems(draft, answer), lie


def test_words_of_doubt_or_meaning_are_no_function_words() -> None:
    weighty = {"not", "no", "none", "about", "estimated", "could", "may", "will", "because", "if", "before", "after"}
    assert not weighty & FUNCTION_WORDS


@given(
    st.lists(st.sampled_from([*sorted(FUNCTION_WORDS), "not", "because", "more", "validated", "7", "?"]), max_size=6)
)
def test_what_is_appended_says_nothing_or_is_refused(more: list[str]) -> None:
    found = problems(BEHIND, " ".join([BEHIND, *more]))
    assert bool(found) is not set(more).issubset(FUNCTION_WORDS)
