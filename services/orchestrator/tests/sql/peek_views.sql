-- What operators see, and how much the service asks for.

-- name: job_line
select state || '|' || operation || '|' || attempts || '|' || coalesce(error_class, '') || '|' || coalesce(error_code, '') || '|'
       || (started_at is not null) || '|' || (completed_at is not null) as line
from jobs_view where execution = $1 and job = $2

-- name: attempt_lines
select coalesce(string_agg(attempt || ' ' || outcome || ' ' || coalesce(error_class, '-') || ' ' || coalesce(error_code, '-') || ' '
                           || coalesce((ended_at >= started_at)::text, '-'), ', ' order by attempt), '') as line
from attempts_view where execution = $1 and job = $2

-- name: view_sizes
select (select count(*) from jobs_view where execution = $1) as jobs, (select count(*) from attempts_view where execution = $1) as attempts

-- name: view_names
select 'job_states' as what, state::int4 as number, name from job_states
union all select 'failure_classes', class::int4, name from failure_classes
union all select 'operation_names', field, name from operation_names
order by 1, 2

-- name: broken_summary
update executions set summary = $2 where id = $1

-- name: transactions
select xact_commit + xact_rollback as done from pg_stat_database where datname = current_database()
