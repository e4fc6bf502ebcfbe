-- ANALYZE of columns whose values are all too wide to be kept, or null.
CREATE TABLE wide (id int, a text, b jsonb);
INSERT INTO wide SELECT i, repeat(md5(i::text), 3000), NULL FROM generate_series(1, 30) i;
ANALYZE wide;
SELECT attname, null_frac, n_distinct, most_common_vals IS NULL AS common, histogram_bounds IS NULL AS bounds FROM pg_stats WHERE tablename = 'wide' ORDER BY attname;
INSERT INTO wide SELECT 3, 'a' || i % 3, NULL FROM generate_series(1, 30) i;
ANALYZE wide;
SELECT attname, null_frac, n_distinct, most_common_vals, most_common_freqs, histogram_bounds IS NULL AS bounds FROM pg_stats WHERE tablename = 'wide' ORDER BY attname;
DROP TABLE wide;
