"""Meters and their values, in OpenMeter's response shape."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final

import msgspec
from litestar import Controller, Response, get
from litestar.enums import MediaType
from litestar.params import PathParameter, QueryParameter
from msgspec import Meta

from valueplatform.api.calling import Caller, OpenGate, groups_of, partner_of
from valueplatform.api.documentation import READS, answers
from valueplatform.api.paging import SHORT, Cursor, Limit, page_after
from valueplatform.core.authorization import Action, require, scope_of
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.core.pages import Page
from valueplatform.core.periods import ONE_DAY, zone
from valueplatform.telemetry.meter_reads import (
    SUBJECT,
    Instant,
    MeterQuestion,
    MeterValue,
    WindowSize,
    checked_instant,
    query_meter,
)
from valueplatform.telemetry.meters import Meter
from valueplatform.value.model import ValueModel
from valueplatform.value.models import newest_model

USUAL: Final = timedelta(days=30)
"""How far back a query goes that does not say from when."""

# OpenMeter's values are JSON numbers; these are written digit by digit, so they are exact all the same.
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


class MeterOut(msgspec.Struct, frozen=True, rename="camel"):
    """What a meter counts; `groupBy` are the dimensions that it may be grouped by."""

    slug: str
    title: str
    aggregation: str
    event_types: Sequence[str]
    value_property: str | None
    group_by: Sequence[str]
    filter: str | None


class MeterAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """OpenMeter's answer to a meter query; the end of each window is exclusive."""

    start: Annotated[str, Meta(description="A day or a time, as it was asked for.")] = msgspec.field(name="from")
    end: str = msgspec.field(name="to")
    window_size: WindowSize | None = msgspec.field(name="windowSize")
    data: list[MeterValue]


_METER = MeterOut("jobs_dispatched", "Jobs dispatched", "COUNT", ["job.dispatched"], None, ["team"], "channel = 'app'")
_ANSWER = {
    "from": "2026-05-01",
    "to": "2026-06-01",
    "windowSize": "DAY",
    "data": [
        {
            "value": 42,
            "windowStart": "2026-05-01T04:00:00Z",
            "windowEnd": "2026-05-02T04:00:00Z",
            "subject": None,
            "groupBy": {"team": "north"},
        }
    ],
}


class MetersController(Controller):
    path = "/api/v1/meters"
    tags = ("Meters",)

    @get(summary="Meters of the value model in force", responses=answers(Page[MeterOut], Page([_METER], None), *READS))
    async def meters(
        self, caller: Caller, gate: OpenGate, limit: Limit = SHORT, cursor: Cursor = None
    ) -> Page[MeterOut]:
        require(caller, Action.READ_METERS)
        async with gate.web.transaction(scope_of(caller)) as tx:
            model = await newest_model(tx)
        shown = [
            MeterOut(
                meter.slug,
                meter.title or meter.slug,
                meter.aggregation,
                meter.event_types,
                meter.property,
                meter.dimensions,
                meter.filter,
            )
            for meter in model.meters
        ]
        return page_after(shown, limit, cursor, lambda one: one.slug)

    @get("/{slug:str}/query", summary="Values of a meter by window", responses=answers(MeterAnswer, _ANSWER, *READS))
    async def query(
        self,
        caller: Caller,
        gate: OpenGate,
        slug: Annotated[str, PathParameter(description="The meter's name in formulas.")],
        start: Annotated[
            str | None,
            QueryParameter(name="from", description="RFC 3339 time, or a day; without it, 30 days before `to`."),
        ] = None,
        end: Annotated[
            str | None, QueryParameter(name="to", description="Exclusive: a time or a day; without it, tomorrow.")
        ] = None,
        window_size: Annotated[
            WindowSize | None, QueryParameter(name="windowSize", description="Without it, one window for all.")
        ] = None,
        window_zone: Annotated[
            str | None,
            QueryParameter(name="windowTimeZone", description="IANA name; without it, each account's own zone."),
        ] = None,
        group_by: Annotated[
            list[str] | None, QueryParameter(name="groupBy", description="Dimensions, `subject` or `account`.")
        ] = None,
        subject: Annotated[list[str] | None, QueryParameter(description="Only these subjects.")] = None,
        account: Annotated[list[str] | None, QueryParameter(description="Only these accounts, by key.")] = None,
    ) -> Response[MeterAnswer]:
        """Days are local to each account, or to `windowTimeZone`; windows follow its clock changes. A window and group
        in which nothing was metered is left out; averages are rounded half to even at 9 places. A partner reads its
        own events; subjects need the right to single events (`events:read`)."""
        require(caller, Action.READ_METERS)
        groups = groups_of(",".join(group_by or ()), ())
        if subject or SUBJECT in groups:
            require(caller, Action.READ_EVENTS)
        until = _instant(end, "to") or gate.clock().date() + ONE_DAY
        question = MeterQuestion(
            start=_instant(start, "from") or until - USUAL,
            end=until,
            size=window_size,
            zone_name=zone(window_zone).key if window_zone else None,
            group_by=groups,
            subjects=tuple(subject or ()),
            accounts=None if account is None else tuple(account),
            provider=partner_of(caller),
        )
        async with gate.web.transaction(scope_of(caller), steady=True) as tx:
            data = await query_meter(tx, _meter(await newest_model(tx), slug), question)
        answer = MeterAnswer(
            start=question.start.isoformat(), end=question.end.isoformat(), window_size=window_size, data=data
        )
        return Response(_ENCODER.encode(answer), media_type=MediaType.JSON)  # type: ignore[arg-type]  # encoded here


def _meter(model: ValueModel, slug: str) -> Meter:
    found = model.meter(slug)
    if found is None:
        raise NotFoundError(f"The value model has no meter {slug!r}.")
    return found


def _instant(given: str | None, name: str) -> Instant | None:
    """A day, or a time; one without a zone is in UTC."""
    if given is None:
        return None
    try:
        if len(given) == len("2026-01-31"):
            return checked_instant(date.fromisoformat(given))
        moment = datetime.fromisoformat(given.replace(" ", "+"))  # a plus in a query is read as a blank
    except ValueError as error:
        raise InvalidInputError(f"`{name}` is {given[:40]!r}; write 2026-01-31 or 2026-01-31T09:00:00Z.") from error
    return checked_instant(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
