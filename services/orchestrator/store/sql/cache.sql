-- Results that are kept (the table result_cache; states: 1 being made, 2 there, 3 invalidated). Each change raises `version`,
-- so that who looked first and writes then does not write over what came between.

-- name: cache_ask
-- One row for each that asks: what is there; else, unless somebody makes it, who asks becomes its leader, and `miss` (as in
-- domain/cache.h) says why. A leader is somebody whose execution has not ended, whichever replica runs it. Rows are written in
-- the order of their key: replicas that ask at the same time wait for each other, never in a circle.
with asked as materialized (
    select * from unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
        with ordinality as a (subject, engine, tenant, operation, execution, job, place)
), seen as materialized (
    select a.*, c.state, c.version, c.execution as by_execution, c.job as by_job, c.result,
           case
               when c.subject is null and exists (select from result_cache o where o.subject = a.subject) then 5
               when c.subject is null then 1
               when c.state = 1 and c.execution = a.execution and c.job = a.job then c.miss
               when c.state = 1 and exists (select from executions e
                                            where e.id = c.execution and e.day = execution_day(c.execution) and e.completed_at_ms is null) then 0
               when c.state = 1 then 7
               when c.state = 3 then 3
               when c.expires_at_ms <= $7 then 2
               when not exists (select from executions e where e.id = c.execution and e.day = execution_day(c.execution)) then 6
               else 0
           end as miss
    from asked a left join result_cache c on c.subject = a.subject and c.engine = a.engine
), led as (
    insert into result_cache as c (subject, engine, tenant, operation, execution, job, state, miss, version,
                                   created_at_ms, expires_at_ms)
    select subject, engine, tenant, operation, execution, job, 1, miss, coalesce(version, 0) + 1, $7, $7 + $8
    from seen
    where miss <> 0
    order by subject, engine
    on conflict (subject, engine) do update
        set execution = excluded.execution, job = excluded.job, state = 1, miss = excluded.miss, result = null,
            version = excluded.version, created_at_ms = excluded.created_at_ms, expires_at_ms = excluded.expires_at_ms
        where c.version = excluded.version - 1
    returning subject, engine
)
select s.miss = 0 and s.state = 2 as hit, l.subject is not null as leads, s.miss::int4 as miss,
       case when s.miss = 0 then s.by_execution else '' end as by_execution,
       case when s.miss = 0 then s.by_job else '' end as by_job,
       case when s.miss = 0 then s.result end as result
from seen s left join led l on l.subject = s.subject and l.engine = s.engine
order by s.place

-- name: cache_keep
-- In a group commit: results (kind 1), leaders that follow others (2), and leaders that nobody follows (3). Only who leads
-- can hand over: another replica may have begun to lead since.
with kept as materialized (
    select * from unnest($1::int4[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                         $9::text[], $10::bytea[], $11::int8[], $12::int8[])
        with ordinality as k (kind, subject, engine, tenant, operation, execution, job, from_execution, from_job, result,
                              created_at_ms, expires_at_ms, place)
), last as materialized (
    select distinct on (subject, engine) * from kept order by subject, engine, place desc
), held as (
    select c.subject, c.engine
    from result_cache c join kept k
        on k.subject = c.subject and k.engine = c.engine and k.from_execution = c.execution and k.from_job = c.job
    where c.state = 1 and k.kind <> 1
), followed as (
    update result_cache c set execution = l.execution, job = l.job, version = c.version + 1
    from last l
    where l.kind = 2 and c.subject = l.subject and c.engine = l.engine and c.state = 1
      and (c.subject, c.engine) in (select subject, engine from held)
), given_up as (
    delete from result_cache c using last l
    where l.kind = 3 and c.subject = l.subject and c.engine = l.engine and c.state = 1
      and (c.subject, c.engine) in (select subject, engine from held)
)
insert into result_cache as c (subject, engine, tenant, operation, execution, job, state, miss, version, result,
                               created_at_ms, expires_at_ms)
select subject, engine, tenant, operation, execution, job, 2, 0, 1, result, created_at_ms, expires_at_ms
from last
where kind = 1
order by subject, engine
on conflict (subject, engine) do update
    set execution = excluded.execution, job = excluded.job, state = 2, miss = 0, version = c.version + 1,
        result = excluded.result, created_at_ms = excluded.created_at_ms, expires_at_ms = excluded.expires_at_ms

-- name: cache_invalidate
-- What is being made stays.
update result_cache set state = 3, result = null, version = version + 1
where tenant = $1 and state = 2 and (subject = any($3) or execution = $2)

-- name: cache_clean
-- By result_cache_expiry. Who makes something may take longer than a result is kept.
delete from result_cache
where (subject, engine) in (
    select subject, engine from result_cache c
    where expires_at_ms < $1
      and not (state = 1 and exists (select from executions e where e.id = c.execution and e.day = execution_day(c.execution) and e.completed_at_ms is null))
    order by expires_at_ms
    limit $2
    for update skip locked
)
