"""J5: planted faults that are caught, and numbers of told insights that re-compute from raw events.

Faults of more than twelve kinds (wrong number, unit, sign, period, name, rounding, …) are planted in the insights and
sentences of five rich accounts, in every language; a fault counts as caught if the insight is refused or the sentence
is withheld. Run:
`python -m benchmarks.faithfulness [--quick]`.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import msgspec

from benchmarks.figures import Measured, figure
from tests.narrative.factories import admitted, harbor, record_of, summit
from tests.narrative.faults import FAULTS_IN, INSIGHT_FAULTS, SentenceFault
from tests.narrative.further_accounts import cascade, delmar, lakeshore, opened
from valueplatform.commands import seeding
from valueplatform.commands.context import connect, upgrade_schema
from valueplatform.commands.verify import FIRST_DAY, verified
from valueplatform.core.embedded import running
from valueplatform.core.settings import Settings
from valueplatform.narrative.document import Audience, Language
from valueplatform.narrative.faithful import Admitted, admit, rederive_from
from valueplatform.narrative.faithful.sentences import check_sentence
from valueplatform.narrative.wording import english, render, wording_in
from valueplatform.sample import generate
from valueplatform.sample.events import arrivals
from valueplatform.telemetry.cloudevents import parse_json
from valueplatform.telemetry.group_commit import commit_requests
from valueplatform.telemetry.requests import IngestRequest, Sender
from valueplatform.telemetry.storing import Ledger
from valueplatform.worker import Worker

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def planted_faults() -> tuple[int, int, int]:
    """How many faults were planted, how many caught, and of how many kinds."""
    planted = caught = 0
    worlds = [(record_of(facts), admitted(facts)) for facts in (harbor(), summit(), delmar(), cascade(), lakeshore())]
    for record, told in (*worlds, opened(harbor())):
        for plant_insight in INSIGHT_FAULTS:
            for faulty in (f for given in told for f in plant_insight(given.insight, record)):
                planted += 1
                caught += not admit([faulty], rederive_from(record, [faulty]))[0]
        sentences = [given for given in told if english().has_sentence(given.insight.kind)]
        for language, plants in FAULTS_IN.items():
            in_sentences = planted_in_sentences(sentences, language, plants)
            planted, caught = planted + in_sentences[0], caught + in_sentences[1]
    return planted, caught, len(INSIGHT_FAULTS) + len({plant for plants in FAULTS_IN.values() for plant in plants})


def planted_in_sentences(
    told: Sequence[Admitted], language: Language, plants: Sequence[SentenceFault]
) -> tuple[int, int]:
    """How many faults were planted in sentences of a language, and how many were caught."""
    planted = caught = 0
    wording = wording_in(language)
    for plant in plants:
        for given in told:
            for audience in (Audience.CUSTOMER, Audience.STEWARD):
                for spans in plant(render(given, audience, wording).spans, given.insight):
                    planted += 1
                    caught += bool(check_sentence(spans, given, str(wording.locale)))
    return planted, caught


async def told_numbers(accounts: int, days: int) -> tuple[int, int]:
    """Numbers of insights that hold in a loaded sample, and how many of them differ from their recomputation."""
    now = datetime.now(UTC)
    supplier = generate(accounts=accounts, days=days, today=now.date(), until=now)
    with tempfile.TemporaryDirectory(prefix="vp-bench-") as folder, running(Path(folder)) as server:
        databases = connect(Settings(None, Path(folder)), server.url)
        await upgrade_schema(databases)
        await seeding.load_rows(databases, supplier, lambda *_: None)
        await seeding.load_agreements(databases, supplier, lambda *_: None)
        ledger, each = Ledger(), (a.event for a in arrivals(supplier.cast, supplier.seed, supplier.until))
        while batch := list(islice(each, 1000)):
            parsed = parse_json(_ENCODER.encode(batch), now)
            request = IngestRequest(Sender("benchmark", "supplier"), now, parsed.events, parsed.rejections)
            await commit_requests(databases.ingest, [request], ledger)
        await Worker(databases.worker).drain()
        verdict = await verified(databases, None, FIRST_DAY)
        await databases.dispose()
    return verdict.insight_numbers, len(verdict.differences)


async def main(*, quick: bool) -> None:
    planted, caught, kinds = planted_faults()
    name = f"planted faults caught, of {kinds} kinds"
    figure("J5", name, Measured(caught, planted), target=planted, unit="faults", n=planted)
    numbers, differ = await told_numbers(*((6, 200) if quick else (36, 548)))
    name = "numbers of told insights that re-compute exactly"
    figure("J5", name, Measured(numbers - differ, numbers), target=numbers, unit="numbers", n=numbers)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smaller sample")
    parser.add_argument("--data", help="taken for the sake of one form; this benchmark makes its own data")
    asyncio.run(main(quick=parser.parse_args().quick))
