"""The ideal customer profile in words. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from valueplatform.narrative.ideal_profile_read import Declared, Fit, Group, IdealProfile, Match, Observed
from valueplatform.portal.catalog_view import PATH as CATALOG
from valueplatform.portal.exact import bare_text, count_text, short_text
from valueplatform.portal.view import ideal_customer as view
from valueplatform.portal.view.words import Chip, Link
from valueplatform.value.traits import Kind

PATH: Final = "/catalog/ideal-customer"
NOT_DECLARED: Final = (
    "Nothing is declared yet. Say in the model file what an ideal customer has: [[criterion]] with attribute, and "
    "one_of or at_least and at_most."
)
MOST_REASONS: Final = 2
_HOLDS: Final = Chip("on", "Goes with value")
_DOES_NOT: Final = Chip("nodata", "No clear relation")
_NOT_COMPARED: Final = Chip("nodata", "Not compared")


def ideal_customer_view(found: IdealProfile) -> view.IdealCustomer:
    holding = [one for one in found.observed if one.holds]
    others = [one.attribute for one in found.observed if not one.holds]
    return view.IdealCustomer(
        headline=_headline(found, holding),
        lead=_lead(found),
        declared=tuple(_declared(one) for one in found.declared),
        declared_empty="" if found.declared else NOT_DECLARED,
        traits=tuple(_trait(one) for one in holding),
        others=_others(others, found.not_compared),
        prospects=tuple(_prospect(one) for one in found.prospects),
        prospects_says=_prospects_says(found),
        method=found.method,
        back=Link("Catalog", CATALOG),
    )


def words(attribute: str) -> str:
    return attribute.replace("_", " ").replace("-", " ")


def _headline(found: IdealProfile, holding: Sequence[Observed]) -> str:
    if not found.accounts:
        return "No account has realized value to compare yet"
    if not holding:
        return f"No attribute of {count_text(found.accounts)} accounts clearly goes with what they realize"
    names = " and ".join(words(one.attribute) for one in holding[:2])
    return f"Of what is known about accounts, {names} {'goes' if len(holding) == 1 else 'go'} with realized value"


def _lead(found: IdealProfile) -> str:
    if not found.months:
        return "Accounts are compared by the worker once amounts of whole months are summed up."
    first, last = found.months[0], found.months[-1]
    compared = f"{count_text(found.accounts)} accounts, {first:%B %Y} to {last:%B %Y}."
    if found.says or found.skill is None:
        return f"{compared} {found.says}"
    percent = (found.skill * 100).quantize(Decimal(1))
    return f"{compared} Together these attributes explain {percent}% of how accounts rank, on accounts unseen."


def _declared(one: Declared) -> view.DeclaredRow:
    chip = _NOT_COMPARED if one.observed is None else _HOLDS if one.observed else _DOES_NOT
    known = one.met + one.unmet
    met = f"{count_text(one.met)} of {count_text(known)} accounts"
    if one.unknown:
        met += f"; not known of {count_text(one.unknown)}"
    return view.DeclaredRow(one.title, _asks(one), met, chip)


def _asks(one: Declared) -> str:
    name = words(one.attribute).capitalize()
    if one.one_of:
        return f"{name}: {', '.join(one.one_of)}"
    if one.at_least is None:
        return f"{name}: up to {bare_text(one.at_most or Decimal(0))}"
    if one.at_most is None:
        return f"{name}: {bare_text(one.at_least)} or more"
    return f"{name}: {bare_text(one.at_least)} to {bare_text(one.at_most)}"


def _trait(one: Observed) -> view.TraitPart:
    largest = max((group.median or Decimal(0) for group in one.groups), default=Decimal(0))
    name = words(one.attribute)
    if one.kind is Kind.NUMBER:
        more = "more" if one.strength > 0 else "less"
        says = f"Accounts with a higher number of {name} realize {more}."
        how = f"Rank correlation {one.strength} over {count_text(one.accounts)} accounts (p {one.p_value})."
    else:
        says = f"What accounts realize differs by {name}."
        part = _percent(one.strength)
        how = f"{part} of the variance of ranks over {count_text(one.accounts)} accounts (p {one.p_value})."
    groups = tuple(_group(group, largest) for group in one.groups)
    return view.TraitPart(f"trait-{one.attribute}", name.capitalize(), _HOLDS, says, how, groups)


def _group(group: Group, largest: Decimal) -> view.GroupRow:
    if group.median is None or group.accounts is None:
        return view.GroupRow(_name(group), "", "", "", 0.0)
    share = float(group.median / largest * 100) if largest > 0 and group.median > 0 else 0.0
    median = short_text(group.median, group.currency)
    return view.GroupRow(_name(group), count_text(group.accounts), median, format(group.median, "f"), share)


def _name(group: Group) -> str:
    if group.choice is not None:
        return group.choice
    if group.above is None:
        return f"Up to {bare_text(group.up_to)}" if group.up_to is not None else "All"
    if group.up_to is None:
        return f"Above {bare_text(group.above)}"
    return f"Above {bare_text(group.above)}, up to {bare_text(group.up_to)}"


def _others(others: Sequence[str], left_out: Sequence[str]) -> str:
    parts = []
    if others:
        parts.append(f"No clear relation: {', '.join(map(words, others))}.")
    if left_out:
        parts.append(
            f"Not compared, since too few have it or nearly each has its own: {', '.join(map(words, left_out))}."
        )
    return " ".join(parts)


def _prospect(one: Fit) -> view.ProspectRow:
    return view.ProspectRow(
        name=Link(one.name, f"/accounts/{quote(one.account, safe='')}/story"),
        score="" if one.score is None else format(one.score, "f"),
        why=_why(one),
        declared=_matches(one.declared),
    )


def _why(one: Fit) -> str:
    if one.score is None:
        return one.says
    known = [why for why in one.reasons if why.points is not None][:MOST_REASONS]
    said = [f"{words(why.attribute)} {_signed(why.points or Decimal(0))} points" for why in known]
    unknown = [words(why.attribute) for why in one.reasons if why.points is None]
    if unknown:
        said.append(f"not known: {', '.join(unknown)}")
    return "; ".join(said)


def _signed(points: Decimal) -> str:
    return f"+{points}" if points > 0 else f"\N{MINUS SIGN}{abs(points)}"


def _matches(matches: Sequence[Match]) -> str:
    if not matches:
        return "Nothing declared"
    met = sum(match.met is True for match in matches)
    missed = [match.title for match in matches if match.met is False]
    text = f"{met} of {len(matches)}"
    return f"{text}; not {', '.join(missed)}" if missed else text


def _prospects_says(found: IdealProfile) -> str:
    if not found.prospects:
        return "Every account has value already."
    return (
        "The score is the percentage of accounts with value that is predicted to realize less. It is a likeness, no "
        "value, and in no total."
    )


def _percent(share: Decimal) -> str:
    return f"{(share * 100).quantize(Decimal(1))}%"
