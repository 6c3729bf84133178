"""What both sides of the sample keep in writing."""

from datetime import date

import pytest

from valueplatform.sample import generate
from valueplatform.sample.papers import ACCOUNTS, Foreseen, Signed


@pytest.mark.parametrize(
    ("today", "month", "start"),
    [
        (date(2026, 5, 11), date(2026, 3, 1), date(2026, 6, 1)),
        (date(2026, 5, 12), date(2026, 4, 1), date(2026, 6, 1)),
        (date(2026, 1, 5), date(2025, 11, 1), date(2026, 2, 1)),
        (date(2026, 12, 31), date(2026, 11, 1), date(2027, 1, 1)),
    ],
)
def test_the_month_that_is_signed_is_closed_and_the_look_ahead_begins_with_the_next(
    today: date, month: date, start: date
) -> None:
    papers = generate(accounts=3, days=200, today=today).papers
    assert {paper.month for paper in papers if isinstance(paper, Signed)} == {month}
    assert {paper.start for paper in papers if isinstance(paper, Foreseen)} == {start}


def test_papers_are_of_accounts_with_somebody_to_sign_and_to_plan() -> None:
    supplier = generate(accounts=36, days=300, today=date(2026, 5, 20))
    roles = {(row["account"], row["email"]): row["role"] for row in supplier.people}
    assert len({paper.account for paper in supplier.papers}) == ACCOUNTS
    for paper in supplier.papers:
        author = paper.sponsor_email if isinstance(paper, Signed) else paper.author_email
        assert roles[paper.account, author] == "sponsor"


def test_who_never_went_live_keeps_nothing() -> None:
    supplier = generate(accounts=36, days=300, today=date(2026, 5, 20))
    live = {account.key for account in supplier.cast if account.live is not None}
    assert {paper.account for paper in supplier.papers} <= live
