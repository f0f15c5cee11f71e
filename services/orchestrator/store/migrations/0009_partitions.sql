-- The log in partitions of time, so that what is old goes by dropping a table.
--
-- The key is the day (of the Unix epoch) that an execution's id carries (domain/execution_id): it never changes, so an execution
-- and all its events lie in one partition each, and who knows the id knows where. Day 0 is that of ids without a day: those of
-- the first releases, whose tables become the partitions `undated` as they are.
--
-- There is no default partition: the service makes partitions some days ahead, and when an insert finds none. Nothing waits for
-- that (ATTACH does not lock writers out).

create function execution_day(id text) returns integer language sql immutable strict parallel safe as $$
    select case when id ~ '^[0-9A-Za-z]{6}_' then
        ((((((strpos(letters, substr(id, 1, 1)) - 1)::bigint * 62
             + strpos(letters, substr(id, 2, 1)) - 1) * 62
             + strpos(letters, substr(id, 3, 1)) - 1) * 62
             + strpos(letters, substr(id, 4, 1)) - 1) * 62
             + strpos(letters, substr(id, 5, 1)) - 1) * 62
             + strpos(letters, substr(id, 6, 1)) - 1) / 86400
    else 0 end::integer
    from (values ('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')) as base62 (letters)
$$;

-- ---- the tables of before step aside ----

alter table executions rename to executions_undated;
alter table executions_undated add column day integer not null default 0;
alter table executions_undated alter column day drop default;
alter index executions_open rename to executions_undated_open;
alter index executions_list rename to executions_undated_list;
alter index executions_list_active rename to executions_undated_list_active;
alter index executions_origin rename to executions_undated_origin;
alter table executions_undated drop constraint executions_pkey;
alter table executions_undated add constraint executions_undated_pkey primary key (id, day);

alter table events rename to events_undated;
alter table events_undated add column day integer not null default 0;
alter table events_undated alter column day drop default;
alter table events_undated add column version smallint not null default 1;
alter table events_undated alter column version drop default;
alter table events_undated drop constraint events_pkey;
alter table events_undated add constraint events_undated_pkey primary key (execution, seq, day);
alter table events_undated validate constraint events_kind_check;
drop view executions_without_wakeup;

-- ---- executions ----

create table executions (
    day integer not null,
    state smallint not null,
    open boolean not null, -- something is left to do: not terminal, or its webhook is not settled
    seq bigint not null, -- of its last event
    created_at_ms bigint not null,
    started_at_ms bigint,
    completed_at_ms bigint,
    wake_at_ms bigint, -- the earliest of its timers at the last commit
    id text collate "C" not null,
    tenant text collate "C" not null,
    owner text collate "C" not null, -- a replica's name; no foreign key: the fence of each commit is the stronger check
    idempotency_key text collate "C", -- null: none
    origin text collate "C", -- the execution that it is a retry or a rerun of; null: none
    traceparent text not null,
    request_sha256 bytea not null,
    request bytea not null, -- callsheet.v1.CreateExecutionRequest, as accepted
    summary bytea, -- callsheet.v1.Execution, once terminal
    webhook_body bytea, -- frozen when it became terminal
    constraint executions_state_check check (state in (1, 2, 3, 4, 5)),
    constraint executions_seq_check check (seq >= 0),
    constraint executions_request_sha256_check check (octet_length(request_sha256) = 32),
    constraint executions_closed_is_terminal check (open or state in (3, 4, 5)),
    constraint executions_terminal_is_complete check ((state in (3, 4, 5)) = (completed_at_ms is not null)),
    constraint executions_terminal_has_summary check ((state in (3, 4, 5)) = (summary is not null)),
    constraint executions_open_has_wakeup check (not open or wake_at_ms is not null),
    primary key (id, day)
) partition by range (day);
create index executions_open on executions (owner, id) where open;
create index executions_list on executions (tenant, created_at_ms desc, id desc);
create index executions_list_active on executions (tenant, created_at_ms desc, id desc) where completed_at_ms is null;
create index executions_origin on executions (tenant, origin, created_at_ms, id) where origin is not null;

-- Idempotency: one execution for each key of a tenant, in whatever partition. A key goes before its execution does.
create table execution_keys (
    tenant text collate "C" not null,
    key text collate "C" not null,
    execution text collate "C" not null,
    day integer not null, -- of the execution
    primary key (tenant, key)
);
create index execution_keys_execution on execution_keys (execution);
create index execution_keys_day on execution_keys (day);
insert into execution_keys (tenant, key, execution, day)
select tenant, idempotency_key, id, 0 from executions_undated where idempotency_key is not null;
drop index executions_key;

-- ---- events ----

create table events (
    day integer not null, -- of the execution
    kind smallint not null,
    version smallint not null, -- of the payload and what the columns mean (engine/event_wire.h)
    seq bigint not null,
    job integer not null,
    attempt integer not null,
    at_ms bigint not null,
    execution text collate "C" not null,
    payload bytea not null,
    constraint events_seq_check check (seq > 0),
    constraint events_kind_check check (kind between 1 and 16 and kind <> 13),
    constraint events_job_check check (job >= 0),
    constraint events_attempt_check check (attempt >= 0),
    primary key (execution, seq, day) -- also the last line of defence: two owners cannot both write event number n
) partition by range (day);
create trigger events_append_only before update or delete on events
    for each statement execute function events_are_append_only();

-- ---- partitions ----

create table log_partitions (
    first_day integer primary key,
    end_day integer not null check (end_day > first_day), -- the first one that is not in it
    suffix text collate "C" not null unique, -- executions_SUFFIX, events_SUFFIX
    retiring boolean not null default false, -- its keys go, then it goes itself
    last_end_ms bigint not null default 0 -- of an execution in it, when somebody last looked
);

alter table executions attach partition executions_undated for values from (minvalue) to (1);
alter table events attach partition events_undated for values from (minvalue) to (1);
insert into log_partitions (first_day, end_day, suffix) values (-2147483648, 1, 'undated');

-- Makes the partition of a day unless it is there; true when it made one. Its bounds are multiples of the width, as far as its
-- neighbours leave room.
create function log_partition_make(its_day integer, width integer) returns boolean language plpgsql as $$
declare
    first integer := its_day - its_day % width;
    beyond integer := its_day - its_day % width + width;
    suffix text;
begin
    perform pg_advisory_xact_lock(hashtextextended('callsheet log_partitions', 0)); -- one maker at a time, in any replica
    if its_day < 1 or exists (select from log_partitions p where its_day >= p.first_day and its_day < p.end_day) then
        return false;
    end if;
    first := greatest(first, (select max(p.end_day) from log_partitions p where p.end_day <= its_day));
    beyond := least(beyond, (select min(p.first_day) from log_partitions p where p.first_day > its_day));
    suffix := to_char(date '1970-01-01' + first, 'YYYYMMDD');
    execute format('create table executions_%s (like executions including constraints) with (fillfactor = 80)', suffix);
    execute format('create table events_%s (like events including constraints)', suffix);
    execute format('create trigger events_append_only before update or delete on events_%s '
                   'for each statement execute function events_are_append_only()', suffix);
    execute format('alter table executions attach partition executions_%s for values from (%s) to (%s)',
                   suffix, first, beyond);
    execute format('alter table events attach partition events_%s for values from (%s) to (%s)', suffix, first, beyond);
    insert into log_partitions (first_day, end_day, suffix) values (first, beyond, suffix);
    return true;
end $$;

-- Whether all of a partition has ended before that time. What is open is found by its index; what has ended late is looked for
-- again only when that may have become old.
create function log_partition_is_over(its_suffix text, before_ms bigint) returns boolean language plpgsql as $$
declare
    found_open boolean;
    latest_ms bigint;
begin
    execute format('select exists (select from executions_%s where open)', its_suffix) into found_open;
    if found_open then
        return false;
    end if;
    execute format('select max(completed_at_ms) from executions_%s', its_suffix) into latest_ms;
    update log_partitions p set last_end_ms = coalesce(latest_ms, 0) where p.suffix = its_suffix;
    return coalesce(latest_ms < before_ms, its_suffix <> 'undated'); -- that one stays, empty
end $$;

-- Marks the oldest partition that may go: all of its days, and all ends in it, were before that time. Its suffix, or that of
-- one that was marked earlier; '' none.
create function log_partition_retire(before_ms bigint) returns text language plpgsql as $$
declare
    candidate text;
begin
    select p.suffix into candidate from log_partitions p where p.retiring order by p.first_day limit 1;
    if found then
        return candidate;
    end if;
    for candidate in select p.suffix from log_partitions p
                     where p.end_day::bigint * 86400000 <= before_ms and p.last_end_ms < before_ms
                     order by p.first_day loop
        if log_partition_is_over(candidate, before_ms) then
            update log_partitions p set retiring = true where p.suffix = candidate;
            return candidate;
        end if;
    end loop;
    return '';
end $$;

-- Drops a partition that was marked, unless something is open in it. It needs the tables for itself for a moment and does not
-- wait for that for long, because whoever comes after it waits, too: "lock_timeout", try again later. Commits begin with their
-- row of `replicas`: waiting for them there, they hold nothing else.
create function log_partition_drop(its_suffix text, lock_wait_ms bigint) returns boolean language plpgsql as $$
declare
    found_open boolean;
begin
    perform set_config('lock_timeout', lock_wait_ms::text, true);
    perform pg_advisory_xact_lock(hashtextextended('callsheet log_partitions', 0));
    update log_partitions p set retiring = false where p.suffix = its_suffix and p.retiring;
    if not found then
        return false;
    end if;
    lock table replicas in exclusive mode;
    lock table executions, events in access exclusive mode;
    execute format('select exists (select from executions_%s where open)', its_suffix) into found_open;
    if found_open then
        return false;
    elsif its_suffix = 'undated' then
        truncate executions_undated, events_undated;
    else
        execute format('drop table executions_%s', its_suffix);
        execute format('drop table events_%s', its_suffix);
        delete from log_partitions p where p.suffix = its_suffix;
    end if;
    return true;
end $$;

-- ---- the version of what is stored ----

-- The highest version of an event that may be in the log. Who starts raises it to its own; who knows only lower ones does not
-- start, and a replica that runs already takes nothing over any more.
create table log_version (version smallint not null);
create unique index log_version_one on log_version ((true));
insert into log_version (version) values (1);

-- ---- what looks at them ----

create view executions_without_wakeup as
    select e.id, e.tenant, e.owner, e.state, e.wake_at_ms
    from executions e
    where e.open
      and (e.wake_at_ms is null
           or e.wake_at_ms > 253402300799999 -- the year 9999: never
           or not exists (select 1 from replicas r where r.name = e.owner));

-- As before; and plans are made once, for any values: those for certain values would be made anew each time, because they
-- look at one partition only. The statements give the days they are about, so that others are not even opened.
create or replace function replica_verify(replica text, its_epoch bigint) returns boolean language plpgsql as $$
begin
    perform 1 from replicas where name = replica and epoch = its_epoch for share;
    if not found then
        raise exception 'fenced' using errcode = 'CS010';
    end if;
    perform set_config('enable_seqscan', 'off', true);
    perform set_config('plan_cache_mode', 'force_generic_plan', true);
    return true;
end $$;

-- Runs that have ended, the oldest first.
create index runs_ended on runs (ended_at_ms) where status <> 1;
