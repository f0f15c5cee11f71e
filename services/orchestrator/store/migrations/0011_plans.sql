-- What the planner makes of partitions.

-- Like before, but of joins only nested loops: each row of a batch finds its row by its key. Plans are made once, and one that
-- was made while a partition was small would read all of it with each commit when it has grown.
create or replace function replica_verify(replica text, its_epoch bigint) returns boolean language plpgsql as $$
begin
    perform 1 from replicas where name = replica and epoch = its_epoch for share;
    if not found then
        raise exception 'fenced' using errcode = 'CS010';
    end if;
    perform set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
            set_config('enable_mergejoin', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true);
    return true;
end $$;

-- The retries and reruns of an execution, which may be in any partition: beside them, so that a read of one execution looks
-- into one partition. A row goes with the partition of the successor.
create table execution_successors (
    tenant text collate "C" not null,
    origin text collate "C" not null,
    created_at_ms bigint not null,
    execution text collate "C" not null,
    day integer not null, -- of the successor
    primary key (tenant, origin, created_at_ms, execution)
);
create index execution_successors_day on execution_successors (day);
insert into execution_successors (tenant, origin, created_at_ms, execution, day)
select tenant, origin, created_at_ms, id, day from executions where origin is not null;
drop index executions_origin;
