"""The routes of the partner and machine API."""

from litestar import Router
from litestar.di import Provide

from valueplatform.api import calling, events
from valueplatform.api.accounts import AccountsController
from valueplatform.api.assumptions import AssumptionsController
from valueplatform.api.attainment import AttainmentController
from valueplatform.api.benchmarks import BenchmarksController
from valueplatform.api.bridge import BridgeController
from valueplatform.api.calling import ExactRequest, Gate, known_callers_only
from valueplatform.api.capturing import CapturingController
from valueplatform.api.catalog import CatalogController
from valueplatform.api.collaborations import CollaborationsController
from valueplatform.api.conditional import ConditionalReads
from valueplatform.api.consents import ConsentsController
from valueplatform.api.contributions import AnswersController, ContributionsController
from valueplatform.api.data_quality import DataQualityController
from valueplatform.api.drivers import DriversController
from valueplatform.api.estimates import EstimatesController
from valueplatform.api.events import EventsController, Intake
from valueplatform.api.features import FeaturesController
from valueplatform.api.finance import FinanceController, RatesController
from valueplatform.api.ideal_customer import IdealCustomerController
from valueplatform.api.ingest_keys import IngestKeysController
from valueplatform.api.meters import MetersController
from valueplatform.api.milestones import MilestonesController
from valueplatform.api.news import HoldController, NoticesController
from valueplatform.api.objectives import ObjectivesController
from valueplatform.api.once import provide_sending
from valueplatform.api.otlp import OtlpController
from valueplatform.api.plan_terms import PlanTermsController
from valueplatform.api.plans import PlansController
from valueplatform.api.posthog import posthog_handlers
from valueplatform.api.proposals import ProposalsController
from valueplatform.api.report import ReportController
from valueplatform.api.scenarios import ScenariosController
from valueplatform.api.segment import segment_handlers
from valueplatform.api.splits import SplitsController
from valueplatform.api.statements import StatementsController
from valueplatform.api.stewardship import StewardshipController
from valueplatform.api.stories import StoriesController
from valueplatform.api.suggestions import SuggestionsController
from valueplatform.api.timeline import TimelineController


def api_router(gate: Gate, intake: Intake) -> Router:
    """Everything beneath `/api/v1`: no route of it answers without a valid key."""
    return Router(
        path="/",
        route_handlers=[
            EventsController,
            AccountsController,
            BridgeController,
            BenchmarksController,
            EstimatesController,
            AssumptionsController,
            ObjectivesController,
            PlansController,
            PlanTermsController,
            AttainmentController,
            StatementsController,
            ScenariosController,
            MilestonesController,
            ConsentsController,
            ContributionsController,
            AnswersController,
            SplitsController,
            TimelineController,
            StoriesController,
            NoticesController,
            HoldController,
            SuggestionsController,
            ReportController,
            MetersController,
            StewardshipController,
            CollaborationsController,
            OtlpController,
            CatalogController,
            DriversController,
            FeaturesController,
            IdealCustomerController,
            DataQualityController,
            IngestKeysController,
            FinanceController,
            RatesController,
            CapturingController,
            ProposalsController,
        ],
        dependencies={
            **calling.provided(gate),
            **events.provided(intake),
            "sending": Provide(provide_sending),
        },
        guards=[known_callers_only(gate)],
        middleware=[ConditionalReads()],
        request_class=ExactRequest,
    )


def ingest_router(gate: Gate, intake: Intake) -> Router:
    """The busiest addresses, and those of clients that carry their key in other ways than `Bearer`: each handler checks
    the key for itself."""
    return Router(
        path="/",
        route_handlers=[*events.event_handlers(gate, intake), *segment_handlers(), *posthog_handlers()],
        dependencies={**calling.provided(gate), **events.provided(intake)},
    )
