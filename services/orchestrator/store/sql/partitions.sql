-- Partitions of the log (migration 0009): made ahead, dropped when old. None of it is on the way of a commit.

-- name: partition_make
select log_partition_make($1::int4, $2::int4) as made

-- name: partition_retire
-- One replica does it; the others find the lock taken and have nothing to do.
select case when pg_try_advisory_xact_lock(hashtextextended('callsheet retention', 0))
            then log_partition_retire($1::int8) else '' end as suffix

-- name: keys_forget
-- Those of a partition that goes: a submit with such a key makes a new execution from now on.
with going as (
    select first_day, end_day from log_partitions where suffix = $1 and retiring
), unlinked as (
    delete from execution_successors
    where (tenant, origin, created_at_ms, execution) in (
        select s.tenant, s.origin, s.created_at_ms, s.execution
        from going p join execution_successors s on s.day >= p.first_day and s.day < p.end_day
        limit $2
    )
    returning 1
), forgotten as (
    delete from execution_keys
    where (tenant, key) in (
        select k.tenant, k.key
        from going p join execution_keys k on k.day >= p.first_day and k.day < p.end_day
        limit $2
    )
    returning 1
)
select greatest((select count(*) from unlinked), (select count(*) from forgotten)) as count

-- name: partition_drop
select log_partition_drop($1, $2) as dropped

-- name: runs_forget
-- Ended before that time; a base with its client runs, when all of them did.
delete from runs
where (tenant, id) in (
    select r.tenant, r.id
    from runs r
    where r.status <> 1 and r.ended_at_ms < $1
      and not exists (select from runs o
                      where o.tenant = r.tenant and o.base_id = r.base_id and (o.status = 1 or o.ended_at_ms >= $1))
    order by r.ended_at_ms
    limit $2
)

-- name: log_version_raise
update log_version set version = greatest(version, $1::int4) returning version::int4 as version
