-- Being alive, and what becomes of those who are not.

-- name: replica_keep
-- Renews the lease of an epoch that still is; tells one replica whose lease has ended ('' none) and in how many ms the next
-- one of another replica will, unless it is renewed (-1: there is none).
with kept as (
    update replica_leases l
    set alive_until = clock_timestamp() + $4::int8 * interval '1 ms', address = $3
    from replicas r
    where r.name = $1 and r.epoch = $2 and not r.fenced and l.name = r.name
    returning 1
)
select exists (select from kept) as kept,
       coalesce((select name from replica_leases
                 where name <> $1 and alive_until <= clock_timestamp()
                 order by alive_until limit 1), '') as dead,
       coalesce((select (extract(epoch from min(alive_until) - clock_timestamp()) * 1000)::int8 from replica_leases
                 where name <> $1 and alive_until > clock_timestamp()), -1) as next_ms

-- name: lease_release
-- Ends the lease of an epoch that still is: whoever looks next takes over.
update replica_leases l set alive_until = '-infinity'
from replicas r
where r.name = $1 and r.epoch = $2 and l.name = r.name

-- name: replica_fence_dead
-- Shuts out a replica whose lease has ended, once: later takers find the same epoch. Waits for a commit of it that is on its
-- way. No row when it is alive, or gone, or when a newer program writes what this one ($2) could not read.
update replicas r
set epoch = r.epoch + case when fenced then 0 else 1 end, fenced = true
where name = $1 and $2::int4 >= (select version from log_version)
  and (fenced or exists (select from replica_leases l where l.name = r.name and l.alive_until <= clock_timestamp()))
returning epoch

-- name: replica_fenced
select replica_verify_fenced($1, $2) as ok

-- name: executions_claim
-- Some of what a fenced replica left. Takers that race skip what the other has. At most $3 rows, and no more than $4 bytes
-- with their events, but one at least. After an id, so that no claim passes the index entries that those before it left dead.
with first as (
    select id, day, request, summary, webhook_body
    from executions
    where owner = $1 and open and id > $5
    order by id
    limit $3
    for update skip locked
), sized as (
    select id, day, row_number() over (order by id) as place,
           sum(octet_length(request) + coalesce(octet_length(summary), 0) + coalesce(octet_length(webhook_body), 0)
               + (select coalesce(sum(octet_length(payload)), 0) from events where execution = id and events.day = first.day))
               over (order by id) as bytes
    from first
), claimed as (
    update executions e set owner = $2
    from sized
    where e.id = sized.id and e.day = sized.day and e.owner = $1 and (bytes <= $4 or place = 1)
    returning e.*
)
select id, tenant, state::int4 as state, open, request, summary, webhook_body, request_sha256, created_at_ms,
       started_at_ms, completed_at_ms, seq, traceparent
from claimed
order by id

-- name: replica_remove
-- When nothing of it is left; its lease goes too.
delete from replicas r
where r.name = $1 and r.epoch = $2 and r.fenced
  and not exists (select from executions e where e.owner = r.name and e.open)
