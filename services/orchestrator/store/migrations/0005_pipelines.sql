-- Pipelines (callsheet.v1.Pipelines): templates of plans. A row is a version; rows are never changed and never deleted.

create table pipelines (
    tenant text collate "C" not null,
    name text collate "C" not null,
    version integer not null check (version > 0),
    template bytea not null check (octet_length(template) <= 256 * 1024), -- JSON, as the gateway checked it
    created_at_ms bigint not null,
    primary key (tenant, name, version)
);

create function pipelines_are_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'append_only' using errcode = 'CS009';
end $$;
create trigger pipelines_append_only before update or delete on pipelines
    for each statement execute function pipelines_are_append_only();

-- The next version; or the newest, when it is the same text. One at a time for a tenant: the lock lasts until the commit, so
-- versions have no gaps and the limits hold.
create function pipeline_add(its_tenant text, its_name text, its_template bytea, names_max integer, versions_max integer)
returns table (version integer, created_at_ms bigint, existing boolean) language plpgsql as $$
declare
    newest pipelines;
begin
    perform pg_advisory_xact_lock(hashtextextended('pipelines ' || its_tenant, 0));
    select p.* into newest from pipelines p
    where p.tenant = its_tenant and p.name = its_name order by p.version desc limit 1;
    if newest.template = its_template then
        return query select newest.version, newest.created_at_ms, true;
        return;
    end if;
    if newest.version >= versions_max then
        raise exception 'too_many_versions' using errcode = 'CS008';
    end if;
    if newest.version is null
       and (select count(distinct p.name) from pipelines p where p.tenant = its_tenant) >= names_max then
        raise exception 'too_many_pipelines' using errcode = 'CS008';
    end if;
    return query
        insert into pipelines as p (tenant, name, version, template, created_at_ms)
        values (its_tenant, its_name, coalesce(newest.version, 0) + 1, its_template,
                floor(extract(epoch from statement_timestamp()) * 1000)::bigint)
        returning p.version, p.created_at_ms, false;
end $$;
