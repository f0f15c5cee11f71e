-- The statements of one group commit, in this order, in one transaction. A batch that was not committed (and is not in
-- doubt) may be sent again as it is.

-- name: replica_join
-- A new epoch for the name. Waits for the commits of the old epoch that hold the row (see replica_verify). Doing it twice
-- only raises the epoch twice. A name whose row has been removed meanwhile must not get an epoch that it had before: the
-- number of the transaction is higher than any of them.
insert into replicas as r (name, epoch, joined_at_ms) values ($1, pg_current_xact_id()::text::int8, $2)
on conflict (name) do update set epoch = greatest(r.epoch + 1, excluded.epoch), joined_at_ms = excluded.joined_at_ms, fenced = false
returning epoch

-- name: replica_rejoin
-- The same, unless another process is alive under the name: no row then.
insert into replicas as r (name, epoch, joined_at_ms) values ($1, pg_current_xact_id()::text::int8, $2)
on conflict (name) do update set epoch = greatest(r.epoch + 1, excluded.epoch), joined_at_ms = excluded.joined_at_ms, fenced = false
where r.epoch = $3
   or not exists (select from replica_leases l where l.name = r.name and l.alive_until > clock_timestamp())
returning epoch

-- name: lease_take
-- After a join, in its transaction ($2: when, to tell whether it took place).
insert into replica_leases as l (name, alive_until)
select name, clock_timestamp() + $3::int8 * interval '1 ms' from replicas where name = $1 and joined_at_ms = $2
on conflict (name) do update set alive_until = excluded.alive_until, address = ''

-- name: replica_fence
-- First in each commit: raises "fenced", or holds the epoch until the end of the transaction.
select replica_verify($1, $2) as ok

-- name: executions_insert
-- Rows whose idempotency key is taken (by an earlier row, or one of the same batch) are left out: the caller misses their
-- ids in the answer. A row with the same id would be an error: ids are random. Keys are taken in one order by all commits,
-- which wait for each other's: of two that have the same ones neither has one that the other waits for.
with new as materialized (
    select * from unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::bytea[], $6::text[], $7::int8[], $8::int8[],
                         $9::text[], $11::int4[]) with ordinality
        as n (id, tenant, idempotency_key, request_sha256, request, traceparent, created_at_ms, wake_at_ms, origin, day, place)
), keyed as (
    insert into execution_keys (tenant, key, execution, day)
    select tenant, idempotency_key, id, day from new where idempotency_key is not null
    order by tenant collate "C", idempotency_key collate "C", place
    on conflict (tenant, key) do nothing
    returning execution
), linked as (
    insert into execution_successors (tenant, origin, created_at_ms, execution, day)
    select tenant, origin, created_at_ms, id, day from new
    where origin is not null and (idempotency_key is null or id in (select execution from keyed))
)
insert into executions (id, day, tenant, idempotency_key, request_sha256, request, traceparent, owner, state, open, seq,
                        created_at_ms, wake_at_ms, origin)
select id, day, tenant, idempotency_key, request_sha256, request, traceparent, $10, 1, true, 0, created_at_ms, wake_at_ms,
       origin
from new
where idempotency_key is null or id in (select execution from keyed)
returning id

-- name: events_append
-- The primary key refuses a second event of the same number; that means another owner, so the caller treats it as fenced.
insert into events (execution, seq, kind, job, attempt, at_ms, payload, day, version)
select *, $9::int4 from unnest($1::text[], $2::int8[], $3::int4[], $4::int4[], $5::int4[], $6::int8[], $7::bytea[], $8::int4[])

-- name: events_append_if_created
-- For executions that this same commit creates under an idempotency key: nothing when the row was left out.
insert into events (execution, seq, kind, job, attempt, at_ms, payload, day, version)
select *, $9::int4
from unnest($1::text[], $2::int8[], $3::int4[], $4::int4[], $5::int4[], $6::int8[], $7::bytea[], $8::int4[])
    as new (execution, seq, kind, job, attempt, at_ms, payload, day)
where exists (select from execution_keys k where k.execution = new.execution)

-- name: heads_by_key
-- Before the next one: the planner, which may take a partition for empty that is not any more, is left nothing but to look rows
-- up by their key. (A scan of the whole index is an index scan, too; a bitmap needs a condition.)
select set_config('enable_indexscan', 'off', true) as setting

-- name: heads_update
-- Rows are locked in the order of the batch; only their owner updates them, so nobody waits for anybody. The log decides
-- what a head is: writing the same head again changes nothing.
update executions e
set state = head.state,
    open = head.open,
    seq = head.seq,
    started_at_ms = nullif(head.started_at_ms, 0),
    completed_at_ms = nullif(head.completed_at_ms, 0),
    wake_at_ms = case when head.open then head.wake_at_ms end,
    summary = coalesce(head.summary, e.summary),
    webhook_body = coalesce(head.webhook_body, e.webhook_body)
from unnest($1::text[], $2::int4[], $3::bool[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::bytea[], $9::bytea[],
            $10::int4[])
    as head (id, state, open, seq, started_at_ms, completed_at_ms, wake_at_ms, summary, webhook_body, day)
where e.id = head.id and e.day = head.day
