-- Rows that an index brings in order by the first columns of ORDER BY are sorted a few groups at a time.
create table inc (id int primary key, a int, b int, c text);
insert into inc select i, nullif(i / 40, 7), (i * 7919) % 101, 'c' || i % 13 from generate_series(1, 4000) i;
insert into inc select i, 200, (i * 31) % 1000, 'same' from generate_series(4001, 7000) i;
create index inc_a on inc (a);
create index inc_a_desc on inc (a desc nulls last, c);
analyze inc;
-- Plans
explain (costs off) select * from inc order by a, b limit 10;
explain (costs off) select * from inc order by a, b, id limit 10;
explain (costs off) select a, b from inc order by a desc, b limit 3;
explain (costs off) select * from inc order by a, b limit 10 offset 5;
explain (costs off) select * from inc order by b, a limit 10;
explain (costs off) select * from inc x join inc y on y.id = x.id order by x.a, y.b limit 5;
set enable_incremental_sort = off;
explain (costs off) select * from inc order by a, b limit 10;
reset enable_incremental_sort;
-- Rows: nulls, duplicates, one large group, both directions, ties
select * from inc order by a, b, id limit 10;
select * from inc order by a nulls first, b, id limit 5;
select * from inc order by a desc, b, id limit 5;
select * from inc order by a desc nulls last, b desc, id limit 5;
select * from inc order by a, b desc, id offset 3990 limit 20;
select * from inc where a >= 100 order by a, b, id offset 20 limit 3;
select a, b from inc order by a, b fetch first 3 rows with ties;
select count(*), sum(id) from (select * from inc where a > 90 order by a, b, id limit 900) s;
select min(rank), max(rank), bool_and(ok) from (select rank, (a, b, id) >= (lag(a) over w, lag(b) over w, lag(id) over w) is not false as ok from (select *, row_number() over () as rank from (select a, b, id from inc order by a, b, id offset 0) t) u window w as (order by rank)) v;
-- Read again for each row of another table
select o.n, (select string_agg(id::text, ',') from (select id from inc where a > o.n order by a, b, id limit 3) t) from (values (10), (80), (199), (300)) o(n);
select o.n, t.id from (values (1), (2), (3)) o(n), lateral (select id from inc where a >= o.n * 30 order by a, b desc, id limit 2) t order by 1, 2;
-- A cursor forward and back
begin;
declare back scroll cursor for select a, b, id from inc order by a, b, id limit 60;
fetch 3 from back;
move 40 in back;
fetch 2 from back;
fetch backward 3 from back;
fetch last from back;
fetch first from back;
commit;
-- Groups and distinct rows of such an order
select a, c, count(*) from inc where a < 3 group by a, c order by a, c limit 5;
select distinct a, c from inc where a < 2 order by a, c limit 5;
select distinct on (a) a, b, id from inc order by a, b, id limit 4;
-- Changed by others between: rows are locked in order
begin;
select id from inc where a > 10 order by a, b, id limit 3 for update;
rollback;
set work_mem = '64kB';
select a, b, id from inc where a >= 199 order by a, b, id offset 2990 limit 3;
select count(*), md5(string_agg(id::text, ',')) from (select id from inc where a >= 99 order by a, b, id) s;
reset work_mem;
drop table inc;
-- Constants beside distinct columns tell nothing apart
set enable_hashagg = off;
create table inc (a int, b int);
insert into inc select i % 3, i % 2 from generate_series(1, 50) i;
select distinct a, 5 as five, 'x'::text as x from inc order by a, five;
select distinct (select 7), b from inc order by 2;
select distinct 5 from inc;
drop table inc;
reset enable_hashagg;
