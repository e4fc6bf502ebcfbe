-- Encodings by their names; text is UTF8 alone.
select pg_char_to_encoding(x), x from unnest(array['abc','alt','big5','euccn','euc-jp','gb18030','gbk','iso88591','iso-8859-1','iso885910','iso885913','iso885914','iso885915','iso885916','iso88592','iso88593','iso88594','iso88595','iso88599','johab','koi8','koi8r','koi8u','latin1','latin10','mskanji','mule internal','shift_jis_2004','shiftjis','sjis','sqlascii','tcvn','tcvn5712','uhc','unicode','utf-8','UTF8','vscii','win','win1250','win1252','win866','win874','win932','win936','win949','win950','windows1250','windows1251','windows1252','windows1253','windows1254','windows1255','windows1256','windows1257','windows1258','windows866','windows874','windows932','windows936','windows949','windows950','nosuch','','utf','eucjis2004','_','iso88598']) x;
select convert_to('a','nosuch');
select convert_from('a','nosuch');
select convert('a','nosuch','utf8');
select length('abc'::bytea,'nosuch'), 1;
select length('abc'::bytea,'utf-8');
select convert_from('abc','utf-8'), convert_to('é','Unicode'), convert('é'::bytea,'UTF8','utf_8');
set client_encoding = 'nosuch';
set client_encoding = 'utf-8';
show client_encoding;
select pg_encoding_max_length(6), pg_encoding_max_length(0), pg_encoding_max_length(41), pg_encoding_max_length(-1), pg_encoding_max_length(42);
