-- What texts of dates, intervals and arrays are, on the edge.
SELECT '2026-03-29:02:30:00'::timestamp(3), ':10:00'::time;
SELECT '0441-07-10 02:51:41.210151'::interval;
SELECT '1-2-3'::interval;
SELECT '1-2 3'::interval, '1-2 3:04'::interval;
SELECT array_eq('{}'::json[], ARRAY['null'::json]), array_ne(ARRAY['null'::json], '{}'::json[]);
SELECT ARRAY['1'::json, 'null'::json] = '{}'::json[];
SELECT ARRAY['1'::json] = ARRAY['1'::json];
SELECT ARRAY['1'::json] < '{}'::json[];
SELECT array_positions('{}'::json[], '1'::json);
SELECT array_positions(ARRAY['1'::json], '1'::json);
