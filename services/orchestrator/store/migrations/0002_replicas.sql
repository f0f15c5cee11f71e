-- Several orchestrators on one database: each has a row in `replicas` and keeps a lease alive beside it. Who sees a lease
-- that has ended fences the row, claims what its owner left open, and removes the row when nothing is left.

-- Raised epoch, and nobody behind it: the row waits until all of its executions are claimed.
alter table replicas add column fenced boolean not null default false;

-- In a table of their own, so that keeping alive never waits for a commit that holds the replica's row.
create table replica_leases (
    name text collate "C" primary key references replicas (name) on delete cascade,
    address text not null default '', -- of its gRPC server, for other replicas; '' not known
    alive_until timestamptz not null -- by the clock of the database
);
insert into replica_leases (name, alive_until) select name, '-infinity' from replicas;

-- Like replica_verify, for a replica that was fenced: it stays so until the end of the transaction.
create function replica_verify_fenced(replica text, its_epoch bigint) returns boolean language plpgsql as $$
begin
    perform 1 from replicas where name = replica and epoch = its_epoch and fenced for share;
    if not found then
        raise exception 'not_fenced' using errcode = 'CS010';
    end if;
    return true;
end $$;
