-- What the end of a transaction or of a savepoint makes of settings.
CREATE ROLE undo_joe;
SET ROLE undo_joe; BEGIN; SET SESSION AUTHORIZATION undo_joe; ROLLBACK; SHOW role;
RESET ROLE; RESET SESSION AUTHORIZATION;
-- is_superuser follows the role.
BEGIN; SET LOCAL ROLE undo_joe; SHOW is_superuser; COMMIT; SHOW is_superuser; SHOW role;
BEGIN; SET ROLE undo_joe; ROLLBACK; SHOW is_superuser; SHOW role;
SET SESSION AUTHORIZATION undo_joe;
BEGIN; RESET SESSION AUTHORIZATION; SHOW is_superuser; ROLLBACK; SHOW is_superuser; SELECT current_user;
RESET SESSION AUTHORIZATION; SHOW is_superuser;
SET ROLE undo_joe; BEGIN; SET SESSION AUTHORIZATION undo_joe; SHOW role; ROLLBACK; SHOW role; SELECT current_user;
RESET ROLE;
BEGIN; SET ROLE undo_joe; SET LOCAL ROLE none; COMMIT; SHOW role; SHOW is_superuser; SELECT current_user;
RESET ROLE; SHOW is_superuser;
BEGIN; SET LOCAL SESSION AUTHORIZATION undo_joe; SET ROLE undo_joe; COMMIT; SHOW role;
SELECT session_user = current_user; RESET ROLE; SELECT session_user = current_user;
DROP ROLE undo_joe;
-- SET LOCAL hides what SET leaves.
BEGIN; SET LOCAL work_mem = '1MB'; SET work_mem = '2MB'; SET LOCAL work_mem = '3MB'; SHOW work_mem; COMMIT; SHOW work_mem;
BEGIN; SET work_mem = '5MB'; SAVEPOINT a; SET LOCAL work_mem = '6MB'; SET work_mem = '7MB'; ROLLBACK TO a; SHOW work_mem; COMMIT; SHOW work_mem;
SET TimeZone = 'Europe/Paris';
BEGIN; SET LOCAL TimeZone = 'UTC'; SAVEPOINT q; SET TimeZone = 'Asia/Tokyo'; RELEASE q; SHOW TimeZone; ROLLBACK; SHOW TimeZone;
RESET TimeZone;
-- Custom parameters likewise.
BEGIN; SET LOCAL undo.x = '1'; SET undo.x = '2'; SET LOCAL undo.x = '3'; SHOW undo.x; COMMIT; SHOW undo.x;
BEGIN; SET undo.y = '1'; ROLLBACK; SHOW undo.y;
BEGIN; SET undo.z = '1'; SAVEPOINT s; SET LOCAL undo.z = '2'; ROLLBACK TO s; SHOW undo.z; COMMIT; SHOW undo.z;
RESET undo.z; SHOW undo.z;
SELECT set_config('undo.q', 'v', true); SHOW undo.q; SELECT current_setting('undo.q', true);
SET undo.z = 'kept'; RESET ALL; SHOW undo.z;
SET undo.z = 'kept'; DISCARD ALL; SHOW undo.z;
-- A savepoint gives back the right to write.
BEGIN; SAVEPOINT a; SET TRANSACTION READ ONLY; ROLLBACK TO a; CREATE TEMP TABLE undo_t (a int); SHOW transaction_read_only; COMMIT;
BEGIN; SET TRANSACTION READ ONLY; COMMIT; CREATE TEMP TABLE undo_u (a int); SHOW transaction_read_only;
-- Texts that are set again and again are not kept: what counts is there in the end.
SET undo.long = 'short'; SET search_path = undo_schema, public;
SELECT count(set_config('undo.long', repeat('x', 100) || i, false)) FROM generate_series(1, 2000) i;
SELECT current_setting('undo.long') = repeat('x', 100) || '2000'; SHOW search_path;
BEGIN; SELECT count(set_config('undo.long', repeat('y', 100) || i, true)) FROM generate_series(1, 2000) i; ROLLBACK;
SELECT current_setting('undo.long') = repeat('x', 100) || '2000'; SHOW search_path;
RESET search_path; SHOW search_path;
