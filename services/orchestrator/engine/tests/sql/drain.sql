-- name: drain_stuck
select (select count(*) from executions_without_wakeup) as without_wakeup,
       (select count(*) from executions where open) as open,
       (select count(*) from executions where state = 3) as completed,
       (select count(*) from events where kind = 3) as succeeded
