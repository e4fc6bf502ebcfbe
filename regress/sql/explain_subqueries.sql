-- What EXPLAIN VERBOSE writes of aggregates and windows within subqueries and CTEs.
CREATE TABLE parts (id integer);
EXPLAIN (VERBOSE, COSTS OFF) SELECT (SELECT sum(v.id) FROM (VALUES (1), (2)) v(id));
EXPLAIN (VERBOSE, COSTS OFF) WITH a AS (SELECT id FROM (VALUES (1), (2)) AS v(id)), b AS (SELECT max((SELECT sum(id) FROM a)) AS agg) SELECT agg FROM b;
EXPLAIN (VERBOSE, COSTS OFF) SELECT id, (SELECT count(*) FILTER (WHERE q.id > 3) FROM parts q WHERE q.id = p.id) FROM parts p;
EXPLAIN (VERBOSE, COSTS OFF) SELECT (SELECT count(DISTINCT q.id) FROM parts q);
EXPLAIN (VERBOSE, COSTS OFF) SELECT (SELECT string_agg(q.id::text, ',' ORDER BY q.id DESC) FROM parts q);
EXPLAIN (VERBOSE, COSTS OFF) SELECT (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY q.id) FROM parts q);
EXPLAIN (VERBOSE, COSTS OFF) SELECT * FROM parts p WHERE id > (SELECT avg(q.id) FROM parts q WHERE q.id = p.id);
EXPLAIN (VERBOSE, COSTS OFF) SELECT * FROM (SELECT id, lag(id, 2) OVER (PARTITION BY id ORDER BY id) AS r FROM parts) x WHERE r = 1;
EXPLAIN (VERBOSE, COSTS OFF) SELECT (SELECT sum(sum(q.id)) OVER (ORDER BY q.id) FROM parts q GROUP BY q.id LIMIT 1);
EXPLAIN (VERBOSE, COSTS OFF) SELECT ARRAY(SELECT sum(q.id) FROM parts q GROUP BY q.id);
EXPLAIN (VERBOSE, COSTS OFF) SELECT EXISTS (SELECT count(*) FROM parts q GROUP BY q.id HAVING sum(q.id) > 3);
DROP TABLE parts;
