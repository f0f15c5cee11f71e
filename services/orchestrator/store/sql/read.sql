-- Reads take no locks; each is served by one index.

-- name: executions_open
-- By executions_open.
select id, tenant, state::int4 as state, open, request, summary, webhook_body, request_sha256, created_at_ms,
       started_at_ms, completed_at_ms, seq, traceparent
from executions
where owner = $1 and open and id > $2
order by id
limit $3

-- name: events_of
-- By the primary key, one range for each execution.
select execution, seq, kind::int4 as kind, job, attempt, at_ms, payload
from events
where execution = any($1)
order by execution, seq

-- name: execution_get
select id, tenant, state::int4 as state, open, request, summary, webhook_body, request_sha256, created_at_ms,
       started_at_ms, completed_at_ms, seq, traceparent
from executions
where id = $2 and tenant = $1

-- name: execution_by_key
select id, tenant, state::int4 as state, open, request, summary, webhook_body, request_sha256, created_at_ms,
       started_at_ms, completed_at_ms, seq, traceparent
from executions
where tenant = $1 and idempotency_key = $2

-- name: executions_list
-- Keyset paging: rows that come in meanwhile move nothing.
select id, tenant, state::int4 as state, open, summary, created_at_ms, started_at_ms, completed_at_ms, seq
from executions
where tenant = $1 and (created_at_ms, id) < ($2, $3)
order by created_at_ms desc, id desc
limit $4

-- name: executions_list_active
select id, tenant, state::int4 as state, open, summary, created_at_ms, started_at_ms, completed_at_ms, seq
from executions
where tenant = $1 and completed_at_ms is null and (created_at_ms, id) < ($2, $3)
order by created_at_ms desc, id desc
limit $4
