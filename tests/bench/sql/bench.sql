-- name: bench_transactions
-- Transactions that wrote, ever: the next one's number. Nobody else writes here.
select pg_snapshot_xmax(pg_current_snapshot())::text::int8 as next

-- name: bench_is_left
-- Whether something of a replica is: its row goes with the last execution that was open under its name.
select exists (select from replicas where name = $1) as left
