"""Meters and their values, in OpenMeter's response shape."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.params import Parameter

from valueplatform.api.calling import Gate, groups_of
from valueplatform.core.authorization import Action, KeyPrincipal, require, scope_of
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.core.periods import day_start, zone
from valueplatform.telemetry.meter_reads import MeterQuestion, MeterValue, WindowSize, query_meter
from valueplatform.value.models import newest_model


class MeterOut(msgspec.Struct, frozen=True):
    slug: str
    title: str
    aggregation: str
    eventTypes: Sequence[str]  # noqa: N815 - OpenMeter's spelling
    valueProperty: str | None  # noqa: N815 - OpenMeter's name
    groupBy: Sequence[str]  # noqa: N815 - OpenMeter's name
    filter: str | None


class MeterAnswer(msgspec.Struct, frozen=True):
    """OpenMeter's answer to a meter query."""

    windowSize: WindowSize | None  # noqa: N815 - OpenMeter's name
    data: list[MeterValue]


class MetersController(Controller):
    path = "/api/v1/meters"
    tags = ("Meters",)

    @get(summary="Meters of the value model in force")
    async def meters(self, caller: KeyPrincipal, gate: Gate) -> list[MeterOut]:
        require(caller, Action.READ_METERS)
        async with gate.web.transaction(scope_of(caller)) as tx:
            model = await newest_model(tx)
        return [
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

    @get("/{slug:str}/query", summary="Values of a meter by window")
    async def query(
        self,
        caller: KeyPrincipal,
        gate: Gate,
        slug: str,
        start: Annotated[str | None, Parameter(query="from", description="RFC 3339 time or a date")] = None,
        end: Annotated[str | None, Parameter(query="to", description="Exclusive; default now")] = None,
        window_size: Annotated[WindowSize | None, Parameter(query="windowSize")] = None,
        window_zone: Annotated[str | None, Parameter(query="windowTimeZone", description="IANA; default own")] = None,
        group_by: Annotated[list[str] | None, Parameter(query="groupBy")] = None,
        subject: list[str] | None = None,
        account: list[str] | None = None,
    ) -> MeterAnswer:
        require(caller, Action.READ_METERS)
        groups = groups_of(",".join(group_by or ()), ())
        if subject or "subject" in groups:
            require(caller, Action.READ_EVENTS)
        zone_name = zone(window_zone).key if window_zone else None
        now = gate.clock()
        question = MeterQuestion(
            start=_moment(start, "from", zone_name) or now - timedelta(days=30),
            end=_moment(end, "to", zone_name) or now,
            size=window_size,
            zone_name=zone_name,
            group_by=groups,
            subjects=tuple(subject or ()),
            accounts=tuple(account or ()),
        )
        if question.end <= question.start:
            raise InvalidInputError("`to` must be after `from`.")
        async with gate.web.transaction(scope_of(caller)) as tx:
            meter = (await newest_model(tx)).meter(slug)
            if meter is None:
                raise NotFoundError(f"The value model has no meter {slug!r}.")
            return MeterAnswer(window_size, await query_meter(tx, meter, question))


def _moment(given: str | None, name: str, zone_name: str | None) -> datetime | None:
    """A time with its zone, or the first moment of a date in the zone that is asked for (else UTC)."""
    if given is None:
        return None
    try:
        if len(given) == len("2026-01-31"):
            return day_start(date.fromisoformat(given), zone_name or "UTC")
        moment = datetime.fromisoformat(given.replace(" ", "+"))
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(f"`{name}` is {given!r}; write 2026-01-31 or 2026-01-31T09:00:00Z.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
