-- Sorts of many rows: keys of every form, both directions, nulls at either end, spilled and not.
CREATE TABLE sort_bulk AS
  SELECT g AS id,
         CASE WHEN g % 11 = 0 THEN NULL ELSE (g::bigint * 2654435761 % 4294967296 - 2147483648)::int END AS i,
         (g::bigint * 48271 % 2147483647 - 1000000000) * 1000003 AS b,
         (g * 37 % 1000)::smallint AS s,
         CASE WHEN g % 13 = 0 THEN NULL ELSE 'row ' || (g::bigint * 48271 % 2147483647) END AS t,
         (left(md5(g::text), g % 7) || repeat(' ', g % 3))::char(12) AS c,
         (g * 7919 % 10007 - 5000)::float8 / 7 AS d,
         (g * 7919 % 10007 - 5000)::float4 / 3 AS r,
         ((g::bigint * 48271 % 2147483647) / 1000.0 - 500000)::numeric(12,3) AS n,
         g % 3 = 0 AS f,
         md5((g % 500)::text)::uuid AS u,
         decode(md5(g::text), 'hex') AS y,
         make_interval(days => g % 60, months => g % 2) AS v,
         ARRAY[g % 5, g % 3] AS a
  FROM generate_series(1, 6000) g;
SET work_mem = '64kB';
SELECT md5(string_agg(id::text, ',')) AS by_i FROM (SELECT id FROM sort_bulk ORDER BY i, id) x;
SELECT md5(string_agg(id::text, ',')) AS by_i_desc FROM (SELECT id FROM sort_bulk ORDER BY i DESC, id DESC) x;
SELECT md5(string_agg(id::text, ',')) AS by_b FROM (SELECT id FROM sort_bulk ORDER BY b, id) x;
SELECT md5(string_agg(id::text, ',')) AS by_b_desc FROM (SELECT id FROM sort_bulk ORDER BY b DESC, id DESC) x;
SELECT md5(string_agg(id::text, ',')) AS by_s FROM (SELECT id FROM sort_bulk ORDER BY s, id) x;
SELECT md5(string_agg(id::text, ',')) AS by_s_desc FROM (SELECT id FROM sort_bulk ORDER BY s DESC, id DESC) x;
SELECT md5(string_agg(id::text, ',')) AS by_t FROM (SELECT id FROM sort_bulk ORDER BY t, id) x;
SELECT md5(string_agg(id::text, ',')) AS by_t_desc FROM (SELECT id FROM sort_bulk ORDER BY t DESC, id DESC) x;
SELECT md5(string_agg(id::text, ',')) AS by_c FROM (SELECT id FROM sort_bulk ORDER BY c, id) x;
SELECT md5(string_agg(id::text, ',')) AS by_c_desc FROM (SELECT id FROM sort_bulk ORDER BY c DESC, id DESC) x;
SELECT md5(string_agg(id::text, ',')) AS by_d FROM (SELECT id FROM sort_bulk ORDER BY d, id) x;
SELECT md5(string_agg(id::text, ',')) AS by_d_desc FROM (SELECT id FROM sort_bulk ORDER BY d DESC, id DESC) x;
SELECT md5(string_agg(id::text, ',')) AS by_r FROM (SELECT id FROM sort_bulk ORDER BY r, id) x;
SELECT md5(string_agg(id::text, ',')) AS by_r_desc FROM (SELECT id FROM sort_bulk ORDER BY r DESC, id DESC) x;
SELECT md5(string_agg(id::text, ',')) AS by_n FROM (SELECT id FROM sort_bulk ORDER BY n, id) x;
SELECT md5(string_agg(id::text, ',')) AS by_n_desc FROM (SELECT id FROM sort_bulk ORDER BY n DESC, id DESC) x;
SELECT md5(string_agg(id::text, ',')) AS by_f FROM (SELECT id FROM sort_bulk ORDER BY f, id) x;
SELECT md5(string_agg(id::text, ',')) AS by_f_desc FROM (SELECT id FROM sort_bulk ORDER BY f DESC, id DESC) x;
SELECT md5(string_agg(id::text, ',')) AS by_u FROM (SELECT id FROM sort_bulk ORDER BY u, id) x;
SELECT md5(string_agg(id::text, ',')) AS by_u_desc FROM (SELECT id FROM sort_bulk ORDER BY u DESC, id DESC) x;
SELECT md5(string_agg(id::text, ',')) AS by_y FROM (SELECT id FROM sort_bulk ORDER BY y, id) x;
SELECT md5(string_agg(id::text, ',')) AS by_y_desc FROM (SELECT id FROM sort_bulk ORDER BY y DESC, id DESC) x;
SELECT md5(string_agg(id::text, ',')) AS by_v FROM (SELECT id FROM sort_bulk ORDER BY v, id) x;
SELECT md5(string_agg(id::text, ',')) AS by_v_desc FROM (SELECT id FROM sort_bulk ORDER BY v DESC, id DESC) x;
SELECT md5(string_agg(id::text, ',')) AS by_a FROM (SELECT id FROM sort_bulk ORDER BY a, id) x;
SELECT md5(string_agg(id::text, ',')) AS by_a_desc FROM (SELECT id FROM sort_bulk ORDER BY a DESC, id DESC) x;
SELECT md5(string_agg(id::text, ',')) FROM (SELECT id FROM sort_bulk ORDER BY i NULLS FIRST, id) x;
SELECT id FROM sort_bulk ORDER BY i NULLS FIRST, id LIMIT 3;
SELECT id FROM sort_bulk ORDER BY i NULLS FIRST, id LIMIT 3 OFFSET 3500;
SELECT md5(string_agg(id::text, ',')) FROM (SELECT id FROM sort_bulk ORDER BY i DESC NULLS LAST, id) x;
SELECT id FROM sort_bulk ORDER BY i DESC NULLS LAST, id LIMIT 3;
SELECT id FROM sort_bulk ORDER BY i DESC NULLS LAST, id LIMIT 3 OFFSET 3500;
SELECT md5(string_agg(id::text, ',')) FROM (SELECT id FROM sort_bulk ORDER BY t NULLS FIRST, id DESC) x;
SELECT id FROM sort_bulk ORDER BY t NULLS FIRST, id DESC LIMIT 3;
SELECT id FROM sort_bulk ORDER BY t NULLS FIRST, id DESC LIMIT 3 OFFSET 3500;
SELECT md5(string_agg(id::text, ',')) FROM (SELECT id FROM sort_bulk ORDER BY t DESC NULLS LAST, id) x;
SELECT id FROM sort_bulk ORDER BY t DESC NULLS LAST, id LIMIT 3;
SELECT id FROM sort_bulk ORDER BY t DESC NULLS LAST, id LIMIT 3 OFFSET 3500;
SELECT md5(string_agg(id::text, ',')) FROM (SELECT id FROM sort_bulk ORDER BY f, s DESC, t, id) x;
SELECT id FROM sort_bulk ORDER BY f, s DESC, t, id LIMIT 3;
SELECT id FROM sort_bulk ORDER BY f, s DESC, t, id LIMIT 3 OFFSET 3500;
SELECT md5(string_agg(id::text, ',')) FROM (SELECT id FROM sort_bulk ORDER BY c DESC, d, id DESC) x;
SELECT id FROM sort_bulk ORDER BY c DESC, d, id DESC LIMIT 3;
SELECT id FROM sort_bulk ORDER BY c DESC, d, id DESC LIMIT 3 OFFSET 3500;
SELECT md5(string_agg(id::text, ',')) FROM (SELECT id FROM sort_bulk ORDER BY a DESC, v, u DESC, id) x;
SELECT id FROM sort_bulk ORDER BY a DESC, v, u DESC, id LIMIT 3;
SELECT id FROM sort_bulk ORDER BY a DESC, v, u DESC, id LIMIT 3 OFFSET 3500;
SELECT md5(string_agg(id::text, ',')) FROM (SELECT id FROM sort_bulk ORDER BY lower(t), id) x;
SELECT id FROM sort_bulk ORDER BY lower(t), id LIMIT 3;
SELECT id FROM sort_bulk ORDER BY lower(t), id LIMIT 3 OFFSET 3500;
SELECT md5(string_agg(id::text, ',')) FROM (SELECT id FROM sort_bulk ORDER BY left(t, 5) DESC, n, id) x;
SELECT id FROM sort_bulk ORDER BY left(t, 5) DESC, n, id LIMIT 3;
SELECT id FROM sort_bulk ORDER BY left(t, 5) DESC, n, id LIMIT 3 OFFSET 3500;
SELECT md5(string_agg(x::text, ';')) FROM (SELECT * FROM sort_bulk ORDER BY t, id) x;
SET work_mem = '64MB';
SELECT md5(string_agg(x::text, ';')) FROM (SELECT * FROM sort_bulk ORDER BY t, id) x;
SELECT md5(string_agg(id::text, ',')) FROM (SELECT id FROM sort_bulk ORDER BY i DESC, id) x;
SELECT md5(string_agg(id::text, ',')) FROM (SELECT id FROM sort_bulk ORDER BY id) x;
SELECT md5(string_agg(id::text, ',')) FROM (SELECT id FROM sort_bulk ORDER BY id DESC) x;
SELECT id FROM sort_bulk ORDER BY f, id LIMIT 0;
-- Equal rows go on past a batch.
SELECT count(*), min(id), max(id) FROM (SELECT id FROM sort_bulk ORDER BY f FETCH FIRST 5 ROWS WITH TIES) x;
SELECT count(*), min(id), max(id) FROM (SELECT id FROM sort_bulk ORDER BY f FETCH FIRST 4500 ROWS WITH TIES) x;
SELECT count(*) FROM (SELECT s FROM sort_bulk ORDER BY s % 3 OFFSET 100 FETCH FIRST 1100 ROWS WITH TIES) x;
-- Aggregates over sorted arguments.
SELECT f, md5(string_agg(t, ',' ORDER BY t DESC NULLS LAST, id)), count(DISTINCT s), array_length(array_agg(DISTINCT u), 1) FROM sort_bulk GROUP BY f ORDER BY f;
SELECT percentile_disc(0.25) WITHIN GROUP (ORDER BY t), mode() WITHIN GROUP (ORDER BY s) FROM sort_bulk;
-- Indexes built from many rows, in memory and spilled.
SET enable_seqscan = off;
SET maintenance_work_mem = '64MB';
CREATE INDEX sort_bulk_0 ON sort_bulk (i);
SET maintenance_work_mem = '1MB';
CREATE INDEX sort_bulk_1 ON sort_bulk (b DESC);
SET maintenance_work_mem = '64MB';
CREATE INDEX sort_bulk_2 ON sort_bulk (t NULLS FIRST);
SET maintenance_work_mem = '1MB';
CREATE INDEX sort_bulk_3 ON sort_bulk (c, d DESC);
SET maintenance_work_mem = '64MB';
CREATE INDEX sort_bulk_4 ON sort_bulk (n);
SET maintenance_work_mem = '1MB';
CREATE INDEX sort_bulk_5 ON sort_bulk (f, s, t DESC);
SET maintenance_work_mem = '64MB';
CREATE INDEX sort_bulk_6 ON sort_bulk (lower(t));
SET maintenance_work_mem = '1MB';
CREATE INDEX sort_bulk_7 ON sort_bulk (v, a);
SET maintenance_work_mem = '64MB';
CREATE INDEX sort_bulk_8 ON sort_bulk (y);
SET maintenance_work_mem = '1MB';
CREATE INDEX sort_bulk_9 ON sort_bulk (u DESC NULLS LAST);
CREATE INDEX sort_bulk_some ON sort_bulk (s, id) WHERE i > 0;
SELECT count(*), min(id), max(id) FROM sort_bulk WHERE i BETWEEN -1000000000 AND 1000000000;
SELECT count(*), sum(id) FROM sort_bulk WHERE i IS NULL;
SELECT count(*), sum(id) FROM sort_bulk WHERE b > 0;
SELECT id, b FROM sort_bulk ORDER BY b DESC LIMIT 3;
SELECT count(*), sum(id) FROM sort_bulk WHERE t >= 'row 1' AND t < 'row 15';
SELECT id, t FROM sort_bulk WHERE t > 'row 99' ORDER BY t LIMIT 3;
SELECT count(*), sum(id) FROM sort_bulk WHERE c = '1' OR c = 'a ';
SELECT count(*), sum(id) FROM sort_bulk WHERE n BETWEEN -1000 AND 1000.5;
SELECT count(*), sum(id) FROM sort_bulk WHERE f AND s = 37;
SELECT count(*), sum(id) FROM sort_bulk WHERE lower(t) < 'row 2';
SELECT count(*), sum(id) FROM sort_bulk WHERE v = '1 mon';
SELECT count(*), sum(id) FROM sort_bulk WHERE u = md5('7')::uuid;
SELECT count(*), sum(id) FROM sort_bulk WHERE y > '\xf0';
SELECT count(*), sum(id) FROM sort_bulk WHERE s = 5 AND i > 0;
CREATE UNIQUE INDEX ON sort_bulk (id, i);
CREATE UNIQUE INDEX sort_bulk_unique ON sort_bulk (i) WHERE id < 5000;
INSERT INTO sort_bulk (id, i) VALUES (1, (SELECT i FROM sort_bulk WHERE id = 2));
CREATE UNIQUE INDEX sort_bulk_s ON sort_bulk (s, f) WHERE id IN (40, 1040, 3040);
CREATE UNIQUE INDEX sort_bulk_nulls ON sort_bulk (i) NULLS NOT DISTINCT;
ALTER TABLE sort_bulk ADD PRIMARY KEY (id);
ALTER TABLE sort_bulk ADD UNIQUE (u, s, f, c);
DROP TABLE sort_bulk;
