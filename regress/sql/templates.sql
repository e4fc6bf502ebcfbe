-- Templates and patterns that change from row to row, that are long, and that have odd parts.
SELECT to_char(timestamp '2026-01-02', repeat('YYYY', 300)) = repeat('2026', 300);
SELECT length(to_char(1, repeat('9', 700))), length(to_char(1.5::float8, repeat('9', 700) || '.99'));
SELECT to_number('12', repeat('9', 1200));
SELECT count(*), count(DISTINCT r) FROM (SELECT regexp_split_to_array('a' || i || 'b', '[' || i % 100 || ']') AS r FROM generate_series(1, 1000) i) x;
SELECT sum(length(to_char(i, repeat('9', i % 50 + 1)))), sum(length(to_char(timestamp '2026-01-02' + i * interval '1 day', repeat('YY', i % 50 + 1)))) FROM generate_series(1, 1000) i;
SELECT sum(to_number(i::text, repeat('9', i % 50 + 4))), count(to_date(i::text, repeat('Y', 4) || repeat(' ', i % 60))) FROM generate_series(1, 1000) i;
SELECT count(*) FROM generate_series(1, 3000) i WHERE 'abc' || i ~ ('c' || i || '$');
SELECT regexp_split_to_array('a1b2c', '[0-9]', 'i'), regexp_split_to_array('a1b2c', '[0-9]', 'g');
-- A brace in brackets is no count; classes have brackets of their own.
SELECT 'aaa' ~ '^[[:alpha:]{300}]+$', 'a|b]x' ~ '[[.a.]|]x', 'abcx' ~ '[[=a=]b|]{300}';
SELECT substring('xabcabd' FROM '(?:ab|abc)(?:d|abd)?'), regexp_match('foobar', '(fo|foob)(ar|bar)?');
-- Displacements have one sign.
SELECT make_timestamptz(2020, 1, 1, 0, 0, 0, '+-3');
SELECT make_timestamptz(2020, 1, 1, 0, 0, 0, '+-9223372036854775807');
SELECT make_timestamptz(2020, 1, 1, 0, 0, 0, '+3:-5');
SELECT make_timestamptz(2020, 1, 1, 0, 0, 0, '-3:5') AT TIME ZONE 'UTC';
SELECT timestamptz '2026-03-04 05:06:07 zulu' AT TIME ZONE 'AkDt', timestamptz '2026-03-04 05:06:07 acdt' AT TIME ZONE 'utc', timestamp '2026-01-01' AT TIME ZONE 'YEKT', timestamptz '2026-03-04 05:06:07 acd';
-- What PCRE2 takes and PostgreSQL doesn't.
SELECT 'aaa' ~ 'a++';
SELECT 'aaa' ~ 'a{2}+';
SELECT 'aaa' ~ '(*ACCEPT)a';
SELECT 'aaa' ~ 'a(?i)A';
SELECT 'aaa' ~ '\m+a';
SELECT 'aaa' ~ '^*a';
SELECT 'a}b{' ~ 'a}b{', 'aaa' ~ 'a{2}?$', substring('aaab' FROM 'a+?b?');
-- Templates: SP has no effect, Roman numbers have no sign, FF is a number.
SELECT to_char(timestamp '1999-12-31', 'YYYYSP-MMSPTH'), to_char(12, 'RNMI'), to_char(12, 'RNPL'), to_char(12, 'RNSG9"x"');
SELECT to_timestamp('123', 'SSFF2FM') AT TIME ZONE 'UTC', to_timestamp('512', 'SFF2') AT TIME ZONE 'UTC';
-- Units without a number say nothing.
SELECT interval 'W min year 1' day to second(2), interval '-2 mon day', interval 'us us -1:02:03.5';
SELECT interval 'day nonsense 1';
-- Errors of arrays repeat the braces; bounds are for what is in them.
SELECT ' [1:2] = {1'::int[];
SELECT '  {1}}'::int[];
SELECT ' [1:2]={{1}}'::int[];
SELECT '[1:2]={}'::int[];
