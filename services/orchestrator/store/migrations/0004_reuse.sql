-- Jobs that did not run because another one's result was there, and executions that go on from an earlier one.

insert into event_kinds (kind, name) values (10, 'reused');
alter table events drop constraint events_kind_check;
alter table events add constraint events_kind_check
    check (kind in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)) not valid; -- those that are there were checked more strictly

-- The execution that this one is a retry or a rerun of; null: none. That one shows its successors.
alter table executions add column origin text collate "C";
create index executions_origin on executions (tenant, origin, created_at_ms, id) where origin is not null;
