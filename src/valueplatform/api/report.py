"""The value report, as JSON or CSV."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final

from litestar import Controller, Response, get
from litestar.exceptions import HTTPException
from litestar.params import QueryParameter

from valueplatform.api.calling import AccountKey, ApiRequest, Caller, OpenGate, open_account, partner_of
from valueplatform.api.documentation import READS, answers
from valueplatform.core.authorization import Action, may, scope_of
from valueplatform.narrative.report import Asked, Format, Part, read_report, report_bytes

_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9._-]+")
_WEIGHT: Final = re.compile(r"[01](\.[0-9]{0,3})?")
_ANY: Final = frozenset({"*/*", "application/*"})
_RESPONSES: Final = answers(dict[str, Any], None, *READS, 406, 422, description="The report: as JSON, or as text/csv.")


class ReportController(Controller):
    path = "/api/v1/accounts/{key:str}/report"
    tags = ("Report",)

    @get(summary="The value report", responses=_RESPONSES)
    async def report(
        self,
        request: ApiRequest,
        caller: Caller,
        gate: OpenGate,
        key: AccountKey,
        form: Annotated[
            str | None, QueryParameter(name="format", description="`json` or `csv`; without it, by `Accept`.")
        ] = None,
        part: Annotated[
            Part, QueryParameter(description="Of CSV: `value`, or `partners` for what they reported and agreed splits.")
        ] = Part.VALUE,
        start: Annotated[date | None, QueryParameter(name="from", description="First day.")] = None,
        end: Annotated[date | None, QueryParameter(name="to", description="Day after the last.")] = None,
    ) -> Response[bytes]:
        """JSON holds the fields of the value read (`rows` by driver and month, `totals`), `story` and `suggestions`;
        CSV one line a row of value, or with `part=partners` what partners reported and the splits agreed on. A
        partner's report is made of its own rows."""
        chosen = chosen_format(form, request.headers.get("accept", ""))
        asked = Asked(start, end, partner_of(caller), may(caller, Action.READ_CONTRACTS))
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            account = await open_account(tx, caller, key, Action.READ_REPORT)
            report = await read_report(tx, account, asked, gate.clock())
        name = _NOT_IN_NAMES.sub("-", account.key)
        headers = {"Vary": "Accept", "Content-Disposition": f'inline; filename="value-report-{name}.{chosen.value}"'}
        return Response(report_bytes(report, chosen, part), media_type=chosen.media_type, headers=headers)


def chosen_format(named: str | None, accept: str) -> Format:
    """The form that the query names, else the first that `Accept` takes; JSON where it takes anything.

    Raises HTTPException 406, naming what there is.
    """
    if named is not None:
        found = next((one for one in Format if one.value == named.strip().lower()), None)
        if found is not None:
            return found
        raise _not_available(f"format {named!r}")
    for wanted in _by_preference(accept) if accept.strip() else ("*/*",):
        if wanted in _ANY:
            return Format.JSON
        for one in Format:
            if wanted in {one.media_type, f"{one.media_type.partition('/')[0]}/*"}:
                return one
    raise _not_available(f"Accept {accept!r}")


def _by_preference(accept: str) -> list[str]:
    """The media ranges of an Accept header, the most wanted first; what is refused by `q=0` is left out."""
    found = []
    for part in filter(None, map(str.strip, accept.lower().split(","))):
        media_range, *parameters = (piece.strip() for piece in part.split(";"))
        weights = [piece[2:] for piece in parameters if piece.startswith("q=")]
        weight = weights[0] if weights and _WEIGHT.fullmatch(weights[0]) else "1"
        if Decimal(weight):
            found.append((-Decimal(weight), media_range))
    return [media_range for _, media_range in sorted(found, key=lambda pair: pair[0])]


def _not_available(wanted: str) -> HTTPException:
    there_is = ", ".join(f"{one.value} ({one.media_type})" for one in Format)
    return HTTPException(status_code=406, detail=f"The report is not available as {wanted}; there is {there_is}.")
