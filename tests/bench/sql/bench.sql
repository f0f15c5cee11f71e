-- name: bench_transactions
-- Transactions that wrote, ever: the next one's number. Nobody else writes here.
select pg_snapshot_xmax(pg_current_snapshot())::text::int8 as next
