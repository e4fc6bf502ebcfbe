-- Cursors over what a transaction has inserted, while much of it is taken back.
CREATE TABLE spilled_scan (id int PRIMARY KEY, f text);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_sort = off;
-- Some of it was there before the savepoint.
BEGIN;
INSERT INTO spilled_scan SELECT g * 100, 'first' FROM generate_series(0, 1999) g;
DECLARE c CURSOR FOR SELECT id FROM spilled_scan ORDER BY id;
SAVEPOINT s;
INSERT INTO spilled_scan SELECT g / 99 * 100 + g % 99 + 1, repeat('x', 1600) FROM generate_series(0, 49499) g;
FETCH 5 FROM c;
ROLLBACK TO s;
FETCH 3 FROM c;
MOVE 1000 FROM c;
FETCH 2 FROM c;
MOVE ALL FROM c;
COMMIT;
-- All of it came behind it.
BEGIN;
UPDATE spilled_scan SET f = 'second', id = -id;
DECLARE c CURSOR FOR SELECT id, f FROM spilled_scan ORDER BY id;
DECLARE d NO SCROLL CURSOR FOR SELECT id FROM spilled_scan ORDER BY id DESC;
SAVEPOINT s;
INSERT INTO spilled_scan SELECT -(g / 99 * 100 + g % 99 + 1), repeat('y', 1600) FROM generate_series(0, 49499) g;
MOVE 1502 FROM c;
FETCH 5 FROM d;
ROLLBACK TO s;
FETCH 3 FROM c;
FETCH 3 FROM d;
MOVE ALL FROM c;
MOVE ALL FROM d;
COMMIT;
SELECT count(*), min(id), max(id), min(f), max(f) FROM spilled_scan;
DROP TABLE spilled_scan;
