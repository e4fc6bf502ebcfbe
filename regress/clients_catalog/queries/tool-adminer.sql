SELECT typname
FROM pg_type
WHERE typnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
AND typtype IN ('b','d','e')
AND typelem = 0;

SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = current_schema()
UNION ALL
SELECT matviewname, 'MATERIALIZED VIEW'
FROM pg_matviews
WHERE schemaname = current_schema()
ORDER BY 1;

SELECT datcollate FROM pg_database WHERE datname = 'cl_tool_adminer';

SELECT nspname FROM pg_namespace ORDER BY nspname;

SELECT specific_name AS "SPECIFIC_NAME", routine_type AS "ROUTINE_TYPE", routine_name AS "ROUTINE_NAME", type_udt_name AS "DTD_IDENTIFIER"
FROM information_schema.routines
WHERE routine_schema = current_schema()
ORDER BY SPECIFIC_NAME;

SELECT sequence_name FROM information_schema.sequences WHERE sequence_schema = current_schema() ORDER BY sequence_name;

SELECT datname FROM pg_database WHERE has_database_privilege(datname, 'CONNECT') ORDER BY datname;

SELECT a.attname AS field, format_type(a.atttypid, a.atttypmod) AS full_type, pg_get_expr(d.adbin, d.adrelid) AS default, a.attnotnull::int, col_description(c.oid, a.attnum) AS comment, a.attidentity
FROM pg_class c
JOIN pg_namespace n ON c.relnamespace = n.oid
JOIN pg_attribute a ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON c.oid = d.adrelid AND a.attnum = d.adnum
WHERE c.relname = 'orders'
AND n.nspname = current_schema()
AND NOT a.attisdropped
AND a.attnum > 0
ORDER BY a.attnum;

SELECT oid FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND relname = 'orders';

SELECT attnum, attname FROM pg_attribute WHERE attrelid = 91580 AND attnum > 0;

SELECT relname, indisunique::int, indisprimary::int, indkey, indoption, (indpred IS NOT NULL)::int as indispartial FROM pg_index i, pg_class ci WHERE i.indrelid = 91580 AND ci.oid = i.indexrelid;

SELECT conname, condeferrable::int AS deferrable, pg_get_constraintdef(oid) AS definition
FROM pg_constraint
WHERE conrelid = (SELECT pc.oid FROM pg_class AS pc INNER JOIN pg_namespace AS pn ON (pn.oid = pc.relnamespace) WHERE pc.relname = 'orders' AND pn.nspname = current_schema())
AND contype = 'f'::char
ORDER BY conkey, conname;

SELECT * FROM information_schema.triggers WHERE trigger_schema = current_schema() AND event_object_table = 'orders';

SELECT * FROM information_schema.triggered_update_columns WHERE trigger_schema = current_schema() AND event_object_table = 'orders' AND trigger_name = 'orders_touch';

SELECT trigger_name AS "Trigger", action_timing AS "Timing", event_manipulation AS "Event", 'FOR EACH ' || action_orientation AS "Type", action_statement AS "Statement" FROM information_schema.triggers WHERE trigger_schema = current_schema() AND event_object_table = 'orders' AND trigger_name = 'orders_touch' ORDER BY event_manipulation DESC;

SELECT pg_get_viewdef(91635);
