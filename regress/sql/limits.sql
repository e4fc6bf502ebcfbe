-- Values and rows have PostgreSQL's greatest size.
select length(bpchar('x'::bpchar, 2147483647, false));
select bpchar('x'::bpchar, 1500000000, false) is null;
select length(repeat('x', 1200000000));
select length(lpad('x', 2000000000));
select repeat('x', 540000000) || repeat('y', 540000000) is null;
select repeat('x', 540000000), repeat('x', 540000000);
select 'x'::char(10485761);
select 1;
-- Nested values, near the greatest depth.
create table deep as with recursive n(i, j) as (select 1, '1'::jsonb union all select i + 1, jsonb_build_array(j) from n where i < 1999) select j from n where i = 1999;
select length(j::text), length(jsonb_pretty(j)), j @> j from deep;
select a.j = b.j, a.j < b.j from deep a, deep b;
select count(*) from deep group by j;
select jsonb_strip_nulls(j) = j from deep;
drop table deep;
with recursive n(i, j) as (select 1, row(1) union all select i + 1, row(j) from n where i < 499) select count(*) from (select j from n where i = 499) a(j), (select j from n where i = 499) b(j) where a.j = b.j;
with recursive n(i, j) as (select 1, row(1) union all select i + 1, row(j) from n where i < 499) select length(to_json(j)::text) from n where i = 499;
with recursive n(i, j) as (select 1, row(1) union all select i + 1, row(j) from n where i < 22) select length(j::text) from n where i = 22;
