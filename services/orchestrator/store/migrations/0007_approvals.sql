-- Jobs and executions that wait for a person. The check has the kinds of the next migration too; 13 is not used.

insert into event_kinds (kind, name) values (11, 'approved'), (12, 'rejected');
alter table events drop constraint events_kind_check;
alter table events add constraint events_kind_check
    check (kind between 1 and 16 and kind <> 13) not valid; -- those that are there were checked more strictly
