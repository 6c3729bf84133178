CREATE TABLE account (
    account_id BIGINT GENERATED ALWAYS AS IDENTITY,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    timezone TEXT NOT NULL,
    edition TEXT DEFAULT '' NOT NULL,
    segment TEXT,
    stage TEXT,
    attributes JSONB DEFAULT '{}' NOT NULL,
    revision BIGINT DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    refreshed_at TIMESTAMP WITH TIME ZONE,
    reconciled_at TIMESTAMP WITH TIME ZONE,
    examined_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_account PRIMARY KEY (account_id),
    CONSTRAINT uq_account_key UNIQUE (key)
);

CREATE TABLE accrual (
    account_id BIGINT NOT NULL,
    driver TEXT NOT NULL,
    provider TEXT NOT NULL,
    day DATE NOT NULL,
    basis_id UUID NOT NULL,
    low NUMERIC(38, 4),
    expected NUMERIC(38, 4),
    high NUMERIC(38, 4),
    reason TEXT,
    uncapped NUMERIC(38, 4),
    CONSTRAINT pk_accrual PRIMARY KEY (account_id, driver, provider, day)
);

CREATE INDEX ix_accrual_account_id_day ON accrual (account_id, day);

CREATE TABLE api_key (
    key_id UUID NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    provider TEXT NOT NULL,
    account_ids BIGINT[],
    sources TEXT[],
    scopes TEXT[] NOT NULL,
    person TEXT,
    rate_limit BIGINT,
    burst BIGINT,
    daily_quota BIGINT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_api_key PRIMARY KEY (key_id)
);

CREATE TABLE key_usage (
    key_id UUID NOT NULL,
    tokens NUMERIC,
    filled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    day DATE NOT NULL,
    used BIGINT NOT NULL,
    CONSTRAINT pk_key_usage PRIMARY KEY (key_id),
    CONSTRAINT fk_key_usage_key_id_api_key FOREIGN KEY(key_id) REFERENCES api_key (key_id)
);

CREATE TABLE app_user (
    user_id BIGINT GENERATED ALWAYS AS IDENTITY,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    account_ids BIGINT[],
    provider TEXT,
    disabled_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_app_user PRIMARY KEY (user_id),
    CONSTRAINT uq_app_user_email UNIQUE (email)
);

CREATE TABLE attempt (
    attempt_id BIGINT GENERATED ALWAYS AS IDENTITY,
    subject TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_attempt PRIMARY KEY (attempt_id)
);

CREATE INDEX ix_attempt_subject_at ON attempt (subject, at);

CREATE TABLE catalog_due (
    account_id BIGINT NOT NULL,
    due_id BIGINT GENERATED ALWAYS AS IDENTITY,
    day DATE NOT NULL,
    through DATE NOT NULL,
    CONSTRAINT pk_catalog_due PRIMARY KEY (account_id, due_id)
);

CREATE TABLE catalog_day (
    account_id BIGINT NOT NULL,
    type TEXT NOT NULL,
    day DATE NOT NULL,
    fresh BOOLEAN NOT NULL,
    tally JSONB NOT NULL,
    CONSTRAINT pk_catalog_day PRIMARY KEY (account_id, type, day, fresh)
);

CREATE TABLE catalog_owner (
    type TEXT NOT NULL,
    entry_id BIGINT GENERATED ALWAYS AS IDENTITY,
    owner TEXT NOT NULL,
    author TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_catalog_owner PRIMARY KEY (type, entry_id)
);

CREATE TABLE catalog_look (
    account_id BIGINT NOT NULL,
    first DATE NOT NULL,
    through DATE NOT NULL,
    type TEXT NOT NULL,
    day DATE NOT NULL,
    event_key UUID NOT NULL,
    CONSTRAINT pk_catalog_look PRIMARY KEY (account_id, first),
    CONSTRAINT fk_catalog_look_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE catalog_type (
    account_id BIGINT NOT NULL,
    type TEXT NOT NULL,
    events BIGINT NOT NULL,
    first_seen TIMESTAMP WITH TIME ZONE NOT NULL,
    last_seen TIMESTAMP WITH TIME ZONE NOT NULL,
    crowded BOOLEAN NOT NULL,
    CONSTRAINT pk_catalog_type PRIMARY KEY (account_id, type),
    CONSTRAINT fk_catalog_type_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE catalog_property (
    account_id BIGINT NOT NULL,
    type TEXT NOT NULL,
    path TEXT NOT NULL,
    events BIGINT NOT NULL,
    kinds TEXT[] NOT NULL,
    samples TEXT[],
    first_day DATE NOT NULL,
    last_day DATE NOT NULL,
    CONSTRAINT pk_catalog_property PRIMARY KEY (account_id, type, path),
    CONSTRAINT fk_catalog_property_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_catalog_property_type ON catalog_property (type);

CREATE TABLE catalog_effort (
    type TEXT NOT NULL,
    path TEXT NOT NULL,
    entry_id BIGINT GENERATED ALWAYS AS IDENTITY,
    effort TEXT NOT NULL,
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_catalog_effort PRIMARY KEY (type, path, entry_id),
    CONSTRAINT ck_catalog_effort_effort CHECK (effort IN ('', 'small', 'medium', 'large'))
);

CREATE TABLE catalog_wish (
    type TEXT NOT NULL,
    entry_id BIGINT GENERATED ALWAYS AS IDENTITY,
    name TEXT NOT NULL,
    why TEXT NOT NULL,
    effort TEXT NOT NULL,
    withdrawn BOOLEAN NOT NULL,
    author TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_catalog_wish PRIMARY KEY (type, entry_id),
    CONSTRAINT ck_catalog_wish_effort CHECK (effort IN ('small', 'medium', 'large'))
);

CREATE TABLE proposal (
    proposal_id TEXT NOT NULL,
    document JSONB NOT NULL,
    place INTEGER NOT NULL,
    as_of TIMESTAMP WITH TIME ZONE NOT NULL,
    found BOOLEAN NOT NULL,
    counted BIGINT,
    total BIGINT,
    CONSTRAINT pk_proposal PRIMARY KEY (proposal_id)
);

CREATE TABLE proposal_decision (
    proposal_id TEXT NOT NULL,
    entry_id BIGINT GENERATED ALWAYS AS IDENTITY,
    action TEXT NOT NULL,
    author TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    reason TEXT NOT NULL,
    parts JSONB,
    before JSONB,
    document JSONB NOT NULL,
    revision BIGINT,
    CONSTRAINT pk_proposal_decision PRIMARY KEY (proposal_id, entry_id),
    CONSTRAINT ck_proposal_decision_action CHECK (action IN ('suggested', 'accepted', 'applied', 'refused', 'rejected', 'withdrawing', 'withdrawn', 'kept'))
);

CREATE TABLE catalog_estimate (
    run BIGINT GENERATED ALWAYS AS IDENTITY,
    as_of TIMESTAMP WITH TIME ZONE NOT NULL,
    digest TEXT,
    document JSONB,
    CONSTRAINT pk_catalog_estimate PRIMARY KEY (run)
);

CREATE TABLE benchmark_run (
    run BIGINT GENERATED ALWAYS AS IDENTITY,
    as_of TIMESTAMP WITH TIME ZONE NOT NULL,
    digest TEXT,
    document JSONB,
    CONSTRAINT pk_benchmark_run PRIMARY KEY (run)
);

CREATE TABLE benchmark_member (
    account_id BIGINT NOT NULL,
    run BIGINT NOT NULL,
    driver TEXT NOT NULL,
    unit TEXT NOT NULL,
    benefit_class TEXT NOT NULL,
    segment TEXT,
    total NUMERIC(38, 4) NOT NULL,
    scale NUMERIC(27, 9),
    standings JSONB NOT NULL,
    CONSTRAINT pk_benchmark_member PRIMARY KEY (account_id, run, driver, unit),
    CONSTRAINT fk_benchmark_member_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE benchmark_use (
    account_id BIGINT NOT NULL,
    run BIGINT NOT NULL,
    feature TEXT NOT NULL,
    first_day DATE NOT NULL,
    is_used BOOLEAN NOT NULL,
    CONSTRAINT pk_benchmark_use PRIMARY KEY (account_id, run, feature),
    CONSTRAINT fk_benchmark_use_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE benchmark_input (
    account_id BIGINT NOT NULL,
    run BIGINT NOT NULL,
    slug TEXT NOT NULL,
    unit TEXT NOT NULL,
    segment TEXT,
    value NUMERIC(27, 9) NOT NULL,
    CONSTRAINT pk_benchmark_input PRIMARY KEY (account_id, run, slug),
    CONSTRAINT fk_benchmark_input_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE way_run (
    run BIGINT GENERATED ALWAYS AS IDENTITY,
    as_of TIMESTAMP WITH TIME ZONE NOT NULL,
    document JSONB NOT NULL,
    CONSTRAINT pk_way_run PRIMARY KEY (run)
);

CREATE TABLE way_days (
    account_id BIGINT NOT NULL,
    run BIGINT NOT NULL,
    scope TEXT NOT NULL,
    step TEXT NOT NULL,
    segment TEXT,
    halves BIGINT NOT NULL,
    CONSTRAINT pk_way_days PRIMARY KEY (account_id, run, scope, step),
    CONSTRAINT fk_way_days_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE catalog_realized (
    account_id BIGINT NOT NULL,
    run BIGINT NOT NULL,
    driver TEXT NOT NULL,
    unit TEXT NOT NULL,
    benefit_class TEXT NOT NULL,
    low NUMERIC(38, 4) NOT NULL,
    expected NUMERIC(38, 4) NOT NULL,
    high NUMERIC(38, 4) NOT NULL,
    counted NUMERIC(38, 4) NOT NULL,
    evidence TEXT NOT NULL,
    state TEXT NOT NULL,
    by_month NUMERIC(38, 4)[] NOT NULL,
    CONSTRAINT pk_catalog_realized PRIMARY KEY (account_id, run, driver, unit, benefit_class),
    CONSTRAINT fk_catalog_realized_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE catalog_potential (
    account_id BIGINT NOT NULL,
    run BIGINT NOT NULL,
    type TEXT NOT NULL,
    path TEXT NOT NULL,
    driver TEXT NOT NULL,
    unit TEXT NOT NULL,
    benefit_class TEXT NOT NULL,
    reach TEXT NOT NULL,
    basis TEXT NOT NULL,
    segment TEXT NOT NULL,
    size NUMERIC(38, 4),
    low NUMERIC(38, 4) NOT NULL,
    expected NUMERIC(38, 4) NOT NULL,
    high NUMERIC(38, 4) NOT NULL,
    needs TEXT[] NOT NULL,
    CONSTRAINT pk_catalog_potential PRIMARY KEY (account_id, run, type, path, driver, unit),
    CONSTRAINT fk_catalog_potential_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE catalog_gap (
    account_id BIGINT NOT NULL,
    run BIGINT NOT NULL,
    type TEXT NOT NULL,
    path TEXT NOT NULL,
    code TEXT NOT NULL,
    connected BOOLEAN NOT NULL,
    events BIGINT NOT NULL,
    CONSTRAINT pk_catalog_gap PRIMARY KEY (account_id, run, type, path, code),
    CONSTRAINT fk_catalog_gap_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE changed_day (
    account_id BIGINT NOT NULL,
    mark_id BIGINT GENERATED ALWAYS AS IDENTITY,
    day DATE NOT NULL,
    through DATE NOT NULL,
    cause TEXT NOT NULL,
    marked_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    noted BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_changed_day PRIMARY KEY (account_id, mark_id)
);

CREATE TABLE cost (
    cost_id TEXT NOT NULL,
    account_id BIGINT,
    kind TEXT NOT NULL,
    month DATE NOT NULL,
    amount NUMERIC(27, 9) NOT NULL,
    currency TEXT NOT NULL,
    CONSTRAINT pk_cost PRIMARY KEY (cost_id)
);

CREATE INDEX ix_cost_account_id_month ON cost (account_id, month);

CREATE TABLE exchange_rate (
    rate_id BIGINT GENERATED ALWAYS AS IDENTITY,
    currency TEXT NOT NULL,
    target TEXT NOT NULL,
    effective_from DATE NOT NULL,
    rate NUMERIC(27, 9) NOT NULL,
    source TEXT NOT NULL,
    author TEXT NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_exchange_rate PRIMARY KEY (rate_id),
    CONSTRAINT ck_exchange_rate_positive CHECK (rate > 0),
    CONSTRAINT ck_exchange_rate_pair CHECK (currency <> target)
);

CREATE INDEX ix_exchange_rate_target ON exchange_rate (target, currency, effective_from);

CREATE TABLE event (
    account_id BIGINT NOT NULL,
    event_key UUID NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    time TIMESTAMP WITH TIME ZONE NOT NULL,
    utc_day DATE NOT NULL,
    subject TEXT,
    provider TEXT NOT NULL,
    data JSONB,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_event PRIMARY KEY (account_id, type, utc_day, event_key)
);

CREATE TABLE event_conflict (
    account_id BIGINT NOT NULL,
    event_key UUID NOT NULL,
    body_hash UUID NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    body JSONB NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_event_conflict PRIMARY KEY (account_id, event_key, body_hash)
);

CREATE TABLE event_key (
    event_key UUID NOT NULL,
    body_hash UUID NOT NULL,
    account_id BIGINT NOT NULL,
    CONSTRAINT pk_event_key PRIMARY KEY (event_key)
);

CREATE TABLE idempotency (
    caller TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash BYTEA NOT NULL,
    status BIGINT NOT NULL,
    body BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_idempotency PRIMARY KEY (caller, idempotency_key)
);

CREATE TABLE ingest_tally (
    tally_id BIGINT GENERATED ALWAYS AS IDENTITY,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    origin TEXT NOT NULL,
    received INTEGER NOT NULL,
    stored INTEGER NOT NULL,
    duplicates INTEGER NOT NULL,
    conflicts INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    CONSTRAINT pk_ingest_tally PRIMARY KEY (tally_id)
);

CREATE INDEX ix_ingest_tally_unequal ON ingest_tally (tally_id) WHERE received <> stored + duplicates + conflicts + rejected;

CREATE TABLE model_revision (
    revision INTEGER NOT NULL,
    document JSONB NOT NULL,
    fingerprint TEXT NOT NULL,
    applied_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_model_revision PRIMARY KEY (revision)
);

CREATE TABLE next_best_fit (
    fit_id BIGINT GENERATED ALWAYS AS IDENTITY,
    fitted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    document JSONB NOT NULL,
    CONSTRAINT pk_next_best_fit PRIMARY KEY (fit_id)
);

CREATE TABLE provider (
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT pk_provider PRIMARY KEY (slug)
);

CREATE TABLE recent_event (
    account_id BIGINT NOT NULL,
    recent_id BIGINT GENERATED ALWAYS AS IDENTITY,
    key_id UUID NOT NULL,
    origin TEXT NOT NULL,
    outcome TEXT NOT NULL,
    source TEXT,
    id TEXT,
    type TEXT,
    event_key UUID,
    content_hash UUID NOT NULL,
    day DATE,
    time TIMESTAMP WITH TIME ZONE,
    provider TEXT,
    code TEXT,
    message TEXT,
    meters TEXT[] NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_recent_event PRIMARY KEY (account_id, recent_id)
);

CREATE INDEX ix_recent_event_key_id_recent_id ON recent_event (key_id, recent_id);

CREATE TABLE rejected_event (
    account_id BIGINT NOT NULL,
    rejected_id BIGINT GENERATED ALWAYS AS IDENTITY,
    key_id UUID,
    origin TEXT NOT NULL,
    id TEXT,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    body TEXT NOT NULL,
    content_hash UUID NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    replayed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_rejected_event PRIMARY KEY (account_id, rejected_id)
);

CREATE INDEX ix_rejected_event_content_hash ON rejected_event (content_hash);

CREATE INDEX ix_rejected_event_key_id_rejected_id ON rejected_event (key_id, rejected_id);

CREATE TABLE rollup (
    account_id BIGINT NOT NULL,
    meter TEXT NOT NULL,
    day DATE NOT NULL,
    provider TEXT NOT NULL,
    dimensions TEXT[] NOT NULL,
    events BIGINT NOT NULL,
    total NUMERIC NOT NULL,
    unmetered BIGINT NOT NULL,
    picked NUMERIC,
    rank NUMERIC,
    picked_key UUID,
    CONSTRAINT pk_rollup PRIMARY KEY (account_id, meter, day, provider, dimensions)
);

CREATE TABLE rollup_member (
    account_id BIGINT NOT NULL,
    meter TEXT NOT NULL,
    day DATE NOT NULL,
    provider TEXT NOT NULL,
    dimensions TEXT[] NOT NULL,
    member TEXT NOT NULL,
    CONSTRAINT pk_rollup_member PRIMARY KEY (account_id, meter, day, provider, dimensions, member)
);

CREATE TABLE rollup_unmetered (
    account_id BIGINT NOT NULL,
    meter TEXT NOT NULL,
    day DATE NOT NULL,
    provider TEXT NOT NULL,
    code TEXT NOT NULL,
    events BIGINT NOT NULL,
    CONSTRAINT pk_rollup_unmetered PRIMARY KEY (account_id, meter, day, provider, code)
);

CREATE TABLE archive (
    single BOOLEAN NOT NULL DEFAULT true,
    root TEXT NOT NULL,
    hot_days INTEGER NOT NULL,
    ran_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_archive PRIMARY KEY (single),
    CONSTRAINT ck_archive_single CHECK (single)
);

CREATE TABLE archive_leftover (
    path TEXT NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_archive_leftover PRIMARY KEY (path)
);

CREATE TABLE archived_slice (
    account_id BIGINT NOT NULL,
    month DATE NOT NULL,
    type TEXT NOT NULL,
    path TEXT NOT NULL,
    events BIGINT NOT NULL,
    first_time TIMESTAMP WITH TIME ZONE NOT NULL,
    last_time TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_archived_slice PRIMARY KEY (account_id, month, type, path),
    CONSTRAINT fk_archived_slice_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_archived_slice_path ON archived_slice (path);

CREATE TABLE archived_retraction (
    account_id BIGINT NOT NULL,
    path TEXT NOT NULL,
    event_key UUID NOT NULL,
    retracted_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_archived_retraction PRIMARY KEY (account_id, path, event_key),
    CONSTRAINT fk_archived_retraction_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE meter_build (
    build_id BIGINT GENERATED ALWAYS AS IDENTITY,
    meter JSONB NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pk_meter_build PRIMARY KEY (build_id)
);

CREATE TABLE zone_build (
    account_id BIGINT NOT NULL,
    timezone TEXT NOT NULL,
    edition TEXT NOT NULL,
    state TEXT NOT NULL,
    CONSTRAINT pk_zone_build PRIMARY KEY (account_id),
    CONSTRAINT ck_zone_build_state CHECK (state IN ('counting', 'in force', 'given up')),
    CONSTRAINT fk_zone_build_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE build_due (
    account_id BIGINT NOT NULL,
    due_id BIGINT GENERATED ALWAYS AS IDENTITY,
    day DATE NOT NULL,
    through DATE NOT NULL,
    CONSTRAINT pk_build_due PRIMARY KEY (account_id, due_id),
    CONSTRAINT fk_build_due_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE intake (
    account_id BIGINT NOT NULL,
    intake_id BIGINT GENERATED ALWAYS AS IDENTITY,
    source TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE,
    happened JSON NOT NULL,
    stored INTEGER NOT NULL,
    duplicates INTEGER NOT NULL,
    conflicts INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    ahead INTEGER NOT NULL,
    lead BIGINT,
    CONSTRAINT pk_intake PRIMARY KEY (account_id, intake_id)
);

CREATE TABLE intake_day (
    account_id BIGINT NOT NULL,
    source TEXT NOT NULL,
    day DATE NOT NULL,
    happened BIGINT NOT NULL,
    stored BIGINT NOT NULL,
    duplicates BIGINT NOT NULL,
    conflicts BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    ahead BIGINT NOT NULL,
    lead BIGINT,
    behind INTEGER,
    last_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_intake_day PRIMARY KEY (account_id, source, day)
);

CREATE TABLE key_tally (
    tally_id BIGINT GENERATED ALWAYS AS IDENTITY,
    slices BIGINT[] NOT NULL,
    CONSTRAINT pk_key_tally PRIMARY KEY (tally_id)
);

CREATE TABLE quality_finding (
    account_id BIGINT NOT NULL,
    finding_id BIGINT GENERATED ALWAYS AS IDENTITY,
    what TEXT NOT NULL,
    place TEXT NOT NULL,
    stated TEXT NOT NULL,
    recomputed TEXT NOT NULL,
    found_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    severity TEXT DEFAULT 'failure' NOT NULL,
    source TEXT,
    since_day DATE,
    through_day DATE,
    numbers JSONB DEFAULT '{}' NOT NULL,
    types TEXT[] DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_quality_finding PRIMARY KEY (account_id, finding_id),
    CONSTRAINT ck_quality_finding_severity CHECK (severity IN ('failure', 'warning', 'notice'))
);

CREATE UNIQUE INDEX ix_quality_finding_open ON quality_finding (account_id, what, place) WHERE ended_at IS NULL;

CREATE TABLE running_total (
    account_id BIGINT NOT NULL,
    stream UUID NOT NULL,
    start_ns BIGINT NOT NULL,
    last_ns BIGINT,
    last_value NUMERIC,
    last_count BIGINT,
    CONSTRAINT pk_running_total PRIMARY KEY (account_id, stream, start_ns)
);

CREATE TABLE group_member (
    account_id BIGINT NOT NULL,
    event_key UUID NOT NULL,
    member UUID NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_group_member PRIMARY KEY (account_id, event_key)
);

CREATE INDEX ix_group_member_member ON group_member (member, since, event_key);

CREATE TABLE account_currency (
    account_id BIGINT NOT NULL,
    effective_from DATE NOT NULL,
    currency TEXT NOT NULL,
    CONSTRAINT pk_account_currency PRIMARY KEY (account_id, effective_from),
    CONSTRAINT fk_account_currency_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE assumption_entry (
    account_id BIGINT NOT NULL,
    entry_id BIGINT GENERATED ALWAYS AS IDENTITY,
    slug TEXT NOT NULL,
    action TEXT NOT NULL,
    answers BIGINT,
    low NUMERIC(27, 9),
    expected NUMERIC(27, 9),
    high NUMERIC(27, 9),
    unit TEXT,
    effective_from DATE NOT NULL,
    author TEXT NOT NULL,
    author_side TEXT NOT NULL,
    reason TEXT NOT NULL,
    conversation_id BIGINT,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_assumption_entry PRIMARY KEY (account_id, entry_id),
    CONSTRAINT ck_assumption_entry_action CHECK (action IN ('estimate', 'propose', 'validate', 'dispute', 'withdraw')),
    CONSTRAINT ck_assumption_entry_side CHECK (author_side IN ('supplier', 'customer', 'partner')),
    CONSTRAINT ck_assumption_entry_answers CHECK ((answers IS NULL) = (action IN ('estimate', 'propose'))),
    CONSTRAINT ck_assumption_entry_validator CHECK (action <> 'validate' OR author_side = 'customer'),
    CONSTRAINT fk_assumption_entry_account_id_assumption_entry FOREIGN KEY(account_id, answers) REFERENCES assumption_entry (account_id, entry_id),
    CONSTRAINT fk_assumption_entry_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE basis (
    account_id BIGINT NOT NULL,
    basis_id UUID NOT NULL,
    driver TEXT NOT NULL,
    driver_version INTEGER NOT NULL,
    formula TEXT NOT NULL,
    unit TEXT NOT NULL,
    benefit_class TEXT NOT NULL,
    evidence TEXT NOT NULL,
    state TEXT NOT NULL,
    counted BOOLEAN NOT NULL,
    inputs JSONB NOT NULL,
    pool TEXT,
    cap TEXT,
    CONSTRAINT pk_basis PRIMARY KEY (account_id, basis_id),
    CONSTRAINT fk_basis_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE closed_month (
    account_id BIGINT NOT NULL,
    month DATE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revision BIGINT NOT NULL,
    CONSTRAINT pk_closed_month PRIMARY KEY (account_id, month),
    CONSTRAINT fk_closed_month_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE contract (
    account_id BIGINT NOT NULL,
    contract_id TEXT NOT NULL,
    start_day DATE NOT NULL,
    end_day DATE,
    amount NUMERIC(27, 9) NOT NULL,
    currency TEXT NOT NULL,
    period TEXT NOT NULL,
    kind TEXT NOT NULL,
    provider TEXT NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_contract PRIMARY KEY (account_id, contract_id),
    CONSTRAINT ck_contract_ordered CHECK (end_day IS NULL OR end_day >= start_day),
    CONSTRAINT fk_contract_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE conversation (
    account_id BIGINT NOT NULL,
    conversation_id BIGINT GENERATED ALWAYS AS IDENTITY,
    title TEXT NOT NULL,
    assumption TEXT,
    opened_by TEXT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    waits_for TEXT NOT NULL,
    CONSTRAINT pk_conversation PRIMARY KEY (account_id, conversation_id),
    CONSTRAINT ck_conversation_turn CHECK (waits_for IN ('customer', 'supplier')),
    CONSTRAINT fk_conversation_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE insight (
    account_id BIGINT NOT NULL,
    insight_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    period_from DATE NOT NULL,
    period_to DATE NOT NULL,
    body JSONB NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_insight PRIMARY KEY (account_id, insight_id, version),
    CONSTRAINT fk_insight_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_insight_holding ON insight (account_id, kind, subject) WHERE until IS NULL;

CREATE INDEX ix_insight_insight_id ON insight (insight_id);

CREATE TABLE message (
    account_id BIGINT NOT NULL,
    conversation_id BIGINT NOT NULL,
    message_id BIGINT GENERATED ALWAYS AS IDENTITY,
    author TEXT NOT NULL,
    author_name TEXT NOT NULL,
    side TEXT NOT NULL,
    body TEXT NOT NULL,
    insight JSONB,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_message PRIMARY KEY (account_id, conversation_id, message_id),
    CONSTRAINT fk_message_account_id_conversation FOREIGN KEY(account_id, conversation_id) REFERENCES conversation (account_id, conversation_id),
    CONSTRAINT ck_message_side CHECK (side IN ('customer', 'supplier')),
    CONSTRAINT fk_message_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE collaboration (
    account_id BIGINT NOT NULL,
    collaboration_id TEXT NOT NULL,
    matter TEXT NOT NULL,
    side TEXT NOT NULL,
    sender TEXT NOT NULL,
    place INTEGER NOT NULL,
    body JSONB NOT NULL,
    raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_collaboration PRIMARY KEY (account_id, collaboration_id),
    CONSTRAINT ck_collaboration_side CHECK (side IN ('customer', 'supplier')),
    CONSTRAINT fk_collaboration_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE collaboration_response (
    account_id BIGINT NOT NULL,
    collaboration_id TEXT NOT NULL,
    matter TEXT NOT NULL,
    response TEXT NOT NULL,
    author TEXT NOT NULL,
    conversation_id BIGINT,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_collaboration_response PRIMARY KEY (account_id, collaboration_id, matter, response, author),
    CONSTRAINT ck_collaboration_response_response CHECK (response IN ('shown', 'acted', 'dismissed')),
    CONSTRAINT fk_collaboration_response_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE consent (
    account_id BIGINT NOT NULL,
    consent_id BIGINT GENERATED ALWAYS AS IDENTITY,
    provider TEXT NOT NULL,
    what TEXT NOT NULL,
    granted BOOLEAN NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_consent PRIMARY KEY (account_id, consent_id),
    CONSTRAINT ck_consent_what CHECK (what IN ('see', 'contribute')),
    CONSTRAINT fk_consent_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_consent_provider ON consent (provider, what, account_id, consent_id);

CREATE TABLE consent_request (
    account_id BIGINT NOT NULL,
    request_id BIGINT GENERATED ALWAYS AS IDENTITY,
    provider TEXT NOT NULL,
    what TEXT NOT NULL,
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_consent_request PRIMARY KEY (account_id, request_id),
    CONSTRAINT ck_consent_request_what CHECK (what IN ('see', 'contribute')),
    CONSTRAINT fk_consent_request_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE milestone (
    account_id BIGINT NOT NULL,
    milestone_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    title TEXT NOT NULL,
    CONSTRAINT pk_milestone PRIMARY KEY (account_id, milestone_id),
    CONSTRAINT fk_milestone_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE objective (
    account_id BIGINT NOT NULL,
    objective_id BIGINT GENERATED ALWAYS AS IDENTITY,
    title TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_objective PRIMARY KEY (account_id, objective_id),
    CONSTRAINT fk_objective_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE UNIQUE INDEX uq_objective_account_id_title ON objective (account_id, title);

CREATE TABLE objective_version (
    account_id BIGINT NOT NULL,
    objective_id BIGINT NOT NULL,
    version INTEGER NOT NULL,
    owner TEXT,
    customer_sponsor TEXT,
    supplier_sponsor TEXT,
    tactics TEXT[] NOT NULL,
    drivers TEXT[] NOT NULL,
    due DATE,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    author_side TEXT NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_objective_version PRIMARY KEY (account_id, objective_id, version),
    CONSTRAINT ck_objective_version_state CHECK (state IN ('open', 'reached', 'dropped')),
    CONSTRAINT ck_objective_version_dropped CHECK (state <> 'dropped' OR reason <> ''),
    CONSTRAINT ck_objective_version_side CHECK (author_side IN ('supplier', 'customer')),
    CONSTRAINT fk_objective_version_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE open_page (
    account_id BIGINT NOT NULL,
    page_id UUID NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_open_page PRIMARY KEY (account_id, page_id),
    CONSTRAINT fk_open_page_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE person (
    account_id BIGINT NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    person_group TEXT,
    need TEXT,
    measure TEXT,
    CONSTRAINT pk_person PRIMARY KEY (account_id, email),
    CONSTRAINT fk_person_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE plan_signature (
    account_id BIGINT NOT NULL,
    plan_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    digest TEXT NOT NULL,
    side TEXT NOT NULL,
    signer TEXT NOT NULL,
    signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_plan_signature PRIMARY KEY (account_id, plan_id, digest, side),
    CONSTRAINT ck_plan_signature_side CHECK (side IN ('supplier', 'customer')),
    CONSTRAINT fk_plan_signature_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE value_statement (
    account_id BIGINT NOT NULL,
    statement_id TEXT NOT NULL,
    period_from DATE NOT NULL,
    period_to DATE NOT NULL,
    as_of DATE NOT NULL,
    title TEXT NOT NULL,
    author TEXT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    digest TEXT NOT NULL,
    document TEXT NOT NULL,
    CONSTRAINT pk_value_statement PRIMARY KEY (account_id, statement_id),
    CONSTRAINT fk_value_statement_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE statement_signature (
    account_id BIGINT NOT NULL,
    statement_id TEXT NOT NULL,
    side TEXT NOT NULL,
    digest TEXT NOT NULL,
    signer TEXT NOT NULL,
    signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_statement_signature PRIMARY KEY (account_id, statement_id, side),
    CONSTRAINT ck_statement_signature_side CHECK (side IN ('supplier', 'customer')),
    CONSTRAINT fk_statement_signature_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE plan_target (
    account_id BIGINT NOT NULL,
    plan_id TEXT NOT NULL,
    objective_id BIGINT NOT NULL,
    driver TEXT NOT NULL,
    month DATE NOT NULL,
    version INTEGER NOT NULL,
    low NUMERIC(38, 4),
    expected NUMERIC(38, 4),
    high NUMERIC(38, 4),
    source TEXT NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_plan_target PRIMARY KEY (account_id, plan_id, objective_id, driver, month, version),
    CONSTRAINT fk_plan_target_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE plan_terms (
    account_id BIGINT NOT NULL,
    plan_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    contract_id TEXT,
    milestone_id TEXT,
    replaces TEXT[] NOT NULL,
    from_month DATE,
    withdrawn BOOLEAN NOT NULL,
    author TEXT NOT NULL,
    author_side TEXT NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_plan_terms PRIMARY KEY (account_id, plan_id, version),
    CONSTRAINT ck_plan_terms_kind CHECK (kind IN ('business-case', 'commitment', 're-plan')),
    CONSTRAINT ck_plan_terms_replaces CHECK ((cardinality(replaces) = 0) = (from_month IS NULL)),
    CONSTRAINT ck_plan_terms_re_plan CHECK (kind <> 're-plan' OR from_month IS NOT NULL),
    CONSTRAINT ck_plan_terms_side CHECK (author_side IN ('supplier', 'customer')),
    CONSTRAINT fk_plan_terms_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE posting (
    account_id BIGINT NOT NULL,
    posting_id BIGINT GENERATED ALWAYS AS IDENTITY,
    kind TEXT NOT NULL,
    driver TEXT NOT NULL,
    provider TEXT NOT NULL,
    day DATE NOT NULL,
    shown_day DATE NOT NULL,
    basis_id UUID NOT NULL,
    low NUMERIC(38, 4) NOT NULL,
    expected NUMERIC(38, 4) NOT NULL,
    high NUMERIC(38, 4) NOT NULL,
    cause TEXT,
    posted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revision BIGINT NOT NULL,
    CONSTRAINT pk_posting PRIMARY KEY (account_id, posting_id),
    CONSTRAINT fk_posting_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_posting_account_id_day ON posting (account_id, day);

CREATE INDEX ix_posting_account_id_shown_day ON posting (account_id, shown_day);

CREATE TABLE contribution (
    account_id BIGINT NOT NULL,
    contribution_id BIGINT GENERATED ALWAYS AS IDENTITY,
    provider TEXT NOT NULL,
    id TEXT NOT NULL,
    driver TEXT,
    title TEXT NOT NULL,
    amount NUMERIC(38, 4) NOT NULL,
    unit TEXT NOT NULL,
    start_day DATE NOT NULL,
    end_day DATE NOT NULL,
    evidence TEXT NOT NULL,
    source TEXT NOT NULL,
    author TEXT NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_contribution PRIMARY KEY (account_id, contribution_id),
    CONSTRAINT ck_contribution_amount CHECK (amount <> 0),
    CONSTRAINT ck_contribution_ordered CHECK (start_day < end_day),
    CONSTRAINT fk_contribution_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE UNIQUE INDEX uq_contribution_account_id_provider_id ON contribution (account_id, provider, id);

CREATE TABLE contribution_answer (
    account_id BIGINT NOT NULL,
    answer_id BIGINT GENERATED ALWAYS AS IDENTITY,
    contribution_id BIGINT NOT NULL,
    action TEXT NOT NULL,
    author TEXT NOT NULL,
    author_side TEXT NOT NULL,
    reason TEXT NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_contribution_answer PRIMARY KEY (account_id, answer_id),
    CONSTRAINT ck_contribution_answer_action CHECK (action IN ('corroborate', 'dispute', 'withdraw')),
    CONSTRAINT ck_contribution_answer_side CHECK (author_side = CASE action WHEN 'withdraw' THEN 'partner' ELSE 'customer' END),
    CONSTRAINT fk_contribution_answer_account_id_contribution FOREIGN KEY(account_id, contribution_id) REFERENCES contribution (account_id, contribution_id),
    CONSTRAINT fk_contribution_answer_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE split_entry (
    account_id BIGINT NOT NULL,
    entry_id BIGINT GENERATED ALWAYS AS IDENTITY,
    driver TEXT NOT NULL,
    provider TEXT NOT NULL,
    action TEXT NOT NULL,
    answers BIGINT,
    share NUMERIC(27, 9),
    supplier_share NUMERIC(27, 9),
    author TEXT NOT NULL,
    author_side TEXT NOT NULL,
    reason TEXT NOT NULL,
    day DATE NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_split_entry PRIMARY KEY (account_id, entry_id),
    CONSTRAINT ck_split_entry_action CHECK (action IN ('propose', 'agree', 'refuse', 'withdraw')),
    CONSTRAINT ck_split_entry_side CHECK (author_side IN ('supplier', 'customer', 'partner')),
    CONSTRAINT ck_split_entry_answers CHECK ((answers IS NULL) = (action = 'propose')),
    CONSTRAINT ck_split_entry_shares CHECK ((action = 'propose') = ((share >= 0 AND supplier_share >= 0 AND share + supplier_share <= 1) IS TRUE)),
    CONSTRAINT fk_split_entry_account_id_split_entry FOREIGN KEY(account_id, answers) REFERENCES split_entry (account_id, entry_id),
    CONSTRAINT fk_split_entry_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE rewording (
    account_id BIGINT NOT NULL,
    draft_id TEXT NOT NULL,
    draft TEXT NOT NULL,
    state TEXT NOT NULL,
    answer TEXT,
    reason TEXT,
    model TEXT,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    tries INTEGER NOT NULL,
    CONSTRAINT pk_rewording PRIMARY KEY (account_id, draft_id),
    CONSTRAINT fk_rewording_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id),
    CONSTRAINT ck_rewording_state CHECK (state IN ('wanted', 'accepted', 'refused'))
);

CREATE INDEX ix_rewording_wanted ON rewording (due_at) WHERE state = 'wanted';

CREATE TABLE scenario (
    account_id BIGINT NOT NULL,
    scenario_id BIGINT GENERATED ALWAYS AS IDENTITY,
    name TEXT NOT NULL,
    start_month DATE NOT NULL,
    months INTEGER NOT NULL,
    changes JSONB NOT NULL,
    author TEXT NOT NULL,
    author_side TEXT NOT NULL,
    shared BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    removed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_scenario PRIMARY KEY (account_id, scenario_id),
    CONSTRAINT ck_scenario_side CHECK (author_side IN ('supplier', 'customer')),
    CONSTRAINT fk_scenario_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE session (
    session_hash BYTEA NOT NULL,
    user_id BIGINT NOT NULL,
    csrf_token TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_session PRIMARY KEY (session_hash),
    CONSTRAINT fk_session_user_id_app_user FOREIGN KEY(user_id) REFERENCES app_user (user_id)
);

CREATE TABLE sign_in_link (
    token_hash BYTEA NOT NULL,
    user_id BIGINT NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_sign_in_link PRIMARY KEY (token_hash),
    CONSTRAINT fk_sign_in_link_user_id_app_user FOREIGN KEY(user_id) REFERENCES app_user (user_id)
);

CREATE TABLE signal (
    account_id BIGINT NOT NULL,
    signal_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    urgency SMALLINT NOT NULL,
    insight_id TEXT,
    unit TEXT NOT NULL,
    at_stake NUMERIC(38, 4) NOT NULL,
    body JSONB NOT NULL,
    raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_signal PRIMARY KEY (account_id, signal_id),
    CONSTRAINT fk_signal_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_signal_raised_at ON signal (raised_at, account_id, signal_id) WHERE settled_at IS NULL;

CREATE TABLE standing (
    account_id BIGINT NOT NULL,
    urgency SMALLINT NOT NULL,
    abroad BOOLEAN NOT NULL,
    unit TEXT NOT NULL,
    at_stake NUMERIC(38, 4) NOT NULL,
    find_text TEXT NOT NULL,
    renews_on DATE,
    under_review BOOLEAN NOT NULL,
    no_data BOOLEAN NOT NULL,
    body JSONB NOT NULL,
    composed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_standing PRIMARY KEY (account_id),
    CONSTRAINT fk_standing_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_standing_order ON standing (urgency, abroad, unit, at_stake DESC, find_text, account_id);

CREATE TABLE story (
    account_id BIGINT NOT NULL,
    audience TEXT NOT NULL,
    version INTEGER NOT NULL,
    document JSONB NOT NULL,
    translations JSONB DEFAULT '{}' NOT NULL,
    fingerprint TEXT NOT NULL,
    composed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_story PRIMARY KEY (account_id, audience, version),
    CONSTRAINT fk_story_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE suggestion (
    account_id BIGINT NOT NULL,
    suggestion_id TEXT NOT NULL,
    feature TEXT NOT NULL,
    rank INTEGER NOT NULL,
    unit TEXT NOT NULL,
    low NUMERIC(38, 4),
    expected NUMERIC(38, 4),
    high NUMERIC(38, 4),
    state TEXT NOT NULL,
    body JSONB NOT NULL,
    suggested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by TEXT,
    CONSTRAINT pk_suggestion PRIMARY KEY (account_id, suggestion_id),
    CONSTRAINT fk_suggestion_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE suggestion_grade (
    account_id BIGINT NOT NULL,
    suggestion_id TEXT NOT NULL,
    horizon INTEGER NOT NULL,
    version INTEGER NOT NULL,
    body JSONB NOT NULL,
    graded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_suggestion_grade PRIMARY KEY (account_id, suggestion_id, horizon, version),
    CONSTRAINT fk_suggestion_grade_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE suggestion_grade_input (
    account_id BIGINT NOT NULL,
    suggestion_id TEXT NOT NULL,
    horizon INTEGER NOT NULL,
    version INTEGER NOT NULL,
    body JSONB NOT NULL,
    CONSTRAINT pk_suggestion_grade_input PRIMARY KEY (account_id, suggestion_id, horizon, version),
    CONSTRAINT fk_suggestion_grade_input_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE suggestion_log (
    account_id BIGINT NOT NULL,
    logged_at TIMESTAMP WITH TIME ZONE NOT NULL,
    policy TEXT NOT NULL,
    fit_id BIGINT NOT NULL,
    candidates JSONB NOT NULL,
    CONSTRAINT pk_suggestion_log PRIMARY KEY (account_id, logged_at),
    CONSTRAINT fk_suggestion_log_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE visit (
    account_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    audience TEXT NOT NULL,
    version INTEGER NOT NULL,
    visited_at TIMESTAMP WITH TIME ZONE NOT NULL,
    before_version INTEGER,
    before_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_visit PRIMARY KEY (account_id, user_id, audience),
    CONSTRAINT fk_visit_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE digest_choice (
    user_id BIGINT NOT NULL,
    channel TEXT NOT NULL,
    cadence TEXT NOT NULL,
    weekday SMALLINT NOT NULL,
    hour SMALLINT NOT NULL,
    timezone TEXT NOT NULL,
    language TEXT DEFAULT 'en' NOT NULL,
    webhook_url TEXT,
    webhook_secret BYTEA,
    bad_news BOOLEAN NOT NULL,
    unsubscribe_key BYTEA NOT NULL,
    chosen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_digest_choice PRIMARY KEY (user_id),
    CONSTRAINT ck_digest_choice_channel CHECK (channel IN ('none', 'email', 'webhook')),
    CONSTRAINT ck_digest_choice_cadence CHECK (cadence IN ('changed', 'weekly', 'monthly')),
    CONSTRAINT ck_digest_choice_language CHECK (language IN ('en', 'de')),
    CONSTRAINT ck_digest_choice_time CHECK (weekday BETWEEN 0 AND 6 AND hour BETWEEN 0 AND 23),
    CONSTRAINT fk_digest_choice_user_id_app_user FOREIGN KEY(user_id) REFERENCES app_user (user_id)
);

CREATE TABLE bad_news (
    account_id BIGINT NOT NULL,
    insight_id TEXT NOT NULL,
    told_at TIMESTAMP WITH TIME ZONE NOT NULL,
    position SMALLINT NOT NULL,
    text TEXT NOT NULL,
    over_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_bad_news PRIMARY KEY (account_id, insight_id, told_at),
    CONSTRAINT fk_bad_news_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_bad_news_told_at ON bad_news (told_at, account_id) WHERE over_at IS NULL;

CREATE TABLE news_hold (
    account_id BIGINT NOT NULL,
    hold_id BIGINT GENERATED ALWAYS AS IDENTITY,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    placed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    told_at TIMESTAMP WITH TIME ZONE NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_news_hold PRIMARY KEY (account_id, hold_id),
    CONSTRAINT fk_news_hold_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE news_hold_release (
    account_id BIGINT NOT NULL,
    hold_id BIGINT NOT NULL,
    author TEXT NOT NULL,
    released_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_news_hold_release PRIMARY KEY (account_id, hold_id),
    CONSTRAINT fk_news_hold_release_account_id_news_hold FOREIGN KEY(account_id, hold_id) REFERENCES news_hold (account_id, hold_id),
    CONSTRAINT fk_news_hold_release_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE notice_dismissal (
    account_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    audience TEXT NOT NULL,
    version INTEGER NOT NULL,
    dismissed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_notice_dismissal PRIMARY KEY (account_id, user_id, audience),
    CONSTRAINT fk_notice_dismissal_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE TABLE digest_mark (
    account_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    audience TEXT NOT NULL,
    version INTEGER NOT NULL,
    as_of TIMESTAMP WITH TIME ZONE NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    next_at TIMESTAMP WITH TIME ZONE NOT NULL,
    waiting_since TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_digest_mark PRIMARY KEY (account_id, user_id),
    CONSTRAINT fk_digest_mark_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_digest_mark_next_at ON digest_mark (next_at);

CREATE TABLE digest (
    account_id BIGINT NOT NULL,
    digest_id UUID NOT NULL,
    user_id BIGINT NOT NULL,
    audience TEXT NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    since_at TIMESTAMP WITH TIME ZONE NOT NULL,
    channel TEXT NOT NULL,
    body JSONB NOT NULL,
    queued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    next_at TIMESTAMP WITH TIME ZONE NOT NULL,
    attempts SMALLINT NOT NULL,
    state TEXT NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    error TEXT,
    CONSTRAINT pk_digest PRIMARY KEY (account_id, digest_id),
    CONSTRAINT ck_digest_kind CHECK (kind IN ('digest', 'bad-news')),
    CONSTRAINT ck_digest_channel CHECK (channel IN ('email', 'webhook')),
    CONSTRAINT ck_digest_state CHECK (state IN ('waiting', 'sent', 'given-up', 'dropped')),
    CONSTRAINT fk_digest_account_id_account FOREIGN KEY(account_id) REFERENCES account (account_id)
);

CREATE INDEX ix_digest_next_at ON digest (next_at) WHERE state = 'waiting';

CREATE INDEX ix_digest_user_id ON digest (user_id, queued_at);

-- What is once written stays as it was written.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$;

-- Numbers of the editions of accounts' rollups, of which each is given once.

CREATE SEQUENCE rollup_edition;

-- How often members were removed: processes remember members until it changes. Read once, it moves from its first value.

CREATE SEQUENCE member_removal;
SELECT nextval('member_removal');
CREATE FUNCTION note_member_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM nextval('member_removal');
    RETURN NULL;
END
$$;
CREATE TRIGGER removal AFTER UPDATE OR DELETE OR TRUNCATE ON rollup_member
    FOR EACH STATEMENT EXECUTE FUNCTION note_member_removal();

-- Row security: the scope is read from a setting that authorization writes once a transaction. Both subqueries
-- run once a statement, not once a row; a scope that is absent or empty gives null, which is no row at all.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['posting', 'assumption_entry', 'plan_target', 'objective_version', 'plan_signature', 'plan_terms', 'basis', 'closed_month', 'catalog_owner', 'catalog_effort', 'catalog_wish', 'exchange_rate', 'consent', 'consent_request', 'contribution', 'contribution_answer', 'split_entry', 'value_statement', 'statement_signature', 'suggestion_grade', 'suggestion_grade_input', 'suggestion_log', 'news_hold', 'news_hold_release', 'proposal_decision', 'collaboration_response'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
    END LOOP;

    FOR name IN SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'account_id'
                WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attnum = 1 LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY worker_sees_all ON %I TO valueplatform_worker USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY ingest_sees_all ON %I TO valueplatform_ingest USING (true) WITH CHECK (true)', name);
        EXECUTE format($policy$
            CREATE POLICY web_sees_scope ON %I TO valueplatform_web
            USING ((SELECT current_setting('valueplatform.scope', true)) = '-1'
                   OR account_id = ANY ((SELECT string_to_array(nullif(current_setting('valueplatform.scope', true), ''), ','))::bigint[]))
        $policy$, name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO valueplatform_worker', name);
        EXECUTE format('GRANT SELECT ON %I TO valueplatform_web', name);
    END LOOP;
END
$$;

-- The same rule for the portfolio, which reads `standing` in the order of an index, a page at a time. Of OR the planner
-- expects one row in 200, and sorts the table instead; of CASE it expects half.
ALTER POLICY web_sees_scope ON standing USING (
    CASE (SELECT current_setting('valueplatform.scope', true)) WHEN '-1' THEN true
    ELSE account_id = ANY ((SELECT string_to_array(nullif(current_setting('valueplatform.scope', true), ''), ','))::bigint[]) END
);

-- What names other accounts' amounts, and chances of adoption, no customer and no partner reads: their scope is never all.
ALTER POLICY web_sees_scope ON suggestion_grade_input USING ((SELECT current_setting('valueplatform.scope', true)) = '-1');
ALTER POLICY web_sees_scope ON suggestion_log USING ((SELECT current_setting('valueplatform.scope', true)) = '-1');

-- Hot tables and what ingest needs to know.
GRANT SELECT, INSERT, UPDATE, DELETE ON event_key, event, event_conflict, rejected_event, rollup, rollup_member, rollup_unmetered, running_total, group_member, changed_day TO valueplatform_ingest;
GRANT SELECT, INSERT ON account, account_currency, provider, ingest_tally, intake, recent_event TO valueplatform_ingest;
GRANT SELECT, INSERT, DELETE ON key_tally TO valueplatform_ingest;
GRANT UPDATE (name, attributes, revision) ON account TO valueplatform_ingest;
GRANT SELECT, INSERT, UPDATE (name) ON person TO valueplatform_ingest;
GRANT SELECT ON model_revision, api_key, archive, meter_build, zone_build TO valueplatform_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON archived_slice, archived_retraction, build_due TO valueplatform_ingest;
GRANT SELECT, INSERT, UPDATE ON key_usage TO valueplatform_ingest;
GRANT USAGE, SELECT ON SEQUENCE member_removal TO valueplatform_ingest, valueplatform_worker;
GRANT USAGE ON SEQUENCE rollup_edition TO valueplatform_worker;

-- What people and machines write through pages and the API.
GRANT INSERT ON assumption_entry, value_statement, statement_signature, objective, plan_target, objective_version, plan_signature, plan_terms, scenario, consent, consent_request, contribution, contribution_answer, split_entry, milestone, conversation, message, news_hold, news_hold_release, collaboration_response, changed_day TO valueplatform_web;
GRANT SELECT, INSERT ON catalog_owner, catalog_effort, catalog_wish TO valueplatform_web;
GRANT SELECT ON catalog_estimate, benchmark_run, way_run, proposal TO valueplatform_web;
GRANT SELECT, INSERT ON proposal_decision TO valueplatform_web, valueplatform_worker;
GRANT UPDATE ON objective, milestone, conversation, suggestion, signal TO valueplatform_web;
GRANT UPDATE (revision) ON account TO valueplatform_web;
GRANT UPDATE (shared, removed_at) ON scenario TO valueplatform_web;
GRANT INSERT, UPDATE, DELETE ON open_page, visit, notice_dismissal, digest_mark TO valueplatform_web;
-- Whoever answers browsers writes the secret that webhooks are signed with, and can never read it.
GRANT INSERT, UPDATE, SELECT (user_id, channel, cadence, weekday, hour, timezone, language, webhook_url, bad_news, unsubscribe_key, chosen_at) ON digest_choice TO valueplatform_web;
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_link, session, idempotency, attempt TO valueplatform_web;
GRANT SELECT ON app_user, api_key, provider, model_revision, next_best_fit, ingest_tally, alembic_version, archive TO valueplatform_web;

-- An administrator makes and revokes keys of products on a page; keys that read, and keys of people, stay with the command line.
GRANT INSERT, UPDATE (revoked_at) ON api_key TO valueplatform_web;
ALTER TABLE api_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_see_keys ON api_key FOR SELECT USING (true);
CREATE POLICY web_makes_ingest_keys ON api_key FOR INSERT TO valueplatform_web WITH CHECK (kind = 'ingest' AND person IS NULL);
CREATE POLICY web_revokes_ingest_keys ON api_key FOR UPDATE TO valueplatform_web USING (kind = 'ingest');
CREATE POLICY worker_keeps_keys ON api_key TO valueplatform_worker USING (true) WITH CHECK (true);

-- What accounts cost the supplier is its own: pages and the API read it only where a transaction of all accounts says
-- that it reads finance. A customer's scope is never all, and nothing else of ours says so.
ALTER TABLE cost ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY worker_sees_all ON cost TO valueplatform_worker USING (true) WITH CHECK (true);
CREATE POLICY web_reads_finance ON cost FOR SELECT TO valueplatform_web
    USING ((SELECT current_setting('valueplatform.scope', true)) = '-1'
           AND (SELECT current_setting('valueplatform.finance', true)) = 'read');
-- But what an account is known to have put in itself is its own: its return is told over it.
CREATE POLICY web_sees_known_effort ON cost FOR SELECT TO valueplatform_web
    USING (kind = ANY (ARRAY['implementation', 'internal']) AND account_id IS NOT NULL
           AND ((SELECT current_setting('valueplatform.scope', true)) = '-1'
                OR account_id = ANY ((SELECT string_to_array(nullif(current_setting('valueplatform.scope', true), ''), ','))::bigint[])));
GRANT SELECT ON cost TO valueplatform_web;
GRANT SELECT, INSERT ON exchange_rate TO valueplatform_web, valueplatform_worker;

-- The worker and the command line.
GRANT SELECT, INSERT, UPDATE, DELETE ON app_user, sign_in_link, session, idempotency, attempt, api_key, key_usage, provider, cost, model_revision, next_best_fit, ingest_tally TO valueplatform_worker;
GRANT SELECT, INSERT ON catalog_owner, catalog_effort, catalog_wish TO valueplatform_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON catalog_estimate, benchmark_run, way_run, proposal TO valueplatform_worker;
GRANT SELECT, INSERT, UPDATE ON archive TO valueplatform_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON meter_build TO valueplatform_worker;
GRANT SELECT, INSERT, DELETE ON archive_leftover TO valueplatform_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON digest_choice TO valueplatform_worker;
REVOKE UPDATE, DELETE ON posting, value_statement, statement_signature, assumption_entry, plan_target, objective_version, plan_signature, plan_terms, basis, closed_month, consent, consent_request, contribution, contribution_answer, split_entry, suggestion_grade, suggestion_grade_input, suggestion_log, news_hold, news_hold_release, collaboration_response FROM valueplatform_worker;
