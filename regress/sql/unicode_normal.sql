-- Unicode normalization; pg_lsn reckoned with; extremes of inet and xid8.
SELECT normalize(E'e\u0301'), normalize(E'\u00e9',NFD), normalize(E'\u00e9',NFKD), normalize(E'\ufb01',NFKC);
SELECT E'e\u0301' is normalized, E'e\u0301' is not normalized, E'e\u0301' is NFD normalized, E'e' is not NFKC normalized;
SELECT normalize('a', foo);
SELECT normalize('abc', 'nfc'), normalize('abc', 'xyz');
SELECT pg_catalog.normalize('abc', 'xyz');
SELECT pg_catalog.normalize(E'A\u030a', 'nfkc'), is_normalized('a', 'q');
SELECT is_normalized(E'A\u030a', 'nfd');
SELECT f, encode(convert_to(normalize(s, NFC),'UTF8'),'hex'), encode(convert_to(normalize(s, NFD),'UTF8'),'hex'), encode(convert_to(normalize(s, NFKC),'UTF8'),'hex'), encode(convert_to(normalize(s, NFKD),'UTF8'),'hex') FROM (VALUES (1,E'\uAC01\uAC00\u1100\u1161\u11A8'),(2,E'q\u0307\u0323'),(3,E'\u0344\u1E9B\u0323'),(4,E'\u2126\u212B\uFF21'),(5,E'\uFDFA'),(6,E'\u0958'),(7,E'a\u0315\u0300\u05AE\u0300\u0062'),(8,'')) v(f,s);
SELECT max(i), min(i) FROM (VALUES ('10.0.0.1'::inet),('10.0.0.0/8'),('::1'),(null)) v(i);
SELECT max(i), min(i) FROM (VALUES ('10'::xid8),('9'),('18446744073709551615')) v(i);
SELECT '0/10'::pg_lsn - '0/20'::pg_lsn, '0/10'::pg_lsn + 16, 16 + '0/10'::pg_lsn, '1/0'::pg_lsn - 1.5, pg_wal_lsn_diff('FFFFFFFF/FFFFFFFF','0/0'), pg_lsn(23783416::numeric);
SELECT '0/10'::pg_lsn - 17;
SELECT '0/10'::pg_lsn + 'NaN'::numeric;
SELECT '0/10'::pg_lsn - 'NaN'::numeric;
SELECT '0/10'::pg_lsn + 'inf'::numeric;
SELECT pg_lsn('NaN'::numeric);
SELECT pg_lsn(-1::numeric);
