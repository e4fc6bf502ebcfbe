-- Alternatives give the longest match; options inside patterns; counts; brackets of SIMILAR TO.
select regexp_match('foobar', 'foo|foobar'), regexp_match('xabcabcd', 'a|ab|abc');
select substring('foobarbaz' from 'foo|foobarb'), regexp_replace('aaab', 'a|aa', 'X', 'g'), regexp_replace('foofoobar foo', 'foo|foobar', '<\&>', 'g');
select regexp_matches('abab ab a', 'a|ab|abab', 'g');
select regexp_split_to_array('1, 2,3', ',|, ');
select regexp_count('aaaa', 'a|aa'), regexp_instr('xfoobar', 'foo|foobar', 1, 1, 1), regexp_substr('catcategory', 'cat|category', 2);
select regexp_match('abcd', '(a|ab)(c|bcd)'), regexp_match('ab', '(a|b|ab)+');
select regexp_match('foobar', 'foo$|foobar'), regexp_match('foo bar', '(foo|foo b)\M');
select regexp_match('XfooBAR', '(?i)foo|foobar'), regexp_match('foobar', 'foo|(?:foobar)');
select E'abc\ndef' ~ '^def', E'abc\ndef' ~ '(?n)^def', E'abc\ndef' ~ '(?w)^def', E'abc\ndef' ~ '(?p)c.d', E'abc\ndef' ~ 'c.d', 'ABC' ~ '(?i)b', 'ABC' ~* '(?c)b', 'a b' ~ '(?x)a b', 'a*' ~ '(?q)a*', 'aX' ~ '***:(?i)AX';
select 'a' ~ '(?z)a';
select 'a' ~ '(?i';
select 'a' ~ 'a{256}';
select 'a' ~ 'a{1,256}';
select 'a' ~ 'a{1,255}', 'a' ~ 'a{255}', 'a{256}' ~ '[{]256}';
select 'a' ~ 'a{2,1}';
select 'abc' similar to '_[_[:alpha:]_]_', 'a_c' similar to 'a[_]c', 'a]c' similar to 'a[]x]c', 'abc' similar to 'a[^]x]c', 'a%c' similar to 'a[%]c', 'axc' similar to 'a[%]c';
select 'a^c' similar to 'a[x^]c', 'a1c' similar to '%[[:digit:]]%', 'a\c' similar to 'a[\\]c', 'abc' similar to '(a|ab)(c|bc)';
explain (costs off) select 1 from pg_class where relname similar to '_[_[:alpha:]_]_';
