-- An operation that is younger than those of 0012.
insert into operation_names (field, name) values (29, 'package');
