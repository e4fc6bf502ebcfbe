CREATE TABLE a (id int, v text);
CREATE TABLE b (id int, w text);
CREATE TABLE c (id int, aid int, x numeric);
INSERT INTO a VALUES (1, 'a1'), (2, 'a2'), (3, 'a3'), (NULL, 'an'), (5, NULL);
INSERT INTO b VALUES (1, 'b1'), (3, 'b3'), (3, 'b3x'), (4, 'b4'), (NULL, 'bn');
INSERT INTO c VALUES (1, 1, 1.5), (2, 1, 2.5), (3, 3, 3.5), (4, NULL, 4.5);
SELECT * FROM a, b WHERE a.id = b.id ORDER BY 1, 4;
SELECT * FROM a JOIN b ON a.id = b.id ORDER BY 1, 4;
SELECT * FROM a INNER JOIN b USING (id) ORDER BY 1, 3;
SELECT * FROM a NATURAL JOIN b ORDER BY 1, 3;
SELECT * FROM a LEFT JOIN b ON a.id = b.id ORDER BY 1, 2, 4;
SELECT * FROM a LEFT OUTER JOIN b USING (id) ORDER BY 1, 2, 3;
SELECT * FROM a RIGHT JOIN b ON a.id = b.id ORDER BY 3, 4;
SELECT * FROM a RIGHT JOIN b USING (id) ORDER BY 1, 3;
SELECT * FROM a FULL JOIN b ON a.id = b.id ORDER BY 1, 2, 3, 4;
SELECT * FROM a FULL JOIN b USING (id) ORDER BY 1, 2, 3;
SELECT a.id, b.id, id FROM a FULL JOIN b USING (id) ORDER BY 3, 1, 2;
SELECT * FROM a NATURAL FULL JOIN b ORDER BY 1, 2, 3;
SELECT * FROM a NATURAL LEFT JOIN b ORDER BY 1, 2, 3;
SELECT count(*) FROM a CROSS JOIN b;
SELECT count(*) FROM a, b, c;
SELECT count(*) FROM a CROSS JOIN b LEFT JOIN c ON c.id = a.id;
SELECT a.v, b.w, c.x FROM a JOIN b ON a.id = b.id JOIN c ON c.aid = a.id ORDER BY 3, 2;
SELECT a.v, b.w, c.x FROM a LEFT JOIN b ON a.id = b.id LEFT JOIN c ON c.aid = a.id ORDER BY 1, 2, 3;
SELECT a.v, b.w, c.x FROM a LEFT JOIN (b JOIN c ON c.id = b.id) ON a.id = b.id ORDER BY 1, 2, 3;
SELECT a.v, j.w, j.x FROM a LEFT JOIN (b JOIN c ON c.id = b.id) AS j ON a.id = j.aid ORDER BY 1, 2, 3;
SELECT j.* FROM (a JOIN b USING (id)) AS j ORDER BY 1, 3;
SELECT j.id, j.v FROM (a JOIN b USING (id)) AS j (id, v) ORDER BY 1, j.w;
SELECT a.v FROM (a JOIN b USING (id)) AS j;
SELECT x.id, a.id FROM a JOIN b USING (id) AS x ORDER BY 1;
SELECT x.* FROM a JOIN b USING (id) AS x ORDER BY 1;
SELECT x.v FROM a JOIN b USING (id) AS x;
SELECT a.* FROM a JOIN b USING (id) ORDER BY 1;
SELECT b.*, a.* FROM a JOIN b USING (id) ORDER BY 1, 2;
SELECT id FROM a JOIN b ON a.id = b.id;
SELECT * FROM a JOIN b USING (nosuch);
SELECT * FROM a JOIN b USING (v);
SELECT * FROM a JOIN c USING (aid);
SELECT * FROM a JOIN b ON nosuch;
SELECT * FROM a JOIN b ON a.id;
SELECT * FROM a JOIN b ON a.id = c.id JOIN c ON true;
SELECT * FROM a JOIN a ON true;
SELECT * FROM a JOIN b;
SELECT * FROM a NATURAL CROSS JOIN b;
SELECT * FROM a x, b x;
SELECT a.id FROM a x;
SELECT x.id FROM a AS x (n, m);
SELECT x.n, x.m FROM a AS x (n, m) WHERE n = 1;
SELECT x.n, x.v FROM a AS x (n) WHERE n = 1;
SELECT * FROM a AS x (n, m, o);
SELECT * FROM a t1 JOIN a t2 ON t1.id < t2.id ORDER BY t1.id, t2.id;
SELECT * FROM a t1 LEFT JOIN a t2 ON t1.id < t2.id AND t2.id = 3 ORDER BY t1.id, t2.id;
SELECT * FROM a LEFT JOIN b ON a.id = b.id WHERE b.id IS NULL ORDER BY 2;
SELECT * FROM a LEFT JOIN b ON a.id = b.id AND b.w = 'b3' ORDER BY 1, 2;
SELECT * FROM a LEFT JOIN b ON a.id = b.id AND a.v = 'a3' ORDER BY 1, 2, 4;
SELECT * FROM a LEFT JOIN b ON false ORDER BY 1;
SELECT * FROM a LEFT JOIN b ON true WHERE b.id = 1 ORDER BY 1;
SELECT * FROM a FULL JOIN b ON false ORDER BY 1, 2, 3, 4;
SELECT * FROM a FULL JOIN b ON true ORDER BY 1, 2, 3, 4 LIMIT 3;
SELECT * FROM a FULL JOIN b ON a.id = b.id AND a.v = 'a1' ORDER BY 1, 2, 3, 4;
SELECT * FROM a FULL JOIN b ON a.id < b.id;
SELECT * FROM a LEFT JOIN b ON a.id = b.id WHERE b.w LIKE 'b%' ORDER BY 1, 4;
SELECT coalesce(a.id, b.id) AS k, count(*) FROM a FULL JOIN b ON a.id = b.id GROUP BY 1 ORDER BY 1;
SELECT a.id, l.* FROM a, LATERAL (SELECT w FROM b WHERE b.id = a.id ORDER BY w DESC LIMIT 1) l ORDER BY 1;
SELECT a.id, l.* FROM a LEFT JOIN LATERAL (SELECT w FROM b WHERE b.id = a.id ORDER BY w DESC LIMIT 1) l ON true ORDER BY 1, a.v;
SELECT a.id, l.* FROM a, (SELECT w FROM b WHERE b.id = a.id) l;
SELECT a.id, g FROM a, generate_series(1, a.id) g ORDER BY 1, 2;
SELECT a.id, g FROM a LEFT JOIN generate_series(1, a.id) g ON g > 1 ORDER BY 1, 2;
SELECT a.id, l.n FROM a RIGHT JOIN LATERAL (SELECT a.id AS n) l ON true;
SELECT a.id, s.total FROM a CROSS JOIN LATERAL (SELECT sum(x) AS total FROM c WHERE c.aid = a.id) s ORDER BY 1;
SELECT t.n, u.m FROM (VALUES (1), (2), (3)) t (n) JOIN (VALUES (2, 'two'), (3, 'three')) u (k, m) ON t.n = u.k ORDER BY 1;
SELECT * FROM a WHERE id IN (SELECT id FROM b) ORDER BY 1;
SELECT * FROM a WHERE id NOT IN (SELECT id FROM b) ORDER BY 1;
SELECT * FROM a WHERE id NOT IN (SELECT id FROM b WHERE id IS NOT NULL) ORDER BY 1;
SELECT * FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.id = a.id AND b.w > 'b2') ORDER BY 1;
SELECT * FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.id = a.id) ORDER BY 2;
SELECT a.v, (SELECT count(*) FROM b WHERE b.id = a.id) AS n FROM a ORDER BY 1;
SELECT a.v, (SELECT w FROM b WHERE b.id = a.id) FROM a ORDER BY 1;
SELECT a.v FROM a WHERE (SELECT count(*) FROM b WHERE b.id = a.id) > 1;
SELECT a.id = b.id AS same, count(*) FROM a, b GROUP BY 1 ORDER BY 1;
SELECT * FROM a JOIN b ON a.id = b.id AND (a.v = 'a1' OR b.w = 'b3x') ORDER BY 1;
SELECT * FROM a JOIN b ON a.id IS NOT DISTINCT FROM b.id ORDER BY 1, 4;
SELECT * FROM a JOIN b ON a.id = b.id + 1 ORDER BY 1, 4;
SELECT * FROM a JOIN b ON a.id + 1 = b.id ORDER BY 1, 4;
SELECT * FROM a JOIN c ON a.id = c.x - 0.5 ORDER BY 1;
SELECT * FROM a JOIN c ON a.id::numeric = c.x::int ORDER BY 1;
SELECT * FROM a JOIN b ON left(a.v, 1) < left(b.w, 1) AND a.id = b.id ORDER BY 1, 4;
SELECT a.id, b.id FROM a JOIN b ON a.id BETWEEN b.id AND b.id + 1 ORDER BY 1, 2;
SELECT (SELECT v FROM a LIMIT 1) IS NOT NULL, (SELECT v FROM a WHERE false) IS NULL;
SELECT a FROM a WHERE id = 1;
SELECT a, b FROM a JOIN b USING (id) WHERE id = 1;
SELECT (a).v FROM a WHERE id = 2;
SELECT (a.*).v FROM a WHERE id = 2;
SELECT (b).v FROM b;
SELECT a IS NULL, a IS NOT NULL, count(a) FROM a GROUP BY a.*, 1, 2 ORDER BY 3, 1, 2 LIMIT 1;
SELECT count(a), count(a.*), count(*) FROM a;
SELECT count(b) FROM a LEFT JOIN b ON a.id = b.id;
SELECT * FROM (SELECT id FROM a UNION SELECT id FROM b) u JOIN c ON c.id = u.id ORDER BY 1, 2;
SELECT * FROM (SELECT id, count(*) AS n FROM b GROUP BY id) g RIGHT JOIN a ON a.id = g.id ORDER BY a.v;
SELECT * FROM (SELECT DISTINCT id FROM b) d JOIN a USING (id) ORDER BY 1;
SELECT * FROM a, (SELECT 1 AS one) o, (SELECT 'k' AS k) k WHERE id = one;
SELECT * FROM a LEFT JOIN (SELECT 1 AS one, id FROM b) s ON s.id = a.id ORDER BY a.v, s.id;
SELECT count(*) FROM a t1, a t2, a t3, a t4 WHERE t1.id = t2.id AND t2.id = t3.id AND t3.id = t4.id;
SELECT t1.id FROM a t1 JOIN a t2 USING (id) JOIN a t3 USING (id) JOIN b t4 USING (id) ORDER BY 1;
SELECT id FROM a JOIN b USING (id) JOIN c USING (id) ORDER BY 1;
SELECT * FROM a LEFT JOIN b USING (id) LEFT JOIN c USING (id) ORDER BY 1, 2, 3;
SELECT id FROM a FULL JOIN b USING (id) FULL JOIN c USING (id) ORDER BY 1;
SELECT * FROM (a LEFT JOIN b USING (id)) RIGHT JOIN c ON c.aid = a.id ORDER BY c.id, w;
SELECT a.id FROM a LEFT JOIN b ON a.id = b.id LEFT JOIN c ON b.id = c.aid WHERE c.x > 1 ORDER BY 1;
SELECT a.id, b.w FROM b RIGHT JOIN a ON a.id = b.id AND EXISTS (SELECT 1 FROM c WHERE c.aid = b.id) ORDER BY 1, 2;
SELECT a.id FROM a LEFT JOIN b ON a.id = b.id AND b.id IN (SELECT aid FROM c) ORDER BY 1;
SELECT count(*) FROM generate_series(1, 100) x JOIN generate_series(50, 150) y ON x = y;
SELECT count(*), sum(x) FROM generate_series(1, 1000) x LEFT JOIN generate_series(1, 1000, 2) y ON x = y WHERE y IS NULL;
SELECT count(*) FROM generate_series(1, 300) x JOIN generate_series(1, 300) y ON x < y AND x % 7 = y % 7;
-- Sixty-four tables in one FROM, as an ORM may write them.
create table chain (id int primary key, next int);
insert into chain select g, g % 20 + 1 from generate_series(1, 20) g;
select count(*), sum(t63.id) from chain t0
  join chain t1 on t1.id = t0.next join chain t2 on t2.id = t1.next join chain t3 on t3.id = t2.next
  join chain t4 on t4.id = t3.next join chain t5 on t5.id = t4.next join chain t6 on t6.id = t5.next
  join chain t7 on t7.id = t6.next join chain t8 on t8.id = t7.next join chain t9 on t9.id = t8.next
  join chain t10 on t10.id = t9.next join chain t11 on t11.id = t10.next join chain t12 on t12.id = t11.next
  join chain t13 on t13.id = t12.next join chain t14 on t14.id = t13.next join chain t15 on t15.id = t14.next
  join chain t16 on t16.id = t15.next join chain t17 on t17.id = t16.next join chain t18 on t18.id = t17.next
  join chain t19 on t19.id = t18.next join chain t20 on t20.id = t19.next join chain t21 on t21.id = t20.next
  join chain t22 on t22.id = t21.next join chain t23 on t23.id = t22.next join chain t24 on t24.id = t23.next
  join chain t25 on t25.id = t24.next join chain t26 on t26.id = t25.next join chain t27 on t27.id = t26.next
  join chain t28 on t28.id = t27.next join chain t29 on t29.id = t28.next join chain t30 on t30.id = t29.next
  join chain t31 on t31.id = t30.next join chain t32 on t32.id = t31.next join chain t33 on t33.id = t32.next
  join chain t34 on t34.id = t33.next join chain t35 on t35.id = t34.next join chain t36 on t36.id = t35.next
  join chain t37 on t37.id = t36.next join chain t38 on t38.id = t37.next join chain t39 on t39.id = t38.next
  join chain t40 on t40.id = t39.next join chain t41 on t41.id = t40.next join chain t42 on t42.id = t41.next
  join chain t43 on t43.id = t42.next join chain t44 on t44.id = t43.next join chain t45 on t45.id = t44.next
  join chain t46 on t46.id = t45.next join chain t47 on t47.id = t46.next join chain t48 on t48.id = t47.next
  join chain t49 on t49.id = t48.next join chain t50 on t50.id = t49.next join chain t51 on t51.id = t50.next
  join chain t52 on t52.id = t51.next join chain t53 on t53.id = t52.next join chain t54 on t54.id = t53.next
  join chain t55 on t55.id = t54.next join chain t56 on t56.id = t55.next join chain t57 on t57.id = t56.next
  join chain t58 on t58.id = t57.next join chain t59 on t59.id = t58.next join chain t60 on t60.id = t59.next
  join chain t61 on t61.id = t60.next join chain t62 on t62.id = t61.next join chain t63 on t63.id = t62.next;
select t0.id, t39.id from chain t0
  left join chain t1 on t1.id = t0.next + 1 left join chain t2 on t2.id = t1.next + 1 left join chain t3 on t3.id = t2.next + 1
  left join chain t4 on t4.id = t3.next + 1 left join chain t5 on t5.id = t4.next + 1 left join chain t6 on t6.id = t5.next + 1
  left join chain t7 on t7.id = t6.next + 1 left join chain t8 on t8.id = t7.next + 1 left join chain t9 on t9.id = t8.next + 1
  left join chain t10 on t10.id = t9.next + 1 left join chain t11 on t11.id = t10.next + 1 left join chain t12 on t12.id = t11.next + 1
  left join chain t13 on t13.id = t12.next + 1 left join chain t14 on t14.id = t13.next + 1 left join chain t15 on t15.id = t14.next + 1
  left join chain t16 on t16.id = t15.next + 1 left join chain t17 on t17.id = t16.next + 1 left join chain t18 on t18.id = t17.next + 1
  left join chain t19 on t19.id = t18.next + 1 left join chain t20 on t20.id = t19.next + 1 left join chain t21 on t21.id = t20.next + 1
  left join chain t22 on t22.id = t21.next + 1 left join chain t23 on t23.id = t22.next + 1 left join chain t24 on t24.id = t23.next + 1
  left join chain t25 on t25.id = t24.next + 1 left join chain t26 on t26.id = t25.next + 1 left join chain t27 on t27.id = t26.next + 1
  left join chain t28 on t28.id = t27.next + 1 left join chain t29 on t29.id = t28.next + 1 left join chain t30 on t30.id = t29.next + 1
  left join chain t31 on t31.id = t30.next + 1 left join chain t32 on t32.id = t31.next + 1 left join chain t33 on t33.id = t32.next + 1
  left join chain t34 on t34.id = t33.next + 1 left join chain t35 on t35.id = t34.next + 1 left join chain t36 on t36.id = t35.next + 1
  left join chain t37 on t37.id = t36.next + 1 left join chain t38 on t38.id = t37.next + 1 left join chain t39 on t39.id = t38.next + 1
  order by 1;
drop table chain;
-- An outer join within LATERAL whose condition refers outside.
CREATE TABLE f4 (f1 int);
INSERT INTO f4 VALUES (0), (5), (7);
CREATE TABLE i8 (q1 int, q2 int);
INSERT INTO i8 VALUES (5, 7), (5, 5), (0, 0);
SELECT * FROM f4 a, LATERAL (SELECT * FROM f4 b LEFT JOIN i8 c ON (b.f1 = q1 AND a.f1 = q2)) ss ORDER BY 1, 2, 3, 4;
SELECT * FROM f4 a, LATERAL (SELECT * FROM f4 b FULL JOIN (SELECT q1, q2 FROM i8 WHERE q2 = a.f1) c ON b.f1 = q1) ss ORDER BY 1, 2, 3, 4;
SELECT * FROM f4 a LEFT JOIN LATERAL (SELECT b.f1 AS bf, c.* FROM f4 b LEFT JOIN i8 c ON (b.f1 = q1 AND a.f1 = q2) WHERE b.f1 >= a.f1) ss ON true ORDER BY 1, 2, 3, 4;
SELECT * FROM f4 a, LATERAL (SELECT * FROM f4 b LEFT JOIN LATERAL (SELECT * FROM i8 WHERE q1 = a.f1 AND q2 >= b.f1) c ON a.f1 > 0) ss ORDER BY 1, 2, 3, 4;
SELECT a.f1, (SELECT count(c.q2) FROM f4 b LEFT JOIN i8 c ON (b.f1 = q1 AND a.f1 = q2)) FROM f4 a ORDER BY 1;
DROP TABLE f4, i8;
