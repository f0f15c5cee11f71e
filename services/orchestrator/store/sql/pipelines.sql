-- Pipelines: a row is a version and never changes.

-- name: pipeline_put
select version, created_at_ms, existing from pipeline_add($1::text, $2::text, $3::bytea, $4::int4, $5::int4)

-- name: pipeline_get
select name, version, template, created_at_ms
from pipelines
where tenant = $1::text and name = $2::text and ($3::int4 = 0 or version = $3)
order by version desc
limit 1

-- name: pipeline_list
select distinct on (name) name, version, created_at_ms
from pipelines
where tenant = $1::text
order by name, version desc
