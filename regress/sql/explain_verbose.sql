-- EXPLAIN (VERBOSE): outputs, and columns qualified in conditions and keys.
create table ev1(a int, b int, c text);
create table ev2(a int, b int);
explain (verbose, costs off) select a from ev1 where b > 1;
explain (verbose, costs off) select a, c from ev1 where a = 1 limit 3;
explain (verbose, costs off) select a, b, c from ev1 where b > 1 order by c;
explain (verbose, costs off) select count(*), a, b, c from ev1 group by a, b, c having count(*) > 1;
explain (verbose, costs off) select * from generate_series(1,3) g where g > 1;
explain (verbose, costs off) select generate_series(1,3);
explain (verbose, costs off) values (1), (2);
explain (verbose, costs off) select a from ev1 union all select a from ev2;
explain (verbose, costs off) with x as materialized (select a from ev1) select * from x where a > 1;
explain (verbose, costs off) select ev1 from ev1 where (ev1).a > 1;
drop table ev1, ev2;
