-- Tracked runs. Decisions are the domain's: it reads a run, decides, and writes only if the run is still the one it read.

-- name: run_number
-- Takes the next number of the tenant. Numbers only rise, also when clocks do not; one that is not used harms nobody.
insert into run_clocks as c (tenant, second, number) values ($1::text, run_now_ms() / 1000, 1)
on conflict (tenant) do update
    set number = case when excluded.second > c.second then 1 else c.number + 1 end,
        second = greatest(excluded.second, c.second)
returning second, number, run_now_ms() as now_ms

-- name: run_insert
-- Single flight: of many at once the index runs_running lets one in; the others wait for its commit and get no row. A run
-- that joins a base ($18) comes in only while that one runs: it is locked until the commit, so it cannot end in between.
insert into runs (tenant, id, base_id, client, job_type, status, revision, started_at_ms, heartbeat_at_ms, lease_ms,
                  lease_until_ms, deadline_ms, wake_at_ms, metric_names, metric_rules, metric_values, notes)
select $1::text, $2::text, $3::text, $4::text, $5::text, $6::int4, $7::int8, $8::int8, $9::int8, $10::int8, $11::int8,
       $12::int8, $13::int8, $14::text[], $15::int8[], $16::text[], $17::text
where $18::text = ''
   or exists (select 1 from runs b where b.tenant = $1 and b.id = $18 and b.status = 1 for share)
on conflict do nothing
returning id

-- name: run_update
-- Compare and set: no row when somebody else was faster.
update runs
set status = $4::int4, revision = $5, ended_at_ms = nullif($6::int8, 0), heartbeat_at_ms = $7, lease_until_ms = $8,
    wake_at_ms = case when $4::int4 = 1 then $9::int8 end, metric_names = $10, metric_rules = $11, metric_values = $12,
    notes = $13
where tenant = $1 and id = $2 and revision = $3
returning id

-- name: run_get
select tenant, id, job_type, status::int4 as status, revision, started_at_ms, ended_at_ms, heartbeat_at_ms, lease_ms,
       lease_until_ms, deadline_ms, metric_names, metric_rules, metric_values, notes, run_now_ms() as now_ms
from runs
where tenant = $1 and id = $2

-- name: run_running
-- By runs_running.
select tenant, id, job_type, status::int4 as status, revision, started_at_ms, ended_at_ms, heartbeat_at_ms, lease_ms,
       lease_until_ms, deadline_ms, metric_names, metric_rules, metric_values, notes, run_now_ms() as now_ms
from runs
where tenant = $1 and job_type = $2 and client = $3 and status = 1

-- name: run_clients
-- In order of their start; without notes, never written back.
select tenant, id, job_type, status::int4 as status, revision, started_at_ms, ended_at_ms, heartbeat_at_ms, lease_ms,
       lease_until_ms, deadline_ms, metric_names, metric_rules, metric_values, '' as notes, run_now_ms() as now_ms
from runs
where tenant = $1 and base_id = $2 and client <> ''
order by started_at_ms, id
limit $3

-- name: run_client_count
select count(*) as count from runs where tenant = $1 and base_id = $2 and client <> ''

-- name: run_list
-- Without notes: what comes from here is never written back.
select tenant, id, job_type, status::int4 as status, revision, started_at_ms, ended_at_ms, heartbeat_at_ms, lease_ms,
       lease_until_ms, deadline_ms, metric_names, metric_rules, metric_values, '' as notes, run_now_ms() as now_ms
from runs
where tenant = $1
  and ($2::text = '' or job_type = $2)
  and (case when $4::bool then client = '' else $3::text = '' or client = $3 end)
  and (not $5::bool or status = 1)
  and (started_at_ms, id) < ($6::int8, $7::text)
order by started_at_ms desc, id desc
limit $8

-- name: run_due
-- Running runs in order of their wake-up, the due ones and the first that is not.
select tenant, id, job_type, status::int4 as status, revision, started_at_ms, ended_at_ms, heartbeat_at_ms, lease_ms,
       lease_until_ms, deadline_ms, metric_names, metric_rules, metric_values, notes, run_now_ms() as now_ms
from runs
where status = 1
order by wake_at_ms
limit $1
