-- Looks at the log and its partitions, for tests.

-- name: log_counts
select (select count(*) from executions) as executions, (select count(*) from events) as events,
       (select count(*) from execution_keys) as keys, (select count(*) from runs) as runs,
       (select count(*) from log_partitions) as partitions,
       (select count(*) from pg_inherits where inhparent = 'events'::regclass) as tables,
       (select count(*) from executions_undated) as undated,
       (select count(*) from events where version = 1) as version_1

-- name: day_of
select execution_day($1) as day

-- name: partition_of
select first_day, end_day from log_partitions where first_day <= $1 and end_day > $1

-- name: lock_hold
select pg_advisory_lock(20261125)::text as held

-- name: lock_let_go
select pg_advisory_unlock(20261125) as ok

-- name: read_long
-- A reader of the log that is not done before the lock is let go.
select (select count(*) from executions) as executions, pg_advisory_xact_lock(20261125)::text as held

-- name: readers_waiting
select count(*) as waiting from pg_locks where locktype = 'advisory' and not granted

-- name: run_put
-- A tracked run that ended then; 0: it runs.
insert into runs (tenant, id, base_id, client, job_type, status, revision, started_at_ms, ended_at_ms, heartbeat_at_ms,
                  lease_ms, lease_until_ms, deadline_ms, wake_at_ms, metric_names, metric_rules, metric_values, notes)
select 'acme', $1::text || case $2::text when '' then '' else '-' || $2 end, $1, $2, 'nightly',
       case $3::int8 when 0 then 1 else 2 end, 1, 1, nullif($3, 0), 1, 1, 1, 1, case $3 when 0 then 1 end, '{}', '{}', '{}', ''

-- name: executions_freshen
-- As if the open ones had been made now: their time limit is not over.
update executions set created_at_ms = $1 where open

-- name: log_version_set
update log_version set version = $1::int4

-- name: log_analyze
analyze executions

-- name: log_reads
-- Rows of executions that were written over, and that were read for it.
select coalesce(sum(t.n_tup_upd), 0)::int8 as updated,
       coalesce(sum(t.seq_tup_read + (select sum(i.idx_tup_read) from pg_stat_user_indexes i where i.relid = t.relid)), 0)::int8 as read
from pg_stat_user_tables t
where t.relname like 'executions\_2%'
