-- The tables of pg_test.
create table item (
    id int8 primary key,
    label text unique,
    body bytea,
    good bool,
    weight float8,
    tags text[],
    numbers int8[],
    blobs bytea[],
    small int4,
    doc jsonb not null default '{"a": 1}',
    constraint item_label_short check (length(label) < 100)
);
create table child (parent int8 not null references item (id));
