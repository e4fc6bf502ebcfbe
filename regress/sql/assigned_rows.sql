-- SET (a, b) = (SELECT …): one run of the subquery for all of its columns.
CREATE TABLE places (id int PRIMARY KEY, name text, level int, size numeric(6,2), tags text[]);
CREATE TABLE news (id int, name text, level int, size numeric);
INSERT INTO places SELECT i, 'p' || i, i, i * 1.5, ARRAY['t' || i] FROM generate_series(1, 6) i;
INSERT INTO news VALUES (1, 'one', 10, 1.005), (2, NULL, 20, 2), (3, 'three', NULL, 3), (5, 'five', 50, 5);
UPDATE places p SET (name, level) = (SELECT n.name, n.level FROM news n WHERE n.id = p.id) RETURNING *;
UPDATE places p SET (level, name, size) = (SELECT n.level + p.id, upper(n.name), n.size FROM news n WHERE n.id = p.id) WHERE id < 4 RETURNING *;
UPDATE places p SET (name) = (SELECT 'x' || p.id), (level, size) = (SELECT p.id * 2, p.id / 3.0) WHERE id > 4 RETURNING *;
UPDATE places p SET (tags[1], level) = (SELECT n.name, 7 FROM news n WHERE n.id = p.id) WHERE id IN (1, 3) RETURNING *;
UPDATE places p SET (name, level) = (SELECT n.name, n.level FROM news n WHERE n.id <= p.id) RETURNING *;
UPDATE places p SET (name, size) = (SELECT n.name, 12345.678 FROM news n WHERE n.id = p.id) WHERE id = 1;
UPDATE places p SET (name, level) = (SELECT n.name FROM news n WHERE n.id = p.id);
UPDATE places p SET (name, level) = (SELECT n.name, n.level, 1 FROM news n WHERE n.id = p.id);
UPDATE places p SET (name, level) = (SELECT n.name, n.name FROM news n WHERE n.id = p.id);
UPDATE places p SET (name, name) = (SELECT n.name, n.name FROM news n WHERE n.id = p.id);
UPDATE places p SET (name, level) = (SELECT n.name, n.level FROM news n WHERE n.id = p.id ORDER BY 1 LIMIT 1) FROM news m WHERE m.id = p.id AND m.level > 15 RETURNING p.*, m.level;
SELECT * FROM places ORDER BY id;
-- What is volatile in it is called once for each row; without columns of the row, once.
CREATE SEQUENCE taken;
UPDATE places p SET (name, level) = (SELECT p.id || '.' || nextval('taken'), currval('taken'));
SELECT count(DISTINCT name), sum(level), min(split_part(name, '.', 2)), bool_and(id::text = split_part(name, '.', 1)) FROM places;
UPDATE places p SET (name, level) = (SELECT 'n' || nextval('taken'), currval('taken'));
SELECT DISTINCT name, level FROM places;
SELECT last_value FROM taken;
EXPLAIN (COSTS OFF) UPDATE places p SET (name, level) = (SELECT n.name, n.level FROM news n WHERE n.id = 1);
EXPLAIN (COSTS OFF) UPDATE places SET level = 5 WHERE id = (SELECT max(id) FROM news);
EXPLAIN (COSTS OFF) DELETE FROM places WHERE level = (SELECT max(id) FROM news) OR EXISTS (SELECT FROM news WHERE level = 99);
INSERT INTO places (id, name) VALUES (1, 'again'), (9, 'new') ON CONFLICT (id) DO UPDATE SET (name, level) = (SELECT excluded.name || n.name, n.level FROM news n WHERE n.id = places.id) RETURNING *;
-- Through a view.
CREATE VIEW some AS SELECT id AS key, name AS called, level FROM places WHERE id < 4;
UPDATE some s SET (called, level) = (SELECT n.name, n.level FROM news n WHERE n.id = s.key) RETURNING *;
-- Prepared, and over a row that another command of the transaction has changed.
PREPARE change (int) AS UPDATE places p SET (name, level) = (SELECT n.name || $1, n.level + $1 FROM news n WHERE n.id = p.id) WHERE id <= $1;
EXECUTE change (2);
EXECUTE change (3);
SELECT * FROM places ORDER BY id;
DROP TABLE places, news CASCADE;
DROP SEQUENCE taken;
