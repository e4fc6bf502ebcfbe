select tablename from pg_tables where schemaname !='information_schema' and schemaname !='pg_catalog' and schemaname='public' and tablename='rt';

select attnotnull from pg_attribute where attrelid=12033 and attnum='2';

select tablename from pg_tables where schemaname !='information_schema' and schemaname !='pg_catalog';

select a.attname from pg_attribute a, pg_class c, pg_tables t, pg_namespace nsp where a.attrelid = c.oid and c.relname = tablename and c.relnamespace = nsp.oid and a.attnum > 0 and nspname = current_schema() and schemaname = nspname and tablename = 'rt';
