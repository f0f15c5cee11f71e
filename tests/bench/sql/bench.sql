-- name: bench_transactions
-- Transactions that wrote, ever: the next one's number. Nobody else writes here.
select pg_snapshot_xmax(pg_current_snapshot())::text::int8 as next

-- name: bench_owns_any
-- Whether a replica has something open; by executions_open.
select exists (select from executions where owner = $1 and open) as any
