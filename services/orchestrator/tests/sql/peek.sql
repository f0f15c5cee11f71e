-- What tests look at and what they try to break.

-- name: counts
select (select count(*) from executions) as executions, (select count(*) from events) as events,
       (select count(*) from replicas) as replicas, (select count(*) from schema_migrations) as migrations

-- name: without_wakeup
select count(*) as stuck from executions_without_wakeup

-- name: state_words
select state::int4 as state, name, terminal from execution_states order by state

-- name: kind_words
select kind::int4 as kind, name from event_kinds order by kind

-- name: events_change
update events set attempt = attempt + 1

-- name: events_remove
delete from events

-- name: state_set
update executions set state = $2, completed_at_ms = $3, summary = case when $3 is null then null else '\x00'::bytea end
where id = $1

-- name: event_kind_try
insert into events (execution, seq, kind, job, attempt, at_ms, payload, day, version) values ('x', $1::int4 + 1, $1, 0, 0, 0, '', 0, 1)

-- name: open_set
update executions set open = $2, wake_at_ms = $3 where id = $1

-- name: owner_set
update executions set owner = $2 where id = $1

-- name: wakeup_drop
alter table executions drop constraint executions_open_has_wakeup

-- name: open_count
select count(*) as open from executions where open

-- name: events_of_kind
select count(*) as events from events where execution = $1 and kind = $2

-- name: execution_delete
delete from executions where id = $1

-- name: owner_of
select owner, open from executions where id = $1

-- name: replicas_alive
select count(*) as alive, coalesce(string_agg(name, ' ' order by name), '') as names
from replica_leases where alive_until > clock_timestamp()
