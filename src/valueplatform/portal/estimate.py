"""What a company may expect, from a few answers: for everybody, without signing in. Only figures of cohorts are read,
and nothing is kept. A model may close it (`[benchmark] public_estimate = false`)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from litestar import Response, get

from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.core.numbers import exact_decimal
from valueplatform.core.scope import no_accounts
from valueplatform.portal.calling import PortalRequest
from valueplatform.portal.estimate_view import Typed, estimate_view
from valueplatform.portal.portal import Shared
from valueplatform.portal.view.shell import Shell
from valueplatform.value.benchmark_store import newest_benchmarks
from valueplatform.value.benchmarks import Benchmarks
from valueplatform.value.model import ValueModel
from valueplatform.value.models import stored_model
from valueplatform.value.projection import Prospect
from valueplatform.value.self_estimate import Answers, self_estimate

PATH: Final = "/estimate"
OWN: Final = "value."
_WRONG: Final = "Write a number above zero, such as 45 or 12.50."


@get(PATH)
async def estimate_page(request: PortalRequest, portal: Shared) -> Response[str]:
    portal.visitors.admit(request.client.host if request.client else "")
    async with portal.door.web.transaction(no_accounts()) as tx:
        model, stored = await stored_model(tx), await newest_benchmarks(tx)
    if model is None or not model.benchmark.public_estimate:
        raise NotFoundError("There is no such page for you.")
    query = request.query_params
    typed = Typed({name: query.get(name, "").strip() for name in query})
    answers = read_answers(model, typed, query.getall("driver", []))
    made = stored.benchmarks if stored else Benchmarks((), model.benchmark.scale)
    found = estimate_view(self_estimate(stored, model, answers), made, model, answers, typed)
    shell = Shell(supplier=model.supplier.name, csrf="", home=PATH, place="Estimate")
    status = 400 if typed.errors else 200
    return portal.pages.page("estimate.html", status_code=status, shell=shell, estimate=found)


def read_answers(model: ValueModel, typed: Typed, drivers: list[str]) -> Answers:
    """What the model does not know is left out; a number that is none is an error of its field."""
    fields = typed.fields
    segment = fields.get("segment", "")
    values = {
        name.removeprefix(OWN): value
        for name in fields
        if name.startswith(OWN) and model.rate(name.removeprefix(OWN)) is not None
        if (value := _number(typed, name)) is not None
    }
    known = {one.slug for one in model.segments}
    return Answers(
        prospect=Prospect(
            segment=segment if segment in known else None,
            currency=_currency(fields, model),
            scale=_number(typed, "scale"),
        ),
        drivers=tuple(slug for slug in dict.fromkeys(drivers) if model.driver(slug) is not None),
        values=values,
    )


def _currency(fields: Mapping[str, str], model: ValueModel) -> str:
    given = fields.get("currency", "")
    return given if len(given) == 3 and given.isascii() and given.isupper() else model.supplier.currency


def _number(typed: Typed, name: str) -> Decimal | None:
    given = typed.fields.get(name, "")
    if not given:
        return None
    try:
        found = exact_decimal(given.replace(",", ""))
    except InvalidInputError:
        found = Decimal(0)
    if found <= 0:
        typed.errors[name] = _WRONG
        return None
    return found


HANDLERS = (estimate_page,)
