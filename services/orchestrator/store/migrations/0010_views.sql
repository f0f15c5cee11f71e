-- Jobs and attempts for people and their queries. The log keeps them as protobuf messages; these views unfold them when somebody
-- asks, so writing costs nothing more. A job of an open execution shows what the log knows: a cheap job's assignment is not in it.
--
-- Ask for certain executions or tenants: everything asked for is unfolded.

create table job_states (
    state smallint primary key,
    name text not null unique
);
insert into job_states (state, name) values
    (1, 'waiting'), (2, 'ready'), (3, 'running'), (4, 'retrying'), (5, 'completed'), (6, 'failed'), (7, 'cancelled'),
    (8, 'skipped'), (9, 'awaiting_approval');

create table failure_classes (
    class smallint primary key,
    name text not null unique
);
insert into failure_classes (class, name) values
    (1, 'INVALID_INPUT'), (2, 'TRANSIENT'), (3, 'RATE_LIMITED'), (4, 'TIMEOUT'), (5, 'CODEC_UNSUPPORTED'),
    (6, 'CONTENT_REJECTED'), (7, 'AUTH'), (8, 'BILLING'), (9, 'INTERNAL'), (10, 'OUTCOME_UNKNOWN'), (11, 'CANCELLED');

-- By the number of the field in callsheet.v1.Operation. Without `import`, which is no job that anybody asked for.
create table operation_names (
    field integer primary key,
    name text not null unique
);
insert into operation_names (field, name) values
    (1, 'generateVideo'), (2, 'generateImage'), (3, 'generateAudio'), (4, 'merge'), (5, 'reframe'), (6, 'lipSync'),
    (7, 'addSubtitles'), (8, 'extractAudio'), (9, 'transcribe'), (10, 'planCuts'), (11, 'cut'), (14, 'retimeSubtitles'),
    (15, 'brand'), (101, 'noop'), (102, 'external'), (103, 'map');

-- ---- protobuf ----

-- The fields of a message as they stand in it: varints as a number, all others as bytes. Bytes that are no message end early.
create function proto_fields(message bytea)
returns table (field integer, number bigint, bytes bytea) language plpgsql immutable strict parallel safe as $$
declare
    all_bytes bytea := message || ''::bytea; -- once out of its storage
    size integer := octet_length(message);
    place integer := 0;
    tag bigint := 0;
    value bigint := 0;
    shift integer := 0;
    wire integer := -1; -- none: a tag comes next
    byte integer;
begin
    while place < size loop
        byte := get_byte(all_bytes, place);
        place := place + 1;
        value := value | ((byte & 127)::bigint << shift);
        shift := shift + 7;
        if byte >= 128 and shift < 70 then
            continue;
        end if;
        shift := 0;
        if wire = -1 then
            tag := value;
            wire := (value & 7)::integer;
            if wire in (1, 5) then -- fixed
                value := case wire when 1 then 8 else 4 end;
            else
                value := 0;
                continue;
            end if;
        elsif wire = 0 then
            field := (tag >> 3)::integer;
            number := value;
            bytes := null;
            return next;
            value := 0;
            wire := -1;
            continue;
        end if;
        if wire not in (1, 2, 5) or value < 0 or value > size - place then
            return;
        end if;
        field := (tag >> 3)::integer;
        number := null;
        bytes := substring(all_bytes from place + 1 for value::integer);
        return next;
        place := place + value::integer;
        value := 0;
        wire := -1;
    end loop;
end $$;

create function proto_bytes(message bytea, its_field integer) returns bytea language sql immutable parallel safe as $$
    select f.bytes from proto_fields(message) f where f.field = its_field limit 1
$$;
create function proto_text(message bytea, its_field integer) returns text language sql immutable parallel safe as $$
    select convert_from(f.bytes, 'UTF8') from proto_fields(message) f where f.field = its_field limit 1
$$;
create function proto_number(message bytea, its_field integer) returns bigint language sql immutable parallel safe as $$
    select f.number from proto_fields(message) f where f.field = its_field limit 1
$$;
create function unix_time(ms bigint) returns timestamptz language sql immutable parallel safe as $$
    select to_timestamp(nullif(ms, 0) / 1000.0)
$$;

-- ---- attempts ----

-- The jobs of an execution by the number that events give them: those of the request (plan 3, jobs 1), then those that were
-- appended (kind 14). Id 1, operation 2.
create function plan_jobs(its_execution text, its_day integer, request bytea)
returns table (number integer, id text, operation text) language sql stable as $$
    select (row_number() over (order by j.place, j.n) - 1)::integer, coalesce(proto_text(j.job, 1), ''),
           (select o.name from proto_fields(proto_bytes(j.job, 2)) f join operation_names o using (field) limit 1)
    from (
        select 0::bigint as place, f.bytes as job, f.n
        from proto_fields(proto_bytes(request, 3)) with ordinality as f (field, number, bytes, n)
        where f.field = 1
        union all
        select e.seq, f.bytes, f.n
        from events e, proto_fields(proto_bytes(e.payload, 1)) with ordinality as f (field, number, bytes, n)
        where e.execution = its_execution and e.day = its_day and e.kind = 14 and f.field = 1
    ) j
$$;

-- One row for each attempt that the log knows: those that ended, and those whose start was stored because it costs.
create view attempts_view as
    select x.tenant, x.id as execution, j.id as job, j.operation, a.attempt,
           unix_time(a.started_at_ms) as started_at, unix_time(a.ended_at_ms) as ended_at,
           coalesce(k.name, 'running') as outcome, c.name as error_class, a.code as error_code, a.message as error_message
    from executions x
    cross join lateral (
        select e.job, e.attempt,
               min(coalesce(nullif(proto_number(e.payload, 7), 0), case when e.kind = 1 then e.at_ms end)) as started_at_ms,
               max(e.at_ms) filter (where e.kind in (3, 4, 5)) as ended_at_ms,
               max(e.kind) filter (where e.kind in (3, 4, 5)) as ended_as,
               max(proto_number(e.payload, 2)) filter (where e.kind = 4) as class,
               max(proto_text(e.payload, 3)) filter (where e.kind = 4) as code,
               max(proto_text(e.payload, 4)) filter (where e.kind = 4) as message
        from events e
        where e.execution = x.id and e.day = x.day and e.kind in (1, 2, 3, 4, 5)
          and coalesce(proto_number(e.payload, 9), 0) = 0 -- of no attempt: it waited in vain
        group by e.job, e.attempt
    ) a
    join lateral plan_jobs(x.id, x.day, x.request) j on j.number = a.job
    left join event_kinds k on k.kind = a.ended_as
    left join failure_classes c on c.class = a.class
    where j.operation is not null;

-- ---- jobs ----

-- Of those that have ended the summary (jobs 4) tells it all: id 1, operation 2, state 3, attempt 5, error 9, started 10,
-- completed 11.
create view jobs_view as
    select x.tenant, x.id as execution, proto_text(f.bytes, 1) as job, proto_text(f.bytes, 2) as operation,
           s.name as state, coalesce(proto_number(f.bytes, 5), 0)::integer as attempts,
           unix_time(proto_number(f.bytes, 10)) as started_at, unix_time(proto_number(f.bytes, 11)) as completed_at,
           c.name as error_class, proto_text(e.bytes, 2) as error_code, proto_text(e.bytes, 3) as error_message
    from executions x
    cross join lateral proto_fields(x.summary) f
    left join job_states s on s.state = proto_number(f.bytes, 3)
    left join lateral (select proto_bytes(f.bytes, 9) as bytes) e on true
    left join failure_classes c on c.class = proto_number(e.bytes, 1)
    where x.summary is not null and f.field = 4
    union all
    select x.tenant, x.id, j.id, j.operation,
           case
               when last.kind in (3, 10) then 'completed'
               when last.kind = 4 and coalesce(proto_number(last.payload, 6), 0) <> 0 then 'retrying'
               when last.kind in (4, 12) then 'failed'
               when last.kind in (1, 2) then 'running'
               when last.kind = 16 then 'removed'
               else 'open' -- waiting, ready, or running without a stored start
           end,
           coalesce(last.attempt, 0), unix_time(proto_number(last.payload, 7)),
           case when last.kind in (3, 10) or (last.kind = 4 and coalesce(proto_number(last.payload, 6), 0) = 0)
                then unix_time(last.at_ms) end,
           c.name, case when last.kind = 4 then proto_text(last.payload, 3) end,
           case when last.kind = 4 then proto_text(last.payload, 4) end
    from executions x
    cross join lateral plan_jobs(x.id, x.day, x.request) j
    left join lateral (
        select e.kind, e.attempt, e.at_ms, e.payload
        from events e
        where e.execution = x.id and e.day = x.day and e.job = j.number
          and e.kind in (1, 2, 3, 4, 5, 10, 11, 12, 16)
          and coalesce(proto_number(e.payload, 61), 0) = 0 -- about the execution
        order by e.seq desc
        limit 1
    ) last on true
    left join failure_classes c on last.kind = 4 and c.class = proto_number(last.payload, 2)
    where x.summary is null and j.operation is not null;
