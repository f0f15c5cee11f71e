-- Plans that change under way: jobs are appended, edited, removed.

insert into event_kinds (kind, name) values (14, 'appended'), (15, 'edited'), (16, 'removed');
