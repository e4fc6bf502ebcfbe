-- The information schema, over the system tables. PostgreSQL's columns are of domains whose base types stand here:
-- sql_identifier is name, character_data varchar, cardinal_number integer, yes_or_no varchar(3).

CREATE VIEW information_schema.information_schema_catalog_name AS
    SELECT current_database() AS catalog_name;

CREATE VIEW information_schema.schemata AS
    SELECT current_database() AS catalog_name, n.nspname AS schema_name, u.rolname AS schema_owner,
        NULL::name AS default_character_set_catalog, NULL::name AS default_character_set_schema,
        NULL::name AS default_character_set_name, NULL::varchar AS sql_path
    FROM pg_namespace n JOIN pg_authid u ON u.oid = n.nspowner
    WHERE pg_has_role(n.nspowner, 'USAGE'::text) OR has_schema_privilege(n.oid, 'CREATE, USAGE'::text);

CREATE VIEW information_schema.tables AS
    SELECT current_database() AS table_catalog, n.nspname AS table_schema, c.relname AS table_name,
        CASE WHEN c.relpersistence = 't'::"char" THEN 'LOCAL TEMPORARY'::varchar
            WHEN c.relkind = 'r'::"char" OR c.relkind = 'p'::"char" THEN 'BASE TABLE'::varchar
            WHEN c.relkind = 'v'::"char" THEN 'VIEW'::varchar
            WHEN c.relkind = 'f'::"char" THEN 'FOREIGN'::varchar ELSE NULL::varchar END AS table_type,
        NULL::name AS self_referencing_column_name, NULL::varchar AS reference_generation,
        NULL::name AS user_defined_type_catalog, NULL::name AS user_defined_type_schema,
        NULL::name AS user_defined_type_name,
        CASE WHEN c.relkind = 'r'::"char" OR c.relkind = 'p'::"char" OR (pg_relation_is_updatable(c.oid::regclass, false) & 8) = 8
            THEN 'YES'::varchar(3) ELSE 'NO'::varchar(3) END AS is_insertable_into,
        'NO'::varchar(3) AS is_typed, NULL::varchar AS commit_action
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE (c.relkind = 'r'::"char" OR c.relkind = 'v'::"char" OR c.relkind = 'f'::"char" OR c.relkind = 'p'::"char")
        AND NOT pg_is_other_temp_schema(n.oid)
        AND (pg_has_role(c.relowner, 'USAGE'::text)
            OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'::text)
            OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'::text));

CREATE VIEW information_schema.columns AS
    SELECT current_database() AS table_catalog, n.nspname AS table_schema, c.relname AS table_name,
        a.attname AS column_name, a.attnum::integer AS ordinal_position,
        CASE WHEN a.attgenerated = ''::"char" THEN pg_get_expr(d.adbin, d.adrelid)::varchar ELSE NULL::varchar END AS column_default,
        CASE WHEN a.attnotnull OR (t.typtype = 'd'::"char" AND t.typnotnull) THEN 'NO'::varchar(3) ELSE 'YES'::varchar(3) END AS is_nullable,
        CASE WHEN t.typelem <> 0::oid AND t.typlen = -1 AND t.typcategory = 'A'::"char" THEN 'ARRAY'::varchar
            WHEN tn.nspname = 'pg_catalog'::name THEN format_type(a.atttypid, NULL::integer)::varchar
            ELSE 'USER-DEFINED'::varchar END AS data_type,
        CASE WHEN (a.atttypid = 1042::oid OR a.atttypid = 1043::oid) AND a.atttypmod <> -1 THEN a.atttypmod - 4
            ELSE NULL::integer END AS character_maximum_length,
        CASE WHEN a.atttypid = 25::oid OR a.atttypid = 1042::oid OR a.atttypid = 1043::oid THEN
            CASE WHEN a.atttypmod = -1 OR a.atttypid = 25::oid THEN 1073741824
                ELSE (LEAST((a.atttypmod - 4)::bigint * 4, 1073741824::bigint))::integer END
            ELSE NULL::integer END AS character_octet_length,
        CASE a.atttypid WHEN 21::oid THEN 16 WHEN 23::oid THEN 32 WHEN 20::oid THEN 64 WHEN 700::oid THEN 24 WHEN 701::oid THEN 53
            WHEN 1700::oid THEN CASE WHEN a.atttypmod = -1 THEN NULL::integer ELSE ((a.atttypmod - 4) >> 16) & 65535 END
            ELSE NULL::integer END AS numeric_precision,
        CASE WHEN a.atttypid = 21::oid OR a.atttypid = 23::oid OR a.atttypid = 20::oid OR a.atttypid = 700::oid OR a.atttypid = 701::oid THEN 2
            WHEN a.atttypid = 1700::oid THEN 10 ELSE NULL::integer END AS numeric_precision_radix,
        CASE WHEN a.atttypid = 21::oid OR a.atttypid = 23::oid OR a.atttypid = 20::oid THEN 0
            WHEN a.atttypid = 1700::oid AND a.atttypmod <> -1 THEN (a.atttypmod - 4) & 2047
            ELSE NULL::integer END AS numeric_scale,
        CASE WHEN a.atttypid = 1082::oid THEN 0
            WHEN a.atttypid = 1083::oid OR a.atttypid = 1114::oid OR a.atttypid = 1184::oid OR a.atttypid = 1266::oid
                THEN CASE WHEN a.atttypmod < 0 THEN 6 ELSE a.atttypmod END
            WHEN a.atttypid = 1186::oid THEN CASE WHEN a.atttypmod < 0 OR (a.atttypmod & 65535) = 65535 THEN 6 ELSE a.atttypmod & 65535 END
            ELSE NULL::integer END AS datetime_precision,
        NULL::varchar AS interval_type, NULL::integer AS interval_precision,
        NULL::name AS character_set_catalog, NULL::name AS character_set_schema, NULL::name AS character_set_name,
        CASE WHEN co.oid IS NOT NULL THEN current_database() ELSE NULL::name END AS collation_catalog,
        cn.nspname AS collation_schema, co.collname AS collation_name,
        NULL::name AS domain_catalog, NULL::name AS domain_schema, NULL::name AS domain_name,
        current_database() AS udt_catalog, tn.nspname AS udt_schema, t.typname AS udt_name,
        NULL::name AS scope_catalog, NULL::name AS scope_schema, NULL::name AS scope_name,
        NULL::integer AS maximum_cardinality, a.attnum::text::name AS dtd_identifier,
        'NO'::varchar(3) AS is_self_referencing,
        CASE WHEN a.attidentity = 'a'::"char" OR a.attidentity = 'd'::"char" THEN 'YES'::varchar(3) ELSE 'NO'::varchar(3) END AS is_identity,
        CASE a.attidentity WHEN 'a'::"char" THEN 'ALWAYS'::varchar WHEN 'd'::"char" THEN 'BY DEFAULT'::varchar ELSE NULL::varchar END AS identity_generation,
        s.seqstart::varchar AS identity_start, s.seqincrement::varchar AS identity_increment,
        s.seqmax::varchar AS identity_maximum, s.seqmin::varchar AS identity_minimum,
        CASE WHEN s.seqcycle THEN 'YES'::varchar(3) ELSE 'NO'::varchar(3) END AS identity_cycle,
        CASE WHEN a.attgenerated <> ''::"char" THEN 'ALWAYS'::varchar ELSE 'NEVER'::varchar END AS is_generated,
        CASE WHEN a.attgenerated <> ''::"char" THEN pg_get_expr(d.adbin, d.adrelid)::varchar ELSE NULL::varchar END AS generation_expression,
        CASE WHEN c.relkind = 'r'::"char" OR c.relkind = 'p'::"char" OR pg_column_is_updatable(c.oid::regclass, a.attnum, false)
            THEN 'YES'::varchar(3) ELSE 'NO'::varchar(3) END AS is_updatable
    FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace tn ON tn.oid = t.typnamespace
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        LEFT JOIN pg_collation co ON co.oid = a.attcollation AND co.collname <> 'default'::name
        LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
        LEFT JOIN pg_depend dep ON dep.refclassid = 1259::oid AND dep.refobjid = c.oid AND dep.refobjsubid = a.attnum
            AND dep.classid = 1259::oid AND dep.deptype = 'i'::"char"
        LEFT JOIN pg_sequence s ON s.seqrelid = dep.objid
    WHERE NOT pg_is_other_temp_schema(n.oid) AND a.attnum > 0 AND NOT a.attisdropped
        AND (c.relkind = 'r'::"char" OR c.relkind = 'v'::"char" OR c.relkind = 'f'::"char" OR c.relkind = 'p'::"char")
        AND (pg_has_role(c.relowner, 'USAGE'::text) OR has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'::text));

CREATE VIEW information_schema.views AS
    SELECT current_database() AS table_catalog, n.nspname AS table_schema, c.relname AS table_name,
        CASE WHEN pg_has_role(c.relowner, 'USAGE'::text) THEN pg_get_viewdef(c.oid)::varchar ELSE NULL::varchar END AS view_definition,
        CASE WHEN 'check_option=cascaded'::text = ANY (c.reloptions) THEN 'CASCADED'::varchar
            WHEN 'check_option=local'::text = ANY (c.reloptions) THEN 'LOCAL'::varchar ELSE 'NONE'::varchar END AS check_option,
        CASE WHEN (pg_relation_is_updatable(c.oid::regclass, false) & 20) = 20 THEN 'YES'::varchar(3) ELSE 'NO'::varchar(3) END AS is_updatable,
        CASE WHEN (pg_relation_is_updatable(c.oid::regclass, false) & 8) = 8 THEN 'YES'::varchar(3) ELSE 'NO'::varchar(3) END AS is_insertable_into,
        'NO'::varchar(3) AS is_trigger_updatable, 'NO'::varchar(3) AS is_trigger_deletable,
        'NO'::varchar(3) AS is_trigger_insertable_into
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'v'::"char" AND NOT pg_is_other_temp_schema(n.oid)
        AND (pg_has_role(c.relowner, 'USAGE'::text)
            OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'::text));

CREATE VIEW information_schema.table_constraints AS
    SELECT current_database() AS constraint_catalog, n.nspname AS constraint_schema, k.conname AS constraint_name,
        current_database() AS table_catalog, tn.nspname AS table_schema, c.relname AS table_name,
        CASE k.contype WHEN 'c'::"char" THEN 'CHECK'::varchar WHEN 'f'::"char" THEN 'FOREIGN KEY'::varchar
            WHEN 'p'::"char" THEN 'PRIMARY KEY'::varchar WHEN 'u'::"char" THEN 'UNIQUE'::varchar ELSE NULL::varchar END AS constraint_type,
        CASE WHEN k.condeferrable THEN 'YES'::varchar(3) ELSE 'NO'::varchar(3) END AS is_deferrable,
        CASE WHEN k.condeferred THEN 'YES'::varchar(3) ELSE 'NO'::varchar(3) END AS initially_deferred,
        'YES'::varchar(3) AS enforced,
        CASE WHEN k.contype = 'u'::"char" THEN CASE WHEN x.indnullsnotdistinct THEN 'NO'::varchar(3) ELSE 'YES'::varchar(3) END
            ELSE NULL::varchar(3) END AS nulls_distinct
    FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace JOIN pg_class c ON c.oid = k.conrelid
        JOIN pg_namespace tn ON tn.oid = c.relnamespace LEFT JOIN pg_index x ON x.indexrelid = k.conindid
    WHERE (k.contype = 'c'::"char" OR k.contype = 'f'::"char" OR k.contype = 'p'::"char" OR k.contype = 'u'::"char")
        AND (c.relkind = 'r'::"char" OR c.relkind = 'p'::"char") AND NOT pg_is_other_temp_schema(tn.oid)
        AND (pg_has_role(c.relowner, 'USAGE'::text)
            OR has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'::text)
            OR has_any_column_privilege(c.oid, 'INSERT, UPDATE, REFERENCES'::text))
    UNION ALL
    SELECT current_database(), n.nspname,
        (n.oid::text || '_'::text || c.oid::text || '_'::text || a.attnum::text || '_not_null'::text)::name,
        current_database(), n.nspname, c.relname, 'CHECK'::varchar, 'NO'::varchar(3), 'NO'::varchar(3), 'YES'::varchar(3),
        NULL::varchar(3)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped
        AND (c.relkind = 'r'::"char" OR c.relkind = 'p'::"char") AND NOT pg_is_other_temp_schema(n.oid)
        AND (pg_has_role(c.relowner, 'USAGE'::text)
            OR has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'::text)
            OR has_any_column_privilege(c.oid, 'INSERT, UPDATE, REFERENCES'::text));

CREATE VIEW information_schema.key_column_usage AS
    SELECT current_database() AS constraint_catalog, n.nspname AS constraint_schema, k.conname AS constraint_name,
        current_database() AS table_catalog, tn.nspname AS table_schema, c.relname AS table_name, a.attname AS column_name,
        array_position(k.conkey, a.attnum) AS ordinal_position,
        CASE WHEN k.contype = 'f'::"char" THEN array_position(x.indkey::smallint[], k.confkey[array_position(k.conkey, a.attnum)]) + 1
            ELSE NULL::integer END AS position_in_unique_constraint
    FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace JOIN pg_class c ON c.oid = k.conrelid
        JOIN pg_namespace tn ON tn.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (k.conkey)
        LEFT JOIN pg_index x ON x.indexrelid = k.conindid
    WHERE NOT a.attisdropped AND (k.contype = 'p'::"char" OR k.contype = 'u'::"char" OR k.contype = 'f'::"char")
        AND (c.relkind = 'r'::"char" OR c.relkind = 'p'::"char") AND NOT pg_is_other_temp_schema(tn.oid)
        AND (pg_has_role(c.relowner, 'USAGE'::text)
            OR has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'::text));

CREATE VIEW information_schema.referential_constraints AS
    SELECT current_database() AS constraint_catalog, n.nspname AS constraint_schema, k.conname AS constraint_name,
        CASE WHEN u.oid IS NULL THEN NULL::name ELSE current_database() END AS unique_constraint_catalog,
        un.nspname AS unique_constraint_schema, u.conname AS unique_constraint_name,
        CASE k.confmatchtype WHEN 'f'::"char" THEN 'FULL'::varchar WHEN 's'::"char" THEN 'NONE'::varchar ELSE NULL::varchar END AS match_option,
        CASE k.confupdtype WHEN 'c'::"char" THEN 'CASCADE'::varchar WHEN 'n'::"char" THEN 'SET NULL'::varchar
            WHEN 'd'::"char" THEN 'SET DEFAULT'::varchar WHEN 'r'::"char" THEN 'RESTRICT'::varchar ELSE 'NO ACTION'::varchar END AS update_rule,
        CASE k.confdeltype WHEN 'c'::"char" THEN 'CASCADE'::varchar WHEN 'n'::"char" THEN 'SET NULL'::varchar
            WHEN 'd'::"char" THEN 'SET DEFAULT'::varchar WHEN 'r'::"char" THEN 'RESTRICT'::varchar ELSE 'NO ACTION'::varchar END AS delete_rule
    FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace JOIN pg_class c ON c.oid = k.conrelid
        LEFT JOIN pg_constraint u ON u.conindid = k.conindid AND u.conrelid = k.confrelid
            AND (u.contype = 'p'::"char" OR u.contype = 'u'::"char")
        LEFT JOIN pg_namespace un ON un.oid = u.connamespace
    WHERE k.contype = 'f'::"char" AND (pg_has_role(c.relowner, 'USAGE'::text)
        OR has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'::text));

CREATE VIEW information_schema.check_constraints AS
    SELECT current_database() AS constraint_catalog, n.nspname AS constraint_schema, k.conname AS constraint_name,
        substr(pg_get_constraintdef(k.oid), 7)::varchar AS check_clause
    FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.contype = 'c'::"char" AND pg_has_role(c.relowner, 'USAGE'::text)
    UNION ALL
    SELECT current_database(), n.nspname,
        (n.oid::text || '_'::text || c.oid::text || '_'::text || a.attnum::text || '_not_null'::text)::name,
        (a.attname::text || ' IS NOT NULL'::text)::varchar
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND c.relkind = 'r'::"char"
        AND pg_has_role(c.relowner, 'USAGE'::text);

CREATE VIEW information_schema.sequences AS
    SELECT current_database() AS sequence_catalog, n.nspname AS sequence_schema, c.relname AS sequence_name,
        format_type(s.seqtypid, NULL::integer)::varchar AS data_type,
        CASE s.seqtypid WHEN 21::oid THEN 16 WHEN 23::oid THEN 32 ELSE 64 END AS numeric_precision,
        2 AS numeric_precision_radix, 0 AS numeric_scale,
        s.seqstart::varchar AS start_value, s.seqmin::varchar AS minimum_value, s.seqmax::varchar AS maximum_value,
        s.seqincrement::varchar AS increment,
        CASE WHEN s.seqcycle THEN 'YES'::varchar(3) ELSE 'NO'::varchar(3) END AS cycle_option
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT pg_is_other_temp_schema(n.oid)
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 1259::oid AND d.objid = c.oid AND d.deptype = 'i'::"char")
        AND (pg_has_role(c.relowner, 'USAGE'::text) OR has_sequence_privilege(c.oid, 'SELECT, UPDATE, USAGE'::text));

GRANT SELECT ON information_schema.information_schema_catalog_name, information_schema.schemata,
    information_schema.tables, information_schema.columns, information_schema.views, information_schema.table_constraints,
    information_schema.key_column_usage, information_schema.referential_constraints, information_schema.check_constraints, information_schema.sequences TO PUBLIC;
GRANT SELECT ON pg_catalog.pg_roles, pg_catalog.pg_user, pg_catalog.pg_tables, pg_catalog.pg_views, pg_catalog.pg_matviews,
    pg_catalog.pg_indexes, pg_catalog.pg_rules, pg_catalog.pg_sequences TO PUBLIC;
