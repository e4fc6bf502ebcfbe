SELECT oid, typname FROM pg_type WHERE typname IN ('geometry', 'geography') AND typtype='b';

SELECT 1 FROM information_schema.tables WHERE table_name = 'geometry_columns' LIMIT 1;

SELECT c.oid FROM pg_class c JOIN pg_namespace n ON c.relnamespace=n.oid WHERE c.relname = 'ogr_t' AND n.nspname = 'public';

SELECT c.relname, n.nspname, c.relkind FROM pg_class c, pg_namespace n WHERE (c.relkind in ('r','v','m','f') AND c.relname !~ '^pg_' AND c.relnamespace=n.oid);

SELECT a.attname, a.attnum, t.typname, t.typname = ANY(ARRAY['int2','int4','int8','serial','bigserial']) AS isfid FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_index i ON i.indrelid = a.attrelid WHERE a.attnum > 0 AND a.attrelid = 92442 AND i.indisprimary = 't' AND t.typname !~ '^geom' AND a.attnum = ANY(i.indkey) ORDER BY a.attnum;

SELECT a.attname, t.typname, a.attlen,       format_type(a.atttypid,a.atttypmod), a.attnotnull, def.def, i.indisunique, a.attgenerated FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN (SELECT adrelid, adnum, pg_get_expr(adbin, adrelid) AS def FROM pg_attrdef) def ON def.adrelid = a.attrelid AND def.adnum = a.attnum LEFT JOIN (SELECT DISTINCT indrelid, indkey, indisunique FROM pg_index WHERE indisunique) i ON i.indrelid = a.attrelid AND i.indkey[0] = a.attnum AND i.indkey[1] IS NULL WHERE a.attnum > 0 AND a.attrelid = 92442 ORDER BY a.attnum;

SELECT attnum, attrelid FROM pg_attribute WHERE attnotnull = 't' AND ((attrelid = 92442 AND attnum = 3));

SELECT d.description FROM pg_class c JOIN pg_namespace n ON c.relnamespace=n.oid JOIN pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass::oid AND d.objsubid = 0 WHERE c.relname = 'ogr_t' AND n.nspname = 'public' AND c.relkind in ('r', 'v');
