-- The database of an orchestrator of the first releases (migrations 0001 to 0003), as pg_dump wrote it after that program had
-- run on it, for tests of what a newer one makes of it. Made once; what matters are its rows, so nothing of it is ever changed.
--
-- Of the tenant acme: a diamond of no-ops that completed (key "nightly"); a video that was refused, and its webhook delivered; a
-- cancelled one; a diamond whose first job was tried again and is done, b and c have not ended; and a video (key "fox") of which the paid
-- job is under way, with a checkpoint. The replica "first" was told to stop.

SET default_tablespace = '';
CREATE FUNCTION events_are_append_only() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'append_only' using errcode = 'CS009';
end $$;

CREATE FUNCTION replica_verify(replica text, its_epoch bigint) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
begin
    perform 1 from replicas where name = replica and epoch = its_epoch for share;
    if not found then
        raise exception 'fenced' using errcode = 'CS010';
    end if;
    perform set_config('enable_seqscan', 'off', true);
    return true;
end $$;

CREATE FUNCTION replica_verify_fenced(replica text, its_epoch bigint) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
begin
    perform 1 from replicas where name = replica and epoch = its_epoch and fenced for share;
    if not found then
        raise exception 'not_fenced' using errcode = 'CS010';
    end if;
    return true;
end $$;

CREATE FUNCTION run_now_ms() RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
    select floor(extract(epoch from statement_timestamp()) * 1000)::bigint
$$;

CREATE TABLE event_kinds (
    kind smallint NOT NULL,
    name text NOT NULL
);

CREATE TABLE events (
    execution text NOT NULL COLLATE pg_catalog."C",
    seq bigint NOT NULL,
    kind smallint NOT NULL,
    job integer NOT NULL,
    attempt integer NOT NULL,
    at_ms bigint NOT NULL,
    payload bytea NOT NULL,
    CONSTRAINT events_attempt_check CHECK ((attempt >= 0)),
    CONSTRAINT events_job_check CHECK ((job >= 0)),
    CONSTRAINT events_kind_check CHECK ((kind = ANY (ARRAY[1, 2, 3, 4, 5, 6, 7, 8, 9]))),
    CONSTRAINT events_seq_check CHECK ((seq > 0))
);

CREATE TABLE execution_states (
    state smallint NOT NULL,
    name text NOT NULL,
    terminal boolean NOT NULL
);

CREATE TABLE executions (
    id text NOT NULL COLLATE pg_catalog."C",
    tenant text NOT NULL COLLATE pg_catalog."C",
    idempotency_key text COLLATE pg_catalog."C",
    request_sha256 bytea NOT NULL,
    request bytea NOT NULL,
    traceparent text NOT NULL,
    owner text NOT NULL COLLATE pg_catalog."C",
    state smallint NOT NULL,
    open boolean NOT NULL,
    seq bigint NOT NULL,
    created_at_ms bigint NOT NULL,
    started_at_ms bigint,
    completed_at_ms bigint,
    wake_at_ms bigint,
    summary bytea,
    webhook_body bytea,
    CONSTRAINT executions_closed_is_terminal CHECK ((open OR (state = ANY (ARRAY[3, 4, 5])))),
    CONSTRAINT executions_open_has_wakeup CHECK (((NOT open) OR (wake_at_ms IS NOT NULL))),
    CONSTRAINT executions_request_sha256_check CHECK ((octet_length(request_sha256) = 32)),
    CONSTRAINT executions_seq_check CHECK ((seq >= 0)),
    CONSTRAINT executions_state_check CHECK ((state = ANY (ARRAY[1, 2, 3, 4, 5]))),
    CONSTRAINT executions_terminal_has_summary CHECK (((state = ANY (ARRAY[3, 4, 5])) = (summary IS NOT NULL))),
    CONSTRAINT executions_terminal_is_complete CHECK (((state = ANY (ARRAY[3, 4, 5])) = (completed_at_ms IS NOT NULL)))
)
WITH (fillfactor='80');

CREATE TABLE replicas (
    name text NOT NULL COLLATE pg_catalog."C",
    epoch bigint NOT NULL,
    joined_at_ms bigint NOT NULL,
    fenced boolean DEFAULT false NOT NULL,
    CONSTRAINT replicas_epoch_check CHECK ((epoch > 0))
);

CREATE VIEW executions_without_wakeup AS
 SELECT e.id,
    e.tenant,
    e.owner,
    e.state,
    e.wake_at_ms
   FROM executions e
  WHERE (e.open AND ((e.wake_at_ms IS NULL) OR (e.wake_at_ms > '253402300799999'::bigint) OR (NOT (EXISTS ( SELECT 1
           FROM replicas r
          WHERE (r.name = e.owner))))));

CREATE TABLE replica_leases (
    name text NOT NULL COLLATE pg_catalog."C",
    address text DEFAULT ''::text NOT NULL,
    alive_until timestamp with time zone NOT NULL
);

CREATE TABLE run_clocks (
    tenant text NOT NULL COLLATE pg_catalog."C",
    second bigint NOT NULL,
    number bigint NOT NULL,
    CONSTRAINT run_clocks_number_check CHECK ((number > 0))
);

CREATE TABLE run_statuses (
    status smallint NOT NULL,
    name text NOT NULL,
    word text NOT NULL,
    terminal boolean NOT NULL
);

CREATE TABLE runs (
    tenant text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    base_id text NOT NULL COLLATE pg_catalog."C",
    client text NOT NULL COLLATE pg_catalog."C",
    job_type text NOT NULL COLLATE pg_catalog."C",
    status smallint NOT NULL,
    revision bigint NOT NULL,
    started_at_ms bigint NOT NULL,
    ended_at_ms bigint,
    heartbeat_at_ms bigint NOT NULL,
    lease_ms bigint NOT NULL,
    lease_until_ms bigint NOT NULL,
    deadline_ms bigint NOT NULL,
    wake_at_ms bigint,
    metric_names text[] NOT NULL,
    metric_rules bigint[] NOT NULL,
    metric_values text[] NOT NULL,
    notes text NOT NULL,
    CONSTRAINT runs_ended_has_an_end CHECK (((status = 1) = (ended_at_ms IS NULL))),
    CONSTRAINT runs_id_says_its_parts CHECK ((id = (base_id ||
CASE client
    WHEN ''::text THEN ''::text
    ELSE ('-'::text || client)
END))),
    CONSTRAINT runs_lease_ms_check CHECK ((lease_ms > 0)),
    CONSTRAINT runs_metrics_are_whole CHECK (((cardinality(metric_names) = cardinality(metric_rules)) AND (cardinality(metric_names) = cardinality(metric_values)))),
    CONSTRAINT runs_notes_check CHECK ((octet_length(notes) <= (72 * 1024))),
    CONSTRAINT runs_revision_check CHECK ((revision > 0)),
    CONSTRAINT runs_running_has_wakeup CHECK (((status = 1) = (wake_at_ms IS NOT NULL))),
    CONSTRAINT runs_status_check CHECK ((status = ANY (ARRAY[1, 2, 3, 4, 5, 6, 7, 8, 9])))
)
WITH (fillfactor='80');

CREATE TABLE schema_migrations (
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

INSERT INTO event_kinds (kind, name) VALUES (1, 'started');
INSERT INTO event_kinds (kind, name) VALUES (2, 'checkpoint');
INSERT INTO event_kinds (kind, name) VALUES (3, 'succeeded');
INSERT INTO event_kinds (kind, name) VALUES (4, 'failed');
INSERT INTO event_kinds (kind, name) VALUES (5, 'lost');
INSERT INTO event_kinds (kind, name) VALUES (6, 'cancel');
INSERT INTO event_kinds (kind, name) VALUES (7, 'deadline');
INSERT INTO event_kinds (kind, name) VALUES (8, 'delivered');
INSERT INTO event_kinds (kind, name) VALUES (9, 'delivery_failed');

INSERT INTO events (execution, seq, kind, job, attempt, at_ms, payload) VALUES ('8rC2hWeAvc8JXhKibkOU7', 1, 3, 0, 1, 1795614958049, '\x38e1c3f797a134');
INSERT INTO events (execution, seq, kind, job, attempt, at_ms, payload) VALUES ('8rC2hWeAvc8JXhKibkOU7', 2, 3, 1, 1, 1795614958052, '\x38e4c3f797a134');
INSERT INTO events (execution, seq, kind, job, attempt, at_ms, payload) VALUES ('8rC2hWeAvc8JXhKibkOU7', 3, 3, 2, 1, 1795614958052, '\x38e4c3f797a134');
INSERT INTO events (execution, seq, kind, job, attempt, at_ms, payload) VALUES ('8rC2hWeAvc8JXhKibkOU7', 4, 3, 3, 1, 1795614958057, '\x38e7c3f797a13450e1c3f797a134');
INSERT INTO events (execution, seq, kind, job, attempt, at_ms, payload) VALUES ('bldJSHsq2fzGhy8jItiw5', 1, 1, 0, 1, 1795614958104, '\x0a106a46ffca31aa186ed0057f43aa3cf1cb3898c4f797a134');
INSERT INTO events (execution, seq, kind, job, attempt, at_ms, payload) VALUES ('bldJSHsq2fzGhy8jItiw5', 2, 4, 0, 1, 1795614958105, '\x10061a06756e736166652216617320746865207363726970742077616e74732069743898c4f797a1345098c4f797a134');
INSERT INTO events (execution, seq, kind, job, attempt, at_ms, payload) VALUES ('bldJSHsq2fzGhy8jItiw5', 3, 8, 2, 1, 1795614958119, '\x');
INSERT INTO events (execution, seq, kind, job, attempt, at_ms, payload) VALUES ('WOQL5QRfGjC2Z1gznCwCQ', 1, 6, 0, 0, 1795614958139, '\x220a6e6f74206e656564656438b9c4f797a134');
INSERT INTO events (execution, seq, kind, job, attempt, at_ms, payload) VALUES ('QWMpldfc2vjIZTHpnFmNg', 1, 4, 0, 1, 1795614958140, '\x10021a04627573792216617320746865207363726970742077616e747320697430bbc6f797a13438bcc4f797a134');
INSERT INTO events (execution, seq, kind, job, attempt, at_ms, payload) VALUES ('QWMpldfc2vjIZTHpnFmNg', 2, 3, 0, 2, 1795614958395, '\x38bcc4f797a134');
INSERT INTO events (execution, seq, kind, job, attempt, at_ms, payload) VALUES ('iDwMQrfdGrwS4NnEqlF9t', 1, 1, 0, 1, 1795614958396, '\x0a10633118d578e376c87b66ceb4b4a9228138bcc6f797a134');
INSERT INTO events (execution, seq, kind, job, attempt, at_ms, payload) VALUES ('iDwMQrfdGrwS4NnEqlF9t', 2, 2, 0, 1, 1795614958398, '\x0a0f7375626d697474656420617320343238bcc6f797a134');

INSERT INTO execution_states (state, name, terminal) VALUES (1, 'pending', false);
INSERT INTO execution_states (state, name, terminal) VALUES (2, 'processing', false);
INSERT INTO execution_states (state, name, terminal) VALUES (3, 'completed', true);
INSERT INTO execution_states (state, name, terminal) VALUES (4, 'failed', true);
INSERT INTO execution_states (state, name, terminal) VALUES (5, 'cancelled', true);

INSERT INTO executions (id, tenant, idempotency_key, request_sha256, request, traceparent, owner, state, open, seq, created_at_ms, started_at_ms, completed_at_ms, wake_at_ms, summary, webhook_body) VALUES ('8rC2hWeAvc8JXhKibkOU7', 'acme', 'nightly', '\x975629e683b9ad5e5d134296a79425d2a98336b671c68d56152e7a3937eec6b2', '\x0a0461636d6512076e696768746c791a340a080a01611203aa06000a0b0a01621203aa06001a01610a0b0a01631203aa06001a01610a0e0a01641203aa06001a01621a0163', '00-37d707fddb901b431d7190eba962aef1-15acc7a5be439efc-01', 'first', 3, false, 4, 1795614958042, 1795614958049, 1795614958057, NULL, '\x0a1538724332685765417663384a58684b69626b4f5537120461636d651803221b0a016112046e6f6f701805280150e1c3f797a13458e1c3f797a134221e0a016212046e6f6f701805220161280150e4c3f797a13458e4c3f797a134221e0a016312046e6f6f701805220161280150e4c3f797a13458e4c3f797a13422210a016412046e6f6f701805220162220163280150e7c3f797a13458e9c3f797a1342a016438dac3f797a13440e1c3f797a13448e9c3f797a1345004', NULL);
INSERT INTO executions (id, tenant, idempotency_key, request_sha256, request, traceparent, owner, state, open, seq, created_at_ms, started_at_ms, completed_at_ms, wake_at_ms, summary, webhook_body) VALUES ('bldJSHsq2fzGhy8jItiw5', 'acme', NULL, '\x3ca3daf955778037e26251a278ef5105321a43785352f96d34fe5ad54ad5f2e8', '\x0a0461636d651a310a150a016712100a0e0a056120666f7812056c6f63616c0a180a0172120f2a0d0a050a016778011204393a31362202247222220a1868747470733a2f2f6578616d706c652e636f6d2f686f6f6b1206733363726574320c0a047465616d1204626c7565', '00-929337ef79a35ef67edbf0776602865c-ef334dc158585f8f-01', 'first', 4, false, 3, 1795614958104, 1795614958104, 1795614958105, NULL, '\x0a15626c644a5348737132667a476879386a4974697735120461636d65180422480a0167120d67656e6572617465566964656f180628014a2208061206756e736166651a16617320746865207363726970742077616e74732069745098c4f797a1345899c4f797a13422480a0172120772656672616d6518082201674a2a1211646570656e64656e63795f6661696c65641a15446570656e64656e6379206a6f62206661696c65645899c4f797a1346a02247232324a6f62202767656e6572617465566964656f27206661696c65643a20617320746865207363726970742077616e74732069743898c4f797a1344098c4f797a1344899c4f797a13450035a260a196576745f626c644a5348737132667a476879386a49746977351002180130a7c4f797a134620c0a047465616d1204626c7565', '\x7b22657865637574696f6e4964223a22626c644a5348737132667a476879386a4974697735222c22737461747573223a226661696c6564222c22726573756c74223a6e756c6c2c226f757470757473223a7b7d2c22726f6f7455726c223a6e756c6c2c226572726f72223a224a6f62202767656e6572617465566964656f27206661696c65643a20617320746865207363726970742077616e7473206974222c22637265617465644174223a22323032362d31312d32355431333a35353a35382e3130345a222c22636f6d706c657465644174223a22323032362d31312d32355431333a35353a35382e3130355a222c226661696c65644174223a22323032362d31312d32355431333a35353a35382e3130355a227d');
INSERT INTO executions (id, tenant, idempotency_key, request_sha256, request, traceparent, owner, state, open, seq, created_at_ms, started_at_ms, completed_at_ms, wake_at_ms, summary, webhook_body) VALUES ('WOQL5QRfGjC2Z1gznCwCQ', 'acme', NULL, '\xe391b7c746a2fe7e35cbc9a0995425fcd0e3b4ad2b4a82f650bf767d2d4743c9', '\x0a0461636d651a0a0a080a01611203aa0600', '00-ada1baee161cc24600d17ce3b9517ce7-7792684635170f22-01', 'first', 5, false, 1, 1795614958137, 1795614958137, 1795614958139, NULL, '\x0a15574f514c35515266476a43325a31677a6e43774351120461636d651805221b0a016112046e6f6f701807280150b9c4f797a13458bbc4f797a134321f457865637574696f6e2063616e63656c6c65643a206e6f74206e656564656438b9c4f797a13440b9c4f797a13448bbc4f797a1345001', NULL);
INSERT INTO executions (id, tenant, idempotency_key, request_sha256, request, traceparent, owner, state, open, seq, created_at_ms, started_at_ms, completed_at_ms, wake_at_ms, summary, webhook_body) VALUES ('QWMpldfc2vjIZTHpnFmNg', 'acme', NULL, '\xc853e5f77cf50371a43088a60f50b10a45ab43e4377c23af56518b3f59ae599e', '\x0a0461636d651a340a080a01611203aa06000a0b0a01621203aa06001a01610a0b0a01631203aa06001a01610a0e0a01641203aa06001a01621a0163', '00-a3d613427970ed4dd048ed02d7968396-a01cc295621d2035-01', 'first', 2, true, 1, 1795614958140, 1795614958140, NULL, 1795614958395, NULL, NULL);
INSERT INTO executions (id, tenant, idempotency_key, request_sha256, request, traceparent, owner, state, open, seq, created_at_ms, started_at_ms, completed_at_ms, wake_at_ms, summary, webhook_body) VALUES ('iDwMQrfdGrwS4NnEqlF9t', 'acme', 'fox', '\xbf73a4a619a5cd51188f147b2f71fed5be7724ed2d3911a6641ce92d22576462', '\x0a0461636d651203666f781a310a150a016712100a0e0a056120666f7812056c6f63616c0a180a0172120f2a0d0a050a016778011204393a31362202247222220a1868747470733a2f2f6578616d706c652e636f6d2f686f6f6b1206733363726574320c0a047465616d1204626c7565', '00-ce7896579aed3c576e45a3bedfeddc11-bd10b8481dcdcf13-01', 'first', 2, true, 1, 1795614958396, 1795614958396, NULL, 1795616763396, NULL, NULL);

INSERT INTO replica_leases (name, address, alive_until) VALUES ('first', '127.0.0.1:45891', '-infinity');

INSERT INTO replicas (name, epoch, joined_at_ms, fenced) VALUES ('first', 732, 1795614958001, false);

INSERT INTO run_statuses (status, name, word, terminal) VALUES (1, 'running', 'Running', false);
INSERT INTO run_statuses (status, name, word, terminal) VALUES (2, 'completed', 'Completed', true);
INSERT INTO run_statuses (status, name, word, terminal) VALUES (3, 'completed_with_errors', 'Completed with Errors', true);
INSERT INTO run_statuses (status, name, word, terminal) VALUES (4, 'no_leads_to_score', 'No Leads To Score', true);
INSERT INTO run_statuses (status, name, word, terminal) VALUES (5, 'failed', 'Failed', true);
INSERT INTO run_statuses (status, name, word, terminal) VALUES (6, 'canceled', 'Canceled', true);
INSERT INTO run_statuses (status, name, word, terminal) VALUES (7, 'timed_out', 'Timed_out', true);
INSERT INTO run_statuses (status, name, word, terminal) VALUES (8, 'client_timeout_killed', 'CLIENT_TIMEOUT_KILLED', true);
INSERT INTO run_statuses (status, name, word, terminal) VALUES (9, 'job_timeout_killed', 'JOB_TIMEOUT_KILLED', true);

INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (1, 'executions', '004e0eaeb472608fd4fc7f5a71f155e20c7e5c62eeeeb4032312c436856e6e4d', '2026-11-25 13:55:56.671827+00');
INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (2, 'replicas', '4d3a8829382870a8fdc92611a4eb64a4aa79342b4e2c03df87ad228112de254a', '2026-11-25 13:55:56.751615+00');
INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (3, 'runs', '6291923b6cee79bc7a4cedbcab3a9888610101826ef601df696428fdce6c3625', '2026-11-25 13:55:56.770234+00');

ALTER TABLE ONLY event_kinds
    ADD CONSTRAINT event_kinds_name_key UNIQUE (name);

ALTER TABLE ONLY event_kinds
    ADD CONSTRAINT event_kinds_pkey PRIMARY KEY (kind);

ALTER TABLE ONLY events
    ADD CONSTRAINT events_pkey PRIMARY KEY (execution, seq);

ALTER TABLE ONLY execution_states
    ADD CONSTRAINT execution_states_name_key UNIQUE (name);

ALTER TABLE ONLY execution_states
    ADD CONSTRAINT execution_states_pkey PRIMARY KEY (state);

ALTER TABLE ONLY executions
    ADD CONSTRAINT executions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY replica_leases
    ADD CONSTRAINT replica_leases_pkey PRIMARY KEY (name);

ALTER TABLE ONLY replicas
    ADD CONSTRAINT replicas_pkey PRIMARY KEY (name);

ALTER TABLE ONLY run_clocks
    ADD CONSTRAINT run_clocks_pkey PRIMARY KEY (tenant);

ALTER TABLE ONLY run_statuses
    ADD CONSTRAINT run_statuses_name_key UNIQUE (name);

ALTER TABLE ONLY run_statuses
    ADD CONSTRAINT run_statuses_pkey PRIMARY KEY (status);

ALTER TABLE ONLY run_statuses
    ADD CONSTRAINT run_statuses_word_key UNIQUE (word);

ALTER TABLE ONLY runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (tenant, id);

ALTER TABLE ONLY schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (number);

CREATE UNIQUE INDEX executions_key ON executions USING btree (tenant, idempotency_key) WHERE (idempotency_key IS NOT NULL);

CREATE INDEX executions_list ON executions USING btree (tenant, created_at_ms DESC, id DESC);

CREATE INDEX executions_list_active ON executions USING btree (tenant, created_at_ms DESC, id DESC) WHERE (completed_at_ms IS NULL);

CREATE INDEX executions_open ON executions USING btree (owner, id) WHERE open;

CREATE INDEX runs_base ON runs USING btree (tenant, base_id, started_at_ms);

CREATE INDEX runs_list ON runs USING btree (tenant, started_at_ms DESC, id DESC);

CREATE UNIQUE INDEX runs_running ON runs USING btree (tenant, job_type, client) WHERE (status = 1);

CREATE INDEX runs_wake ON runs USING btree (wake_at_ms) WHERE (status = 1);

CREATE TRIGGER events_append_only BEFORE DELETE OR UPDATE ON events FOR EACH STATEMENT EXECUTE FUNCTION events_are_append_only();

ALTER TABLE ONLY replica_leases
    ADD CONSTRAINT replica_leases_name_fkey FOREIGN KEY (name) REFERENCES replicas(name) ON DELETE CASCADE;

