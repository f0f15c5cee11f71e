-- Results that are kept, for jobs that do the same work (store/sql/cache.sql).

create table result_cache (
    subject bytea not null check (octet_length(subject) = 32), -- SHA-256 of tenant, operation, parameters and inputs
    engine text collate "C" not null, -- the version that does it; '': every one gives the same
    tenant text collate "C" not null,
    operation text collate "C" not null,
    execution text collate "C" not null, -- that made it, or makes it now; no foreign key: one that is gone makes the row void
    job text collate "C" not null, -- its id there
    state smallint not null check (state in (1, 2, 3)), -- being made, there, invalidated
    miss smallint not null, -- being made: why it was not there
    version bigint not null,
    result bytea, -- callsheet.v1.Succeeded
    created_at_ms bigint not null,
    expires_at_ms bigint not null,
    primary key (subject, engine),
    constraint result_cache_there check ((state = 2) = (result is not null))
);
create index result_cache_execution on result_cache (execution);
create index result_cache_expiry on result_cache (expires_at_ms);
