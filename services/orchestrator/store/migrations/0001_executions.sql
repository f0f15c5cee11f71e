-- Executions and their events: the log is the truth, a row of `executions` is its head.
--
-- Times are Unix milliseconds, as in the log and on the wire. Ids compare by bytes. State numbers are those of the domain's
-- tables (services/orchestrator/domain) and of callsheet.v1; a test compares them with what stands here.

-- One row for each orchestrator by name. Who joins under a name raises its epoch; every commit names the epoch it belongs to.
create table replicas (
    name text collate "C" primary key,
    epoch bigint not null check (epoch > 0),
    joined_at_ms bigint not null
);

-- The words for the numbers, for people and their queries.
create table execution_states (
    state smallint primary key,
    name text not null unique,
    terminal boolean not null
);
insert into execution_states (state, name, terminal) values
    (1, 'pending', false),
    (2, 'processing', false),
    (3, 'completed', true),
    (4, 'failed', true),
    (5, 'cancelled', true);

create table event_kinds (
    kind smallint primary key,
    name text not null unique
);
insert into event_kinds (kind, name) values
    (1, 'started'),
    (2, 'checkpoint'),
    (3, 'succeeded'),
    (4, 'failed'),
    (5, 'lost'),
    (6, 'cancel'),
    (7, 'deadline'),
    (8, 'delivered'),
    (9, 'delivery_failed');

create table executions (
    id text collate "C" primary key,
    tenant text collate "C" not null,
    idempotency_key text collate "C", -- null: none
    request_sha256 bytea not null check (octet_length(request_sha256) = 32),
    request bytea not null, -- callsheet.v1.CreateExecutionRequest, as accepted
    traceparent text not null,
    owner text collate "C" not null, -- a replica's name; no foreign key: the fence of each commit is the stronger check
    state smallint not null check (state in (1, 2, 3, 4, 5)),
    open boolean not null, -- something is left to do: not terminal, or its webhook is not settled
    seq bigint not null check (seq >= 0), -- of its last event
    created_at_ms bigint not null,
    started_at_ms bigint,
    completed_at_ms bigint,
    wake_at_ms bigint, -- the earliest of its timers at the last commit
    summary bytea, -- callsheet.v1.Execution, once terminal
    webhook_body bytea, -- frozen when it became terminal
    constraint executions_closed_is_terminal check (open or state in (3, 4, 5)),
    constraint executions_terminal_is_complete check ((state in (3, 4, 5)) = (completed_at_ms is not null)),
    constraint executions_terminal_has_summary check ((state in (3, 4, 5)) = (summary is not null)),
    constraint executions_open_has_wakeup check (not open or wake_at_ms is not null)
) with (fillfactor = 80); -- heads change in place

-- Idempotency: one execution for each key of a tenant.
create unique index executions_key on executions (tenant, idempotency_key) where idempotency_key is not null;
-- Recovery: what a replica has open, in order of id.
create index executions_open on executions (owner, id) where open;
-- Lists, newest first; the second for those that only want what is going on.
create index executions_list on executions (tenant, created_at_ms desc, id desc);
create index executions_list_active on executions (tenant, created_at_ms desc, id desc) where completed_at_ms is null;

create table events (
    execution text collate "C" not null,
    seq bigint not null check (seq > 0),
    kind smallint not null check (kind in (1, 2, 3, 4, 5, 6, 7, 8, 9)),
    job integer not null check (job >= 0),
    attempt integer not null check (attempt >= 0),
    at_ms bigint not null,
    payload bytea not null,
    primary key (execution, seq) -- also the last line of defence: two owners cannot both write event number n
);

create function events_are_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'append_only' using errcode = 'CS009';
end $$;
create trigger events_append_only before update or delete on events
    for each statement execute function events_are_append_only();

-- Ends the transaction unless this is still the replica's epoch. The row stays locked FOR SHARE until the commit, so that a
-- join (an UPDATE of the epoch) waits for commits on their way and sees all they wrote; a commit after the join fails here.
-- (FOR KEY SHARE would not do: the epoch is no key, so its UPDATE would not wait.)
--
-- It also keeps the planner of this transaction from scanning the whole of `executions`, which plans made while the tables
-- were small would do.
create function replica_verify(replica text, its_epoch bigint) returns boolean language plpgsql as $$
begin
    perform 1 from replicas where name = replica and epoch = its_epoch for share;
    if not found then
        raise exception 'fenced' using errcode = 'CS010';
    end if;
    perform set_config('enable_seqscan', 'off', true);
    return true;
end $$;

-- Must be empty: open executions that nobody would ever wake up.
create view executions_without_wakeup as
    select e.id, e.tenant, e.owner, e.state, e.wake_at_ms
    from executions e
    where e.open
      and (e.wake_at_ms is null
           or e.wake_at_ms > 253402300799999 -- the year 9999: never
           or not exists (select 1 from replicas r where r.name = e.owner));
