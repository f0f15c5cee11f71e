-- Looks beside the service, for tests of tracked runs.

-- name: runs_counts
select (select count(*) from runs) as runs, (select count(*) from runs where status = 1) as running

-- name: run_words
-- In order of their numbers.
select status::int4 as status, name, word, terminal from run_statuses order by status

-- name: run_age
-- Makes a run older: as if it had been silent for that long.
update runs
set started_at_ms = started_at_ms - $2, heartbeat_at_ms = heartbeat_at_ms - $2, lease_until_ms = lease_until_ms - $2,
    deadline_ms = deadline_ms - $2, wake_at_ms = wake_at_ms - $2
where id = $1

-- name: run_corrupt
update runs set metric_rules = array[99]::bigint[], metric_names = array['m'], metric_values = array['1'] where id = $1
