-- Tracked runs (callsheet.v1.Runs). Status numbers are those of the domain's table; a test compares them.

create table run_statuses (
    status smallint primary key,
    name text not null unique, -- as in docs/fsm/run.md
    word text not null unique, -- as people read it
    terminal boolean not null
);
insert into run_statuses (status, name, word, terminal) values
    (1, 'running', 'Running', false),
    (2, 'completed', 'Completed', true),
    (3, 'completed_with_errors', 'Completed with Errors', true),
    (4, 'no_leads_to_score', 'No Leads To Score', true),
    (5, 'failed', 'Failed', true),
    (6, 'canceled', 'Canceled', true),
    (7, 'timed_out', 'Timed_out', true),
    (8, 'client_timeout_killed', 'CLIENT_TIMEOUT_KILLED', true),
    (9, 'job_timeout_killed', 'JOB_TIMEOUT_KILLED', true);

-- The last number that each tenant took: run ids are never the same twice, even when the clock goes back.
create table run_clocks (
    tenant text collate "C" primary key,
    second bigint not null, -- Unix time
    number bigint not null check (number > 0)
);

create table runs (
    tenant text collate "C" not null,
    id text collate "C" not null,
    base_id text collate "C" not null,
    client text collate "C" not null, -- '' none
    job_type text collate "C" not null,
    status smallint not null check (status in (1, 2, 3, 4, 5, 6, 7, 8, 9)),
    revision bigint not null check (revision > 0),
    started_at_ms bigint not null,
    ended_at_ms bigint,
    heartbeat_at_ms bigint not null,
    lease_ms bigint not null check (lease_ms > 0),
    lease_until_ms bigint not null,
    deadline_ms bigint not null,
    wake_at_ms bigint, -- when it ends by itself
    metric_names text[] not null,
    metric_rules bigint[] not null, -- 1 sum, 2 min, 3 max, 4 last; minus: the value is text
    metric_values text[] not null,
    notes text not null check (octet_length(notes) <= 72 * 1024),
    primary key (tenant, id),
    constraint runs_id_says_its_parts check (id = base_id || case client when '' then '' else '-' || client end),
    constraint runs_ended_has_an_end check ((status = 1) = (ended_at_ms is null)),
    constraint runs_running_has_wakeup check ((status = 1) = (wake_at_ms is not null)),
    constraint runs_metrics_are_whole check (cardinality(metric_names) = cardinality(metric_rules)
                                             and cardinality(metric_names) = cardinality(metric_values))
) with (fillfactor = 80);

-- Single flight: this index, and nothing else, decides who of many starts wins.
create unique index runs_running on runs (tenant, job_type, client) where status = 1;
-- The client runs of a base.
create index runs_base on runs (tenant, base_id, started_at_ms);
-- The earliest expiry.
create index runs_wake on runs (wake_at_ms) where status = 1;
-- Lists, newest first.
create index runs_list on runs (tenant, started_at_ms desc, id desc);

-- One clock for leases: the only one that all replicas share.
create function run_now_ms() returns bigint language sql stable as $$
    select floor(extract(epoch from statement_timestamp()) * 1000)::bigint
$$;
