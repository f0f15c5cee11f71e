-- Reads take no locks; each is served by one index.

-- name: executions_open_ids
-- By executions_open; who came first is first.
select id from executions where owner = $1 and open order by created_at_ms, id

-- name: executions_open
-- Those of $2 that still are, by the primary key in the partitions of their days $3: no more from the front than $4 bytes with
-- their events, but one at least.
with first as (
    select l.*
    from unnest($2::text[], $3::int4[]) as wanted (id, day),
         lateral (select e.id, e.day, request, summary, webhook_body
                  from executions e
                  where e.id = wanted.id and e.day = wanted.day and owner = $1 and open
                  offset 0) as l
), sized as (
    select id, day, row_number() over (order by id) as place,
           sum(octet_length(request) + coalesce(octet_length(summary), 0) + coalesce(octet_length(webhook_body), 0)
               + (select coalesce(sum(octet_length(payload)), 0) from events where execution = id and events.day = first.day))
               over (order by id) as bytes
    from first
)
select e.id, tenant, state::int4 as state, open, request, summary, webhook_body, request_sha256, created_at_ms,
       started_at_ms, completed_at_ms, seq, traceparent
from sized join executions e on e.id = sized.id and e.day = sized.day
where bytes <= $4 or place = 1
order by e.id

-- name: events_of
-- By the primary key, one range for each execution, in the partition of its day.
select l.*
from unnest($1::text[], $2::int4[]) as wanted (execution, day),
     lateral (select execution, seq, kind::int4 as kind, version::int4 as version, job, attempt, at_ms, payload
              from events e
              where e.execution = wanted.execution and e.day = wanted.day and e.day between $3 and $4
              order by e.seq
              offset 0) as l
order by execution, seq

-- name: execution_owner
-- Who runs it now: no address when nobody is alive who does.
select owner, coalesce((select address from replica_leases l where l.name = owner and l.alive_until > clock_timestamp()),
                       '') as address
from executions
where id = $2 and day = execution_day($2) and tenant = $1

-- name: execution_get
select id, tenant, state::int4 as state, open, request, summary, webhook_body, request_sha256, created_at_ms,
       started_at_ms, completed_at_ms, seq, traceparent,
       array_to_string(array(select s.execution from execution_successors s where s.tenant = e.tenant and s.origin = e.id
                             order by s.created_at_ms, s.execution limit 100), ',') as successors
from executions e
where id = $2 and day = execution_day($2) and tenant = $1

-- name: executions_ended
-- By the primary key, in the partition of its day: those that have ended, and those that are not there.
select wanted.id, coalesce(e.state, 0)::int4 as state, e.summary
from unnest($1::text[], $2::int4[]) as wanted (id, day)
     left join lateral (select x.state, x.summary, x.completed_at_ms
                        from executions x
                        where x.id = wanted.id and x.day = wanted.day
                        offset 0) as e on true
where e.state is null or e.completed_at_ms is not null

-- name: execution_by_key
select id, e.tenant, state::int4 as state, open, request, summary, webhook_body, request_sha256, created_at_ms,
       started_at_ms, completed_at_ms, seq, traceparent
from execution_keys k join executions e on e.id = k.execution and e.day = k.day
where k.tenant = $1 and k.key = $2

-- name: executions_list
-- Keyset paging: rows that come in meanwhile move nothing. Those created since $5, and older ones by id; each half has its index.
(select id, tenant, state::int4 as state, open, summary, created_at_ms, started_at_ms, completed_at_ms, seq
 from executions
 where tenant = $1 and created_at_ms >= $5 and (created_at_ms, id) < ($2, $3)
 order by created_at_ms desc, id desc
 limit $4 + $7)
union all
select id, tenant, state::int4, open, summary, created_at_ms, started_at_ms, completed_at_ms, seq
from executions
where tenant = $1 and id = any($6) and created_at_ms < $5 and (created_at_ms, id) < ($2, $3)
order by created_at_ms desc, id desc
limit $4 offset $7

-- name: executions_list_active
(select id, tenant, state::int4 as state, open, summary, created_at_ms, started_at_ms, completed_at_ms, seq
 from executions
 where tenant = $1 and completed_at_ms is null and created_at_ms >= $5 and (created_at_ms, id) < ($2, $3)
 order by created_at_ms desc, id desc
 limit $4 + $7)
union all
select id, tenant, state::int4, open, summary, created_at_ms, started_at_ms, completed_at_ms, seq
from executions
where tenant = $1 and id = any($6) and (created_at_ms < $5 or completed_at_ms is not null) and (created_at_ms, id) < ($2, $3)
order by created_at_ms desc, id desc
limit $4 offset $7
