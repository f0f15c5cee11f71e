-- name: item_insert
insert into item (id, label, body, good, weight, tags, numbers, blobs)
values ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: item_find
select id, label, body, good, weight, tags, numbers, blobs, small, doc from item where id = $1

-- name: item_ids
select id from item order by id

-- name: items_insert
-- One statement for any number of rows.
insert into item (id, label, body, small)
select * from unnest($1::int8[], $2::text[], $3::bytea[], $4::int4[])

-- name: item_count
select count(*) as n from item

-- name: fence_check
-- Stops the transaction when the epoch is not the one that is expected.
select fence_check($1) as ok

-- name: item_delete
delete from item where id = any($1)

-- name: sleep_for
select 'x' || pg_sleep($1)::text as value

-- name: backend_pid
select pg_backend_pid() as pid

-- name: terminate_others
select count(pg_terminate_backend(pid)) as n
from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()

-- name: timeout_show
select current_setting('statement_timeout') as value

-- name: divide
select 1 / $1::int4 as n

-- name: cast_text
select $1::text::int4 as n

-- name: wrong_columns
select 1::int8 as a, 'x'::text as b

-- name: syntax_error
selekt 1

-- name: parent_insert
insert into child (parent) values ($1)

-- name: settings_change
select set_config('application_name', $1, false) as value

-- name: table_alter
alter table item add column if not exists extra text

-- name: item_star
select * from item

-- name: slow_commit
-- The deferred trigger makes the commit take as long as the row says.
insert into slow (seconds) values ($1)
