-- Jobs that are done in one run: two kinds of events, which the views show too.
--
-- Why: what completes without a result of its own (17) is told apart from what succeeded, and that a run failed and was split
-- (18) from a failure of one of its jobs.

insert into event_kinds (kind, name) values (17, 'fused'), (18, 'split');
alter table events drop constraint events_kind_check;
alter table events add constraint events_kind_check
    check (kind between 1 and 18 and kind <> 13) not valid; -- those that are there were checked more strictly

-- One row for each attempt that the log knows: those that ended, and those whose start was stored because it costs. A run of several jobs that failed is an attempt
-- of its first job; one that succeeded, of each.
create or replace view attempts_view as
    select x.tenant, x.id as execution, j.id as job, j.operation, a.attempt,
           unix_time(a.started_at_ms) as started_at, unix_time(a.ended_at_ms) as ended_at,
           coalesce(k.name, 'running') as outcome, c.name as error_class, a.code as error_code, a.message as error_message
    from executions x
    cross join lateral (
        select e.job, e.attempt,
               min(coalesce(nullif(proto_number(e.payload, 7), 0), case when e.kind = 1 then e.at_ms end)) as started_at_ms,
               max(e.at_ms) filter (where e.kind in (3, 4, 5, 17, 18)) as ended_at_ms,
               max(e.kind) filter (where e.kind in (3, 4, 5, 17, 18)) as ended_as,
               max(proto_number(e.payload, 2)) filter (where e.kind in (4, 18)) as class,
               max(proto_text(e.payload, 3)) filter (where e.kind in (4, 18)) as code,
               max(proto_text(e.payload, 4)) filter (where e.kind in (4, 18)) as message
        from events e
        where e.execution = x.id and e.day = x.day and e.kind in (1, 2, 3, 4, 5, 17, 18)
          and coalesce(proto_number(e.payload, 9), 0) = 0 -- of no attempt: it waited in vain
        group by e.job, e.attempt
    ) a
    join lateral plan_jobs(x.id, x.day, x.request) j on j.number = a.job
    left join event_kinds k on k.kind = a.ended_as
    left join failure_classes c on c.class = a.class
    where j.operation is not null;

create or replace view jobs_view as
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
               when last.kind in (3, 10, 17) then 'completed'
               when last.kind = 4 and coalesce(proto_number(last.payload, 6), 0) <> 0 then 'retrying'
               when last.kind in (4, 12) then 'failed'
               when last.kind in (1, 2) then 'running'
               when last.kind = 16 then 'removed'
               else 'open' -- waiting, ready, or running without a stored start
           end,
           coalesce(last.attempt, 0), unix_time(proto_number(last.payload, 7)),
           case when last.kind in (3, 10, 17) or (last.kind = 4 and coalesce(proto_number(last.payload, 6), 0) = 0)
                then unix_time(last.at_ms) end,
           c.name, case when last.kind = 4 then proto_text(last.payload, 3) end,
           case when last.kind = 4 then proto_text(last.payload, 4) end
    from executions x
    cross join lateral plan_jobs(x.id, x.day, x.request) j
    left join lateral (
        select e.kind, e.attempt, e.at_ms, e.payload
        from events e
        where e.execution = x.id and e.day = x.day and e.job = j.number
          and e.kind in (1, 2, 3, 4, 5, 10, 11, 12, 16, 17, 18)
          and coalesce(proto_number(e.payload, 61), 0) = 0 -- about the execution
        order by e.seq desc
        limit 1
    ) last on true
    left join failure_classes c on last.kind = 4 and c.class = proto_number(last.payload, 2)
    where x.summary is null and j.operation is not null;
