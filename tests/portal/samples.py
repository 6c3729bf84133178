"""Views for the templates: `rich` ones fill every field, `least` ones only what must be there."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from valueplatform.portal.view import finance, partners
from valueplatform.portal.view.assumptions import Assumption, Assumptions, Position, ProposeForm, QuestionForm
from valueplatform.portal.view.connect import (
    EventRow,
    KeyPage,
    KeyRow,
    Keys,
    Moment,
    Option,
    ReadingLine,
    RecentEvents,
    Run,
    Snippet,
    State,
    Tester,
)
from valueplatform.portal.view.conversation import Message, Prompt, Quote, Reply, SystemLine, Thread, Together, Topic
from valueplatform.portal.view.drawings import ChartView, Column, Spark, Strip, TableView
from valueplatform.portal.view.proof import (
    ClassRow,
    Dispute,
    Events,
    Formula,
    InputRow,
    MeterRow,
    Proof,
    Token,
    Verdict,
)
from valueplatform.portal.view.settings import Option as Choice
from valueplatform.portal.view.settings import Settings, Unsubscribe
from valueplatform.portal.view.shell import Bell, Failure, Freshness, Notice, Person, Shell, SignIn, Tab
from valueplatform.portal.view.steward import Account, Filter, NewsHold, Portfolio, PortfolioGroup, PortfolioRow
from valueplatform.portal.view.story import Chapter, PrintedProof, Since, SinceItem, Story, Suggestion
from valueplatform.portal.view.words import Act, Banner, Chip, Fact, Link, Note, NumberView, Sentence, Span

CHIP = Chip("under-review", "Under review")
LINK = Link("See both sides", "/assumptions?open=asm_7")
ACT = Act("Ask Maya Okafor about this", "/together", (("insight", "ins_11"),))
NUMBER = NumberView("saved", "$486K", "486080.00", "USD", "under-review", "/proof/ins_11", key=True)
SENTENCE = Sentence("ins_11", "attainment", (Span("That is "), Span("$486K", NUMBER), Span(" so far.")), is_new=True)
PLAIN = Sentence("ins_0", "insufficient-data", (Span("Too little data to say."),))
NOTE = Note("caveat", "9 to 17 March is missing.", (Span("Two depots sent nothing."),), (LINK,), CHIP, "ins_11")
FACT = Fact("Past suggestions like this", "11 of 14", "landed inside")

SHELL = Shell(
    supplier="Fieldnote",
    csrf="token-1",
    home="/story",
    place="Harbor Logistics",
    tabs=(Tab("Story", "/story", current=True), Tab("Together", "/together", count=1)),
    person=Person("Daniel Reyes", "DR", "Field operations"),
    sign_out=Act("Sign out", "/sign-out"),
    freshness=Freshness("40 s ago", "2026-09-02T13:41:00Z"),
    links=(Link("Partners", "/partners"),),
    notice=Notice("2 new in your story since 21 Aug.", LINK, Act("Dismiss", "/notices/dismiss", (("version", "7"),))),
    bell=Bell(
        3, (LINK, LINK), Act("Dismiss", "/notices/dismiss", (("version", "7"),)), "/notices/live?seen=x&at=%2Fwhy"
    ),
    settings=Link("Settings", "/settings"),
)
BARE = Shell(supplier="Fieldnote", csrf="token-0")

CHART = ChartView(
    id="fig-commitment",
    name="commitment",
    description="Realized value has reached $486K of $820K committed.",
    datasets={"rows": [{"end": "2026-08-31", "realized": 0.486, "last": True}], "gaps": []},
    params={"prefix": "$", "suffix": "M"},
    keys=(("realized", "Realized"), ("provisional", "Provisional"), ("gap", "No data")),
    tables=(
        TableView(
            "Value by month",
            (Column("To the end of"), Column("Realized", numeric=True)),
            ((Span("August 2026"), Span("$486K", NUMBER)),),
            (Span("Total"), Span("$486K")),
        ),
    ),
    title="Value to date",
    subtitle="Cumulative",
    note=NOTE,
)

STORY = Story(
    account_key="harbor",
    account_name="Harbor Logistics",
    version="v2",
    dateline="1 Sep 2025 to 31 Aug 2026",
    chip=Chip("on", "On plan"),
    headline=SENTENCE,
    lead=(PLAIN, SENTENCE),
    chapters=(
        Chapter(
            "repeat",
            "Repeat visits are behind",
            Chip("under", "Behind"),
            "cashable, measured against 2024",
            (SENTENCE, PLAIN),
            (NOTE, Note("context", "", (Span("Validated by Priya Nair."),))),
            Strip("Avoided repeat visits", 0.486, 0.703, 0.82, 0.937, "$486K", "$820K", risk=True),
            Link("Why repeat visits moved", "/why"),
            ACT,
            "Repeat visits",
        ),
    ),
    chart=CHART,
    suggestion=Suggestion("sug_1", "Turn on checklists.", (SENTENCE,), (FACT,), ACT, "Maya gets it.", "Included", ACT),
    since=Since("Since 21 Aug", "1 new", (SinceItem("Realized grew", "#stand", "31 Aug", "2026-08-31"),)),
    banner=Banner("stale", "As of 07:10.", "Nothing is lost."),
    earlier=(Link("June review", "/reviews/1"),),
    links=(Link("Download this story", "/story.md"),),
    printed=(PrintedProof("$486,080.00", "visits times cost", "1 under review", "example.test/proof/ins_11"),),
    ask=Act("Talk to Maya Okafor", "/together"),
    live_href="/story/live",
)
LEAST_STORY = Story("bright", "Bright Grid", "v0", "From 1 Oct 2026", Chip("nodata", "No data"), PLAIN, (), ())

INPUT = InputRow(
    "a2",
    "Cost of one repeat visit",
    "$310.00",
    "Fieldnote, 12 Jun 2025",
    CHIP,
    "/assumptions",
    Dispute("Priya Nair proposes $265.00.", "Travel is paid already.", "21 Aug", (Span("$416K", NUMBER),), (LINK,)),
)
PROOF = Proof(
    ref="ins_11",
    number="$486K",
    sentence=SENTENCE,
    verdict=Verdict(agrees=True, stated="$486,080.00", recomputed="$486,080.00", how="From 98,500 events, 09:41."),
    back=Link("Back to the story", "/story"),
    classes=(ClassRow("Cashable", "measured", "$486,080.00", "$412K to $560K"),),
    rests=CHIP,
    formula=Formula(
        (
            Token("term", "1,568", "visits avoided", "#m1"),
            Token("operator", "\N{MULTIPLICATION SIGN}"),
            Token("term", "$310", "cost of one repeat visit", "#a2", "under-review"),
            Token("result", "$486,080.00", "avoided repeat visits"),
        ),
        "1,568 visits times 310 dollars equals 486,080 dollars",
        "version 3",
        "visits_avoided * cost_per_visit",
    ),
    method="Sum of days.",
    facts=(FACT,),
    assumptions=(INPUT,),
    baselines=(InputRow("a1", "Repeat rate", "11.8%", "2024 records", Chip("validated", "Validated")),),
    meters=(MeterRow("m1", "Visits avoided", "visit.completed", "complete", "1,568"),),
    period="1 Sep 2025 to 31 Aug 2026",
    notes=(NOTE,),
    events=Events(
        "98,500, newest first",
        (Column("Time"), Column("Event", code=True), Column("Minutes", numeric=True)),
        (("31 Aug, 18:52:07", "visit.completed", "42"),),
        "/proof/ins_11/events?cursor=x",
        "/proof/ins_11/events.csv",
    ),
    ask=ACT,
)
LEAST_PROOF = Proof(
    "ins_0",
    "60",
    PLAIN,
    Verdict(agrees=False, stated="60", recomputed="59", how="People at Fieldnote are looking."),
    LINK,
)

ROW = PortfolioRow(
    "harbor",
    "Harbor Logistics",
    "Adopter, renews 30 Nov",
    "/accounts/harbor",
    NUMBER,
    SENTENCE,
    Chip("under", "Behind"),
    Link("Answer Priya", "/accounts/harbor/together/1"),
    Spark((0.02, -0.1, -0.3), 12, 0.14, "70% of committed", risk=True),
    NUMBER,
    "88% of commitment",
)
PORTFOLIO = Portfolio(
    SENTENCE,
    (Filter("Needs you", "/portfolio", 1, current=True),),
    (PortfolioGroup((ROW,)), PortfolioGroup((ROW,), "This week")),
    "/portfolio",
    "harb",
    "Ordered by value at stake",
    "No account matches.",
    Link("Show all 41", "/portfolio?show=all"),
    "/portfolio/live",
)
LEAST_ROW = PortfolioRow("b", "Bright Grid", "Buyer", "/accounts/b", NUMBER, PLAIN, CHIP, LINK)
LEAST_PORTFOLIO = Portfolio(PLAIN, (), (PortfolioGroup(()),), "/portfolio", empty="Nothing calls for you.")

TOPIC = Topic("What does a repeat visit cost?", "waits for Fieldnote", "/together/1", current=True)
QUOTE = Quote(SENTENCE, ("From your story", "Was $463K on 21 Aug"), "/proof/ins_11")
THREAD = Thread(
    "What does a repeat visit cost?",
    (
        Message("Priya Nair", "PN", "Finance", "21 Aug", "2026-08-21T10:12:00Z", ("I make it $265.",), (QUOTE,)),
        SystemLine((Span("Priya proposed $265.00."),), CHIP, (LINK,)),
    ),
    (Fact("Priya Nair", "Finance"),),
    Reply("/together/1", "Reply to Priya", "Half of travel?", "Write something first."),
    QUOTE,
    (Fact("What Maya sees", "This insight and its proof."),),
    "/together/1/live",
)
TOGETHER = Together((TOPIC,), THREAD, "", ACT)
LEAST_TOGETHER = Together((), None, "Open any number and ask about it.")

ACCOUNT = Account(
    STORY,
    "Adopter",
    (FACT,),
    (Prompt("Answer Priya", SENTENCE, LINK, NUMBER), Prompt("Ask Ana", PLAIN, LINK, NUMBER, "by 9 Dec", ACT)),
    (INPUT,),
    (TOPIC,),
    "/accounts/harbor/assumptions",
    "/accounts/harbor/together",
    NewsHold(
        "You may hold this back.", ("Savings fell.",), "/accounts/harbor/hold", ACT, ("Maya held it.",), "r", "No."
    ),
)
LEAST_ACCOUNT = Account(LEAST_STORY, "Buyer", (), (), (), (), "/a", "/t")

FORM = ProposeForm(
    "/assumptions/asm_7/propose",
    "285.00",
    "US dollars a visit",
    "Propose $285.00",
    "The total is then $1.80M.",
    "Half of travel",
    "",
    "/assumptions/asm_7/preview",
)
ASSUMPTION = Assumption(
    "asm_7",
    "Cost of one repeat visit",
    "Travel, labor",
    NUMBER,
    CHIP,
    "Fieldnote, 12 Jun 2025",
    NUMBER,
    Link("Hide", "/assumptions"),
    (Position("question", "Harbor proposes $265.00", "Paid already.", "Priya Nair, 21 Aug 2026"),),
    "If $265.00 is validated",
    ((Span("$416K", NUMBER), Span(", was $486K")),),
    FORM,
    QuestionForm("/assumptions/asm_7/dispute", "12", "Paid already.", "Say why."),
    (Act("Validate $310.00", "/assumptions/asm_7/validate"),),
)
ASSUMPTIONS = Assumptions(SENTENCE, (ASSUMPTION,), "What telemetry cannot see.", "None.")
LEAST_ASSUMPTION = Assumption("asm_2", "Hourly cost", "", NUMBER, CHIP, "Priya Nair")
LEAST_ASSUMPTIONS = Assumptions(None, (), "What telemetry cannot see.", "The model has none.")

SIGN_IN = SignIn("/sign-in", "daniel@", "That is not an e-mail address.")
FAILURE = Failure("This page did not load.", "What you typed is safe.", "7F3A-19", (LINK, LINK))


@dataclass(frozen=True)
class Rendering:
    """A template with the values it takes."""

    template: str
    values: dict[str, object]

    def with_each(self, change: Callable[[object], object]) -> "Rendering":
        return Rendering(self.template, {name: change(value) for name, value in self.values.items()})


def _page(template: str, **values: object) -> Rendering:
    return Rendering(template, {"shell": SHELL, **values})


MOMENT = Moment("2026-08-21T09:00:00Z", "3 s ago")
KEY_ROW = KeyRow("app", "/connect/1", Chip("on", "Connected"), "any account", "made 3 May", MOMENT)
KEYS = Keys(
    "One key is connected.", (KEY_ROW,), (KEY_ROW,), "valueplatform key create", "/connect/try", "/connect/keys", "x",
    "A key needs a name.",
)  # fmt: skip
LEAST_KEYS = Keys("No product is connected yet.", (), (), "valueplatform key create", "/connect/try")
EVENT_ROW = EventRow(
    "event-1",
    Chip("under", "Rejected"),
    "job.done",
    "acme",
    "jobs",
    "The event has no type.",
    (Fact("Id", "1", "given"),),
    (ReadingLine("jobs", "12", "", "team north", "dispatch_time"), ReadingLine("users", "", "no number", "", "", True)),
    "No meter reads it.",
    '{"id": "1"}',
    "What was sent",
    (Act("Replay this event", "/connect/1/replay/2"), Act("Try it", "/connect/try", (("body", "{}"),))),
    MOMENT,
)
LEAST_EVENT_ROW = EventRow("event-2", Chip("again", "Duplicate"), "job.done", "acme", "", "", (), ())
RECENT = RecentEvents(
    (Filter("All", "/connect/1", 2, current=True),), (EVENT_ROW, LEAST_EVENT_ROW), "", "Subjects are hidden.",
    Link("Show more", "/connect/1?cursor=x"),
)  # fmt: skip
LEAST_RECENT = RecentEvents((), (), "Nothing has come in yet.", "")
STATE = State("on", "Your first event is here", "It is stored.", MOMENT)
SNIPPET = Snippet("curl", "curl", ((Run("A "), Run("b", "code"), Run("c", "strong")),), "curl …", ((Run("After."),),))
KEY_PAGE = KeyPage(
    "app", (Fact("Made", "3 May"),), STATE, RECENT, (Filter("curl", "/connect/1?client=curl", 0, current=True),),
    SNIPPET, True, "/connect/1", "/connect/1/live", "/connect/try?key=1", "vp_ingest_x",
    Act("Revoke", "/connect/1/revoke"),
)  # fmt: skip
LEAST_KEY_PAGE = KeyPage(
    "app", (), State("waiting", "Waiting for your first event", "Run it."), LEAST_RECENT, (), None, False, "/connect/1"
)
TESTER = Tester(
    "/connect/try", (Option("segment", "Segment", selected=True),), (Option("", "Any key"),), "{}", "No JSON.",
    "Of two …", (EVENT_ROW, LEAST_EVENT_ROW),
)  # fmt: skip
LEAST_TESTER = Tester("/connect/try", (), ())

AMOUNT = finance.Amount("$2.06", "2.0628", "USD", "/finance/value-per-dollar")
NONE_KNOWN = finance.Amount("Not enough data", href="/finance/ltv")
LINE = finance.Line((((0.0, 0.2), (0.5, 1.0)), ((1.0, 0.0),)), 0.5, "Net retention: 102%, 104%, none")
CHOICES = (finance.Choice("All", "/finance", current=True), finance.Choice("Rail", "/finance?segment=rail"))
LEFT = (finance.LeftRow("Kyoto", "/accounts/kyoto", "no rate of JPY"), finance.LeftRow("Shared costs", "", "no rate"))
FINANCE = finance.Finance(
    "Every US dollar delivered ", AMOUNT, " of value.", "A year.", "", (finance.Measure("Per dollar", AMOUNT, "n"),),
    CHOICES, CHOICES, CHOICES, "2025-01-01", "2025-12-31", (finance.Field("by", "MONTH"),), ("Nov 2025", "Dec 2025"),
    (finance.TrendRow("Net", LINE, AMOUNT, "of the year", ("102%", "none")),
     finance.TrendRow("LTV", None, NONE_KNOWN, "of the year", ("none", "none"))),
    "Dashed.", (finance.Measure("LTV", NONE_KNOWN, "why"), finance.Measure("CAC", AMOUNT)), "Cashable $1M.",
    ("Net",), (finance.SegmentRow("Rail", "/finance?segment=rail", "7", (AMOUNT,)),),
    (finance.BarRow("Time", "$1M", 0.8, "80%", "$3M", attributed=True),
     finance.BarRow("Not attributed", "$0.2M", 0.2, "20%", "none", attributed=False)),
    AMOUNT, (finance.NextRow("1", "Rail", "/finance?segment=rail", AMOUNT, "7 accounts"),
             finance.NextRow("", "Space", "/finance?segment=space", NONE_KNOWN, "1 account")),
    LEFT, (Link("As CSV", "/finance/measures.csv"),),
)  # fmt: skip
LEAST_FINANCE = finance.Finance(
    "Nothing can be told", None, ".", "A year.", "There are no accounts.", (), (), (), (), "2025-01-01", "2025-12-31",
    (), (), (), "", (), "", (), (), (), None, (), (), (),
)  # fmt: skip
RECORD = finance.RecordRow("c-1", "Contract, new", "1 Jan 2025, open", "$2.00 a month")
OPENED_MEASURE = finance.Opened(
    "Net revenue retention", "Net revenue retention: 102%", "A year.", "What it is.", "a over b", "2 over 1", "Skok",
    True, "They agree.", (finance.Measure("LTV", finance.Amount("Open", href="/finance/ltv"), "is"),),
    (finance.PartRow("Opening", "opening", "$1.00", "Is."),), ("Opening",),
    (finance.OpenedAccount("Harbor", "/accounts/harbor/story", "rail", "Contracts", ("$1.00",), (RECORD,), (RECORD,)),
     finance.OpenedAccount("Globex", "/accounts/globex/story", "", "", ("$0.00",), (), ())),
    (RECORD,), (RECORD,), LEFT, Link("Back", "/finance"), Link("Show more", "/finance/nrr?cursor=x"),
)  # fmt: skip
LEAST_MEASURE = finance.Opened(
    "LTV", "LTV cannot be told", "A year.", "What it is.", "a", "a", "", False, "Differs.", (), (), (), (), (), (), (),
    Link("Back", "/finance"), None,
)  # fmt: skip

NINE = NumberView("realized", "$9.00", "9.0000", "USD", "estimated", "/proof/pty_x?number=realized")
PARTY = partners.PartyRow(
    "Tessera", NINE, replace(NINE, state="validated"), "30.0%", "Joint drivers without an agreed share"
)
REASON = partners.ReasonForm(
    "split-1", "/partners/splits/1", "Why?", (partners.Button("Agree", "agree", primary=True), partners.Button("Go")),
    (("provider", "tessera"),), "as sold", "It is settled already.",
)  # fmt: skip
CONSENT = partners.ConsentRow(
    "See this account", "Its own rows.", CHIP, "Given by Ana: yes", replace(REASON, name="tessera-see")
)
REPORTED = partners.ContributionRow(
    "Paper", ("May 2026", "", "Ledger"), NINE, CHIP, ((Span("Nothing yet."),),), replace(REASON, name="contribution-1")
)
SPLIT = partners.SplitRow(
    "Retyping", "Tessera 30%", CHIP, "From 4 May 2026 on", ("Proposed by Ana",), "Waits for your side", REASON
)
PARTNER_CHOICES = (partners.Choice("a", "One", chosen=True), partners.Choice("b", "Other"))
PROPOSE = partners.ProposeForm(
    "/partners/splits", PARTNER_CHOICES, PARTNER_CHOICES, "30", "50", "as sold", "More than all."
)
PARTNERS = partners.Partners(
    "Tessera shares in the value here.", "Realized.", (PARTY, PARTY), PARTY,
    (partners.JointDriver("Retyping", (Span("$9.00", NINE), Span(" together")), (PARTY,)),), (SPLIT,),
    (partners.Partner("partner-tessera", "Tessera", (CONSENT,), (REPORTED,)),), PROPOSE,
    partners.LetForm("/partners/consents", PARTNER_CHOICES), "It is settled.",
)  # fmt: skip
LEAST_PARTNERS = partners.Partners("No partner yet.", "Realized.", (), None, (), (), (), None, None)
SHARED = partners.SharedList(
    "Two accounts.", "Your own rows.",
    (partners.SharedRow("Harbor", "/shared/harbor", "Since May", NINE, "30%", NINE, "One waiting for you"),
     partners.SharedRow("Globex", "/shared/globex", "Since May", NINE, "", None, "")),
    Link("More accounts", "/shared?cursor=x"),
)  # fmt: skip
SHARED_ACCOUNT = partners.Shared(
    (Span("You contributed "), Span("$9.00", NINE)), "Realized.",
    (partners.PartFact("Your part", (Span("$9.00", NINE),), (Span("counted"),)),), (PARTY,),
    (Sentence("ins_1", "realized", (Span("It contributed."),)),), (CONSENT,), (REPORTED,), (SPLIT,),
    partners.ReportForm("/shared/harbor/contributions", PARTNER_CHOICES, "USD", (("id", "may"),), "Not a number."),
    partners.ProposeForm("/shared/harbor/splits", PARTNER_CHOICES, ()), (Link("Download your report", "/x.csv"),),
    "Settled.",
)  # fmt: skip
LEAST_SHARED = partners.Shared(
    (Span("You contributed $0.00."),), "Realized.", (), (), (), (), (), (),
    partners.ReportForm("/x", (), "USD", missing="They have not let you."), None, (),
)  # fmt: skip
SETTINGS = Settings(
    action="/settings",
    about="A digest tells what is new.",
    channels=(Choice("none", "No digests"), Choice("email", "E-mail", chosen=True, hint="To daniel@harbor.example.")),
    cadences=(Choice("weekly", "Every week", chosen=True),),
    weekdays=(Choice("0", "Monday", chosen=True),),
    hours=(Choice("8", "08:00", chosen=True),),
    timezone="Europe/Berlin",
    zones=("Europe/Berlin", "UTC"),
    webhook_url="https://hooks.example/in",
    url_hint="An address of yours.",
    languages=(Choice("en", "English", chosen=True), Choice("de", "German (Deutsch)")),
    state="The last digest was sent on 1 Sep 2026, 08:00.",
    trouble="The last digest could not be delivered.",
    bad_news=True,
    no_mail="E-mail is not set up here.",
    has_secret=True,
    secret="whsec_c2VjcmV0",
    saved=True,
    error="Give the address that digests are to be sent to.",
)
LEAST_SETTINGS = Settings(
    "/settings", "About.", (Choice("none", "No digests", chosen=True),), (), (), (), "UTC", (), "", "Yours."
)
LEAVING = Unsubscribe("Stop digests?", "You can choose them again.", Act("Stop digests", "/unsubscribe/1.a"))

RICH_PAGES = (
    _page("finance.html", finance=FINANCE),
    _page("finance_measure.html", opened=OPENED_MEASURE),
    _page("story.html", story=STORY),
    _page("proof.html", proof=PROOF),
    _page("portfolio.html", portfolio=PORTFOLIO),
    _page("account.html", account=ACCOUNT),
    _page("together.html", together=TOGETHER),
    _page("assumptions.html", assumptions=ASSUMPTIONS),
    _page("sign_in.html", sign_in=SIGN_IN),
    _page("sign_in_asked.html", sign_in=SIGN_IN),
    _page("sign_in_confirm.html", confirm=Act("Sign in", "/sign-in", (("token", "t"),))),
    _page("partners.html", partners=PARTNERS),
    _page("shared.html", shared=SHARED),
    _page("shared_account.html", shared=SHARED_ACCOUNT),
    _page("connect.html", keys=KEYS),
    _page("connect_key.html", key=KEY_PAGE),
    _page("connect_try.html", tester=TESTER),
    _page("link_expired.html", sign_in=SIGN_IN),
    _page("settings.html", settings=SETTINGS),
    _page("unsubscribe.html", unsubscribe=LEAVING),
    _page("error.html", failure=FAILURE),
)
LEAST_PAGES = tuple(
    page.with_each(lambda value: BARE if value is SHELL else value)
    for page in (
        _page("story.html", story=LEAST_STORY),
        _page("proof.html", proof=LEAST_PROOF),
        _page("portfolio.html", portfolio=LEAST_PORTFOLIO),
        _page("portfolio.html", portfolio=Portfolio(PLAIN, (), (PortfolioGroup((LEAST_ROW,)),), "/portfolio")),
        _page("account.html", account=LEAST_ACCOUNT),
        _page("together.html", together=LEAST_TOGETHER),
        _page("together.html", together=Together((), Thread("Talk", (), (), None))),
        _page("assumptions.html", assumptions=LEAST_ASSUMPTIONS),
        _page("assumptions.html", assumptions=Assumptions(None, (LEAST_ASSUMPTION,), "")),
        _page("finance.html", finance=LEAST_FINANCE),
        _page("partners.html", partners=LEAST_PARTNERS),
        _page("shared.html", shared=partners.SharedList("None yet.", "Your own rows.", (), None)),
        _page("shared_account.html", shared=LEAST_SHARED),
        _page("finance_measure.html", opened=LEAST_MEASURE),
        _page("connect.html", keys=LEAST_KEYS),
        _page("connect_key.html", key=LEAST_KEY_PAGE),
        _page("connect_try.html", tester=LEAST_TESTER),
        _page("sign_in.html", sign_in=SignIn("/sign-in")),
        _page("settings.html", settings=LEAST_SETTINGS),
        _page("unsubscribe.html", unsubscribe=Unsubscribe("Done.", "Settings bring them back.")),
        _page("error.html", failure=Failure("Not found.", "Nothing is lost.", "")),
    )
)
FRAGMENTS = (
    _page("connect_live.html", state=STATE, events=RECENT, csrf="token-1"),
    _page("connect_live.html", state=LEAST_KEY_PAGE.state, events=LEAST_RECENT, csrf="token-1"),
    _page("story_live.html", story=STORY),
    _page("story_live.html", story=LEAST_STORY),
    _page("proof_drawer.html", proof=PROOF),
    _page("proof_drawer.html", proof=LEAST_PROOF),
    _page("_portfolio_rows.html", portfolio=PORTFOLIO),
    _page("portfolio_live.html", portfolio=PORTFOLIO, bell=Bell(0), csrf="token-1"),
    _page("bell_live.html", bell=SHELL.bell, notice=SHELL.notice, csrf="token-1"),
    _page("notice_gone.html", bell=Bell(1, (LINK,)), csrf="token-1"),
    _page("_thread.html", thread=THREAD),
    _page("thread_live.html", thread=THREAD, notice=SHELL.notice, bell=SHELL.bell, csrf="token-1"),
    _page("thread_live.html", thread=THREAD, notice=None, bell=None, csrf="token-1"),
    _page("_proof_events.html", events=PROOF.events),
    _page("_propose.html", form=FORM, form_id="propose-asm_7"),
)
