create function fence_check(expected int8) returns bool language plpgsql as $$
begin
    if expected <> 7 then
        raise exception 'fenced' using errcode = 'CS009';
    end if;
    return true;
end $$;

create table slow (seconds float8);
create function slow_down() returns trigger language plpgsql as $$
begin
    perform pg_sleep(new.seconds); -- "quotes" and \ backslashes survive
    return null;
end $$;
create constraint trigger slow_down after insert on slow deferrable initially deferred
    for each row execute function slow_down();
