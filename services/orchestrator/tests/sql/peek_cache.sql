-- Looks beside the service, and ages what it keeps, for tests of kept results.

-- name: cache_counts
select count(*) filter (where state = 1) as leaders, count(*) filter (where state = 2) as results from result_cache

-- name: cache_age
update result_cache set expires_at_ms = expires_at_ms - $1

-- name: cache_engine
update result_cache set engine = 'earlier' where engine <> ''

-- name: cache_source_remove
delete from executions where id = $1
