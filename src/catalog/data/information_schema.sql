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

-- Roles.

CREATE VIEW information_schema.enabled_roles AS
    SELECT a.rolname AS role_name FROM pg_authid a WHERE pg_has_role(a.oid, 'USAGE'::text);

CREATE VIEW information_schema.applicable_roles AS
    SELECT a.rolname AS grantee, b.rolname AS role_name, CASE WHEN m.admin_option THEN 'YES'::varchar(3) ELSE 'NO'::varchar(3) END AS is_grantable
    FROM (SELECT member, roleid, admin_option FROM pg_auth_members
            UNION SELECT d.datdba, o.oid, false FROM pg_authid o, pg_database d
            WHERE d.datname = current_database() AND o.rolname = 'pg_database_owner'::name) m
        JOIN pg_authid a ON a.oid = m.member JOIN pg_authid b ON b.oid = m.roleid
    WHERE pg_has_role(a.oid, 'USAGE'::text);

CREATE VIEW information_schema.administrable_role_authorizations AS
    SELECT r.grantee, r.role_name, r.is_grantable FROM information_schema.applicable_roles r WHERE r.is_grantable = 'YES'::varchar;

-- Privileges.

CREATE VIEW information_schema.table_privileges AS
    SELECT g.rolname AS grantor, COALESCE(u.rolname, 'PUBLIC'::name) AS grantee, current_database() AS table_catalog,
        n.nspname AS table_schema, c.relname AS table_name, c.privilege_type::varchar AS privilege_type,
        CASE WHEN c.is_grantable OR pg_has_role(c.grantee, c.relowner, 'USAGE'::text) THEN 'YES'::varchar(3)
            ELSE 'NO'::varchar(3) END AS is_grantable,
        CASE WHEN c.privilege_type = 'SELECT'::text THEN 'YES'::varchar(3) ELSE 'NO'::varchar(3) END AS with_hierarchy
    FROM (SELECT r.oid, r.relname, r.relnamespace, r.relkind, r.relowner, x.grantor, x.grantee, x.privilege_type, x.is_grantable
            FROM pg_class r, aclexplode(COALESCE(r.relacl, acldefault('r'::"char", r.relowner))) x) c
        JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_authid g ON g.oid = c.grantor
        LEFT JOIN pg_authid u ON u.oid = c.grantee
    WHERE (c.relkind = 'r'::"char" OR c.relkind = 'v'::"char" OR c.relkind = 'f'::"char" OR c.relkind = 'p'::"char")
        AND (u.oid IS NOT NULL OR c.grantee = 0::oid)
        AND (c.privilege_type = 'INSERT'::text OR c.privilege_type = 'SELECT'::text OR c.privilege_type = 'UPDATE'::text
            OR c.privilege_type = 'DELETE'::text OR c.privilege_type = 'TRUNCATE'::text OR c.privilege_type = 'REFERENCES'::text
            OR c.privilege_type = 'TRIGGER'::text)
        AND (pg_has_role(g.oid, 'USAGE'::text) OR (u.oid IS NOT NULL AND pg_has_role(u.oid, 'USAGE'::text)) OR c.grantee = 0::oid);

CREATE VIEW information_schema.role_table_grants AS
    SELECT p.grantor, p.grantee, p.table_catalog, p.table_schema, p.table_name, p.privilege_type, p.is_grantable, p.with_hierarchy
    FROM information_schema.table_privileges p
    WHERE p.grantor IN (SELECT role_name FROM information_schema.enabled_roles)
        OR p.grantee IN (SELECT role_name FROM information_schema.enabled_roles);

CREATE VIEW information_schema.column_privileges AS
    SELECT g.rolname AS grantor, COALESCE(u.rolname, 'PUBLIC'::name) AS grantee, current_database() AS table_catalog,
        n.nspname AS table_schema, x.relname AS table_name, x.attname AS column_name, x.privilege_type::varchar AS privilege_type,
        CASE WHEN x.is_grantable OR pg_has_role(x.grantee, x.relowner, 'USAGE'::text) THEN 'YES'::varchar(3)
            ELSE 'NO'::varchar(3) END AS is_grantable
    FROM (SELECT r.relname, r.relnamespace, r.relowner, a.attname, e.grantor, e.grantee, e.privilege_type, e.is_grantable
            FROM pg_class r JOIN pg_attribute a ON a.attrelid = r.oid,
                aclexplode(COALESCE(r.relacl, acldefault('r'::"char", r.relowner))) e
            WHERE (r.relkind = 'r'::"char" OR r.relkind = 'v'::"char" OR r.relkind = 'f'::"char" OR r.relkind = 'p'::"char")
                AND a.attnum > 0 AND NOT a.attisdropped
            UNION SELECT r.relname, r.relnamespace, r.relowner, a.attname, e.grantor, e.grantee, e.privilege_type, e.is_grantable
            FROM pg_class r JOIN pg_attribute a ON a.attrelid = r.oid,
                aclexplode(COALESCE(a.attacl, acldefault('c'::"char", r.relowner))) e
            WHERE (r.relkind = 'r'::"char" OR r.relkind = 'v'::"char" OR r.relkind = 'f'::"char" OR r.relkind = 'p'::"char")
                AND a.attnum > 0 AND NOT a.attisdropped) x
        JOIN pg_namespace n ON n.oid = x.relnamespace JOIN pg_authid g ON g.oid = x.grantor
        LEFT JOIN pg_authid u ON u.oid = x.grantee
    WHERE (u.oid IS NOT NULL OR x.grantee = 0::oid)
        AND (x.privilege_type = 'INSERT'::text OR x.privilege_type = 'SELECT'::text OR x.privilege_type = 'UPDATE'::text
            OR x.privilege_type = 'REFERENCES'::text)
        AND (pg_has_role(g.oid, 'USAGE'::text) OR (u.oid IS NOT NULL AND pg_has_role(u.oid, 'USAGE'::text)) OR x.grantee = 0::oid);

CREATE VIEW information_schema.role_column_grants AS
    SELECT p.grantor, p.grantee, p.table_catalog, p.table_schema, p.table_name, p.column_name, p.privilege_type, p.is_grantable
    FROM information_schema.column_privileges p
    WHERE p.grantor IN (SELECT role_name FROM information_schema.enabled_roles)
        OR p.grantee IN (SELECT role_name FROM information_schema.enabled_roles);

CREATE VIEW information_schema.routine_privileges AS
    SELECT g.rolname AS grantor, COALESCE(u.rolname, 'PUBLIC'::name) AS grantee, current_database() AS specific_catalog,
        n.nspname AS specific_schema, (p.proname::text || '_'::text || p.oid::text)::name AS specific_name,
        current_database() AS routine_catalog, n.nspname AS routine_schema, p.proname AS routine_name,
        'EXECUTE'::varchar AS privilege_type,
        CASE WHEN p.is_grantable OR pg_has_role(p.grantee, p.proowner, 'USAGE'::text) THEN 'YES'::varchar(3)
            ELSE 'NO'::varchar(3) END AS is_grantable
    FROM (SELECT f.oid, f.proname, f.proowner, f.pronamespace, x.grantor, x.grantee, x.privilege_type, x.is_grantable
            FROM pg_proc f, aclexplode(COALESCE(f.proacl, acldefault('f'::"char", f.proowner))) x) p
        JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_authid g ON g.oid = p.grantor
        LEFT JOIN pg_authid u ON u.oid = p.grantee
    WHERE p.privilege_type = 'EXECUTE'::text AND (u.oid IS NOT NULL OR p.grantee = 0::oid)
        AND (pg_has_role(g.oid, 'USAGE'::text) OR (u.oid IS NOT NULL AND pg_has_role(u.oid, 'USAGE'::text)) OR p.grantee = 0::oid);

CREATE VIEW information_schema.role_routine_grants AS
    SELECT p.grantor, p.grantee, p.specific_catalog, p.specific_schema, p.specific_name, p.routine_catalog, p.routine_schema,
        p.routine_name, p.privilege_type, p.is_grantable
    FROM information_schema.routine_privileges p
    WHERE p.grantor IN (SELECT role_name FROM information_schema.enabled_roles)
        OR p.grantee IN (SELECT role_name FROM information_schema.enabled_roles);

CREATE VIEW information_schema.usage_privileges AS
    SELECT u.rolname AS grantor, 'PUBLIC'::name AS grantee, current_database() AS object_catalog, n.nspname AS object_schema,
        c.collname AS object_name, 'COLLATION'::varchar AS object_type, 'USAGE'::varchar AS privilege_type,
        'NO'::varchar(3) AS is_grantable
    FROM pg_authid u JOIN pg_namespace n ON true JOIN pg_collation c ON c.collowner = u.oid AND c.collnamespace = n.oid
    WHERE c.collencoding IN (-1, 6)
    UNION ALL
    SELECT g.rolname, COALESCE(u.rolname, 'PUBLIC'::name), current_database(), n.nspname, c.relname, 'SEQUENCE'::varchar,
        c.privilege_type::varchar,
        CASE WHEN c.is_grantable OR pg_has_role(c.grantee, c.relowner, 'USAGE'::text) THEN 'YES'::varchar(3)
            ELSE 'NO'::varchar(3) END
    FROM (SELECT r.oid, r.relname, r.relnamespace, r.relkind, r.relowner, x.grantor, x.grantee, x.privilege_type, x.is_grantable
            FROM pg_class r, aclexplode(COALESCE(r.relacl, acldefault('s'::"char", r.relowner))) x
            WHERE r.relkind = 'S'::"char") c
        JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_authid g ON g.oid = c.grantor
        LEFT JOIN pg_authid u ON u.oid = c.grantee
    WHERE c.privilege_type = 'USAGE'::text AND (u.oid IS NOT NULL OR c.grantee = 0::oid)
        AND (pg_has_role(g.oid, 'USAGE'::text) OR (u.oid IS NOT NULL AND pg_has_role(u.oid, 'USAGE'::text)) OR c.grantee = 0::oid);

CREATE VIEW information_schema.role_usage_grants AS
    SELECT p.grantor, p.grantee, p.object_catalog, p.object_schema, p.object_name, p.object_type, p.privilege_type, p.is_grantable
    FROM information_schema.usage_privileges p
    WHERE p.grantor IN (SELECT role_name FROM information_schema.enabled_roles)
        OR p.grantee IN (SELECT role_name FROM information_schema.enabled_roles);

-- What constraints, views and generated columns use.

CREATE VIEW information_schema.constraint_column_usage AS
    SELECT DISTINCT current_database() AS table_catalog, n.nspname AS table_schema, r.relname AS table_name, a.attname AS column_name,
        current_database() AS constraint_catalog, k.nspname AS constraint_schema, c.conname AS constraint_name
    FROM pg_constraint c JOIN pg_namespace k ON k.oid = c.connamespace
        JOIN pg_class r ON r.oid = CASE c.contype WHEN 'f'::"char" THEN c.confrelid ELSE c.conrelid END
        JOIN pg_namespace n ON n.oid = r.relnamespace
        JOIN pg_attribute a ON a.attrelid = r.oid
            AND a.attnum = ANY (CASE c.contype WHEN 'f'::"char" THEN c.confkey ELSE c.conkey END)
    WHERE (c.contype = 'c'::"char" OR c.contype = 'p'::"char" OR c.contype = 'u'::"char" OR c.contype = 'f'::"char")
        AND NOT a.attisdropped AND (r.relkind = 'r'::"char" OR r.relkind = 'p'::"char") AND pg_has_role(r.relowner, 'USAGE'::text);

CREATE VIEW information_schema.constraint_table_usage AS
    SELECT current_database() AS table_catalog, n.nspname AS table_schema, r.relname AS table_name,
        current_database() AS constraint_catalog, k.nspname AS constraint_schema, c.conname AS constraint_name
    FROM pg_constraint c JOIN pg_namespace k ON k.oid = c.connamespace
        JOIN pg_class r ON r.oid = CASE c.contype WHEN 'f'::"char" THEN c.confrelid ELSE c.conrelid END
        JOIN pg_namespace n ON n.oid = r.relnamespace
    WHERE (c.contype = 'p'::"char" OR c.contype = 'u'::"char" OR c.contype = 'f'::"char")
        AND (r.relkind = 'r'::"char" OR r.relkind = 'p'::"char") AND pg_has_role(r.relowner, 'USAGE'::text);

CREATE VIEW information_schema.view_table_usage AS
    SELECT DISTINCT current_database() AS view_catalog, nv.nspname AS view_schema, v.relname AS view_name,
        current_database() AS table_catalog, nt.nspname AS table_schema, t.relname AS table_name
    FROM pg_class v JOIN pg_namespace nv ON nv.oid = v.relnamespace JOIN pg_rewrite w ON w.ev_class = v.oid
        JOIN pg_depend d ON d.classid = 2618::oid AND d.objid = w.oid AND d.refclassid = 1259::oid AND d.refobjid <> v.oid
        JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace nt ON nt.oid = t.relnamespace
    WHERE v.relkind = 'v'::"char" AND (t.relkind = 'r'::"char" OR t.relkind = 'v'::"char" OR t.relkind = 'f'::"char"
        OR t.relkind = 'p'::"char") AND pg_has_role(t.relowner, 'USAGE'::text);

CREATE VIEW information_schema.view_column_usage AS
    SELECT DISTINCT current_database() AS view_catalog, nv.nspname AS view_schema, v.relname AS view_name,
        current_database() AS table_catalog, nt.nspname AS table_schema, t.relname AS table_name, a.attname AS column_name
    FROM pg_class v JOIN pg_namespace nv ON nv.oid = v.relnamespace JOIN pg_rewrite w ON w.ev_class = v.oid
        JOIN pg_depend d ON d.classid = 2618::oid AND d.objid = w.oid AND d.refclassid = 1259::oid AND d.refobjid <> v.oid
        JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace nt ON nt.oid = t.relnamespace
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
    WHERE v.relkind = 'v'::"char" AND (t.relkind = 'r'::"char" OR t.relkind = 'v'::"char" OR t.relkind = 'f'::"char"
        OR t.relkind = 'p'::"char") AND pg_has_role(t.relowner, 'USAGE'::text);

CREATE VIEW information_schema.column_column_usage AS
    SELECT DISTINCT current_database() AS table_catalog, n.nspname AS table_schema, c.relname AS table_name, ac.attname AS column_name,
        ad.attname AS dependent_column
    FROM pg_depend d JOIN pg_attrdef g ON d.classid = 2604::oid AND d.objid = g.oid JOIN pg_class c ON c.oid = g.adrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute ac ON d.refclassid = 1259::oid AND ac.attrelid = d.refobjid AND ac.attnum = d.refobjsubid
        JOIN pg_attribute ad ON ad.attrelid = g.adrelid AND ad.attnum = g.adnum
    WHERE ac.attrelid = c.oid AND ad.attgenerated <> ''::"char" AND ac.attnum <> ad.attnum
        AND pg_has_role(c.relowner, 'USAGE'::text);

-- Character sets, collations, routines.

CREATE VIEW information_schema.character_sets AS
    SELECT NULL::name AS character_set_catalog, NULL::name AS character_set_schema, getdatabaseencoding() AS character_set_name,
        'UCS'::name AS character_repertoire, getdatabaseencoding() AS form_of_use, current_database() AS default_collate_catalog,
        NULL::name AS default_collate_schema, NULL::name AS default_collate_name;

CREATE VIEW information_schema.collations AS
    SELECT current_database() AS collation_catalog, n.nspname AS collation_schema, c.collname AS collation_name,
        'NO PAD'::varchar AS pad_attribute
    FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.collencoding = -1 OR c.collencoding = 6;

CREATE VIEW information_schema.collation_character_set_applicability AS
    SELECT current_database() AS collation_catalog, n.nspname AS collation_schema, c.collname AS collation_name,
        NULL::name AS character_set_catalog, NULL::name AS character_set_schema, getdatabaseencoding() AS character_set_name
    FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.collencoding = -1 OR c.collencoding = 6;

CREATE VIEW information_schema.routines AS
    SELECT current_database() AS specific_catalog, n.nspname AS specific_schema,
        (p.proname::text || '_'::text || p.oid::text)::name AS specific_name, current_database() AS routine_catalog,
        n.nspname AS routine_schema, p.proname AS routine_name,
        CASE p.prokind WHEN 'f'::"char" THEN 'FUNCTION'::varchar WHEN 'p'::"char" THEN 'PROCEDURE'::varchar END AS routine_type,
        NULL::name AS module_catalog, NULL::name AS module_schema, NULL::name AS module_name,
        NULL::name AS udt_catalog, NULL::name AS udt_schema, NULL::name AS udt_name,
        CASE WHEN p.prokind = 'p'::"char" THEN NULL::varchar ELSE CASE WHEN t.typelem <> 0::oid AND t.typlen = -1 THEN 'ARRAY'::varchar WHEN nt.nspname = 'pg_catalog'::name THEN format_type(t.oid, NULL::integer)::varchar ELSE 'USER-DEFINED'::varchar END END AS data_type,
        NULL::integer AS character_maximum_length, NULL::integer AS character_octet_length,
        NULL::name AS character_set_catalog, NULL::name AS character_set_schema, NULL::name AS character_set_name,
        NULL::name AS collation_catalog, NULL::name AS collation_schema, NULL::name AS collation_name,
        NULL::integer AS numeric_precision, NULL::integer AS numeric_precision_radix, NULL::integer AS numeric_scale,
        NULL::integer AS datetime_precision, NULL::varchar AS interval_type, NULL::integer AS interval_precision,
        CASE WHEN nt.nspname IS NOT NULL THEN current_database() END AS type_udt_catalog,
        nt.nspname AS type_udt_schema, t.typname AS type_udt_name, NULL::name AS scope_catalog,
        NULL::name AS scope_schema, NULL::name AS scope_name, NULL::integer AS maximum_cardinality,
        CASE WHEN p.prokind <> 'p'::"char" THEN '0'::name END AS dtd_identifier,
        CASE WHEN l.lanname = 'sql'::name THEN 'SQL'::varchar ELSE 'EXTERNAL'::varchar END AS routine_body,
        CASE WHEN pg_has_role(p.proowner, 'USAGE'::text) THEN p.prosrc::varchar END AS routine_definition,
        CASE WHEN l.lanname = 'c'::name THEN p.prosrc::varchar END AS external_name,
        upper(l.lanname::text)::varchar AS external_language, 'GENERAL'::varchar AS parameter_style,
        CASE WHEN p.provolatile = 'i'::"char" THEN 'YES'::varchar(3) ELSE 'NO'::varchar(3) END AS is_deterministic,
        'MODIFIES'::varchar AS sql_data_access,
        CASE WHEN p.prokind <> 'p'::"char" THEN CASE WHEN p.proisstrict THEN 'YES'::varchar(3) ELSE 'NO'::varchar(3) END END AS is_null_call,
        NULL::varchar AS sql_path, 'YES'::varchar(3) AS schema_level_routine, 0 AS max_dynamic_result_sets,
        NULL::varchar(3) AS is_user_defined_cast, NULL::varchar(3) AS is_implicitly_invocable,
        CASE WHEN p.prosecdef THEN 'DEFINER'::varchar ELSE 'INVOKER'::varchar END AS security_type,
        NULL::name AS to_sql_specific_catalog, NULL::name AS to_sql_specific_schema,
        NULL::name AS to_sql_specific_name, 'NO'::varchar(3) AS as_locator,
        NULL::timestamp(2) with time zone AS created, NULL::timestamp(2) with time zone AS last_altered,
        NULL::varchar(3) AS new_savepoint_level, 'NO'::varchar(3) AS is_udt_dependent,
        NULL::varchar AS result_cast_from_data_type, NULL::varchar(3) AS result_cast_as_locator,
        NULL::integer AS result_cast_char_max_length, NULL::integer AS result_cast_char_octet_length,
        NULL::name AS result_cast_char_set_catalog, NULL::name AS result_cast_char_set_schema,
        NULL::name AS result_cast_char_set_name, NULL::name AS result_cast_collation_catalog,
        NULL::name AS result_cast_collation_schema, NULL::name AS result_cast_collation_name,
        NULL::integer AS result_cast_numeric_precision, NULL::integer AS result_cast_numeric_precision_radix,
        NULL::integer AS result_cast_numeric_scale, NULL::integer AS result_cast_datetime_precision,
        NULL::varchar AS result_cast_interval_type, NULL::integer AS result_cast_interval_precision,
        NULL::name AS result_cast_type_udt_catalog, NULL::name AS result_cast_type_udt_schema,
        NULL::name AS result_cast_type_udt_name, NULL::name AS result_cast_scope_catalog,
        NULL::name AS result_cast_scope_schema, NULL::name AS result_cast_scope_name,
        NULL::integer AS result_cast_maximum_cardinality, NULL::name AS result_cast_dtd_identifier
    FROM pg_namespace n JOIN pg_proc p ON p.pronamespace = n.oid JOIN pg_language l ON l.oid = p.prolang
        LEFT JOIN pg_type t ON t.oid = p.prorettype AND p.prokind <> 'p'::"char" LEFT JOIN pg_namespace nt ON nt.oid = t.typnamespace
    WHERE pg_has_role(p.proowner, 'USAGE'::text) OR has_function_privilege(p.oid, 'EXECUTE'::text);

CREATE VIEW information_schema.parameters AS
    SELECT current_database() AS specific_catalog, s.nspname AS specific_schema,
        (s.proname::text || '_'::text || s.oid::text)::name AS specific_name, s.n AS ordinal_position,
        CASE WHEN s.mode IS NULL OR s.mode = 'i'::"char" OR s.mode = 'v'::"char" THEN 'IN'::varchar WHEN s.mode = 'o'::"char" OR s.mode = 't'::"char" THEN 'OUT'::varchar WHEN s.mode = 'b'::"char" THEN 'INOUT'::varchar END AS parameter_mode,
        'NO'::varchar(3) AS is_result, 'NO'::varchar(3) AS as_locator,
        NULLIF(s.argname, ''::text)::name AS parameter_name,
        CASE WHEN t.typelem <> 0::oid AND t.typlen = -1 THEN 'ARRAY'::varchar WHEN nt.nspname = 'pg_catalog'::name THEN format_type(t.oid, NULL::integer)::varchar ELSE 'USER-DEFINED'::varchar END AS data_type,
        NULL::integer AS character_maximum_length, NULL::integer AS character_octet_length,
        NULL::name AS character_set_catalog, NULL::name AS character_set_schema, NULL::name AS character_set_name,
        NULL::name AS collation_catalog, NULL::name AS collation_schema, NULL::name AS collation_name,
        NULL::integer AS numeric_precision, NULL::integer AS numeric_precision_radix, NULL::integer AS numeric_scale,
        NULL::integer AS datetime_precision, NULL::varchar AS interval_type, NULL::integer AS interval_precision,
        current_database() AS udt_catalog, nt.nspname AS udt_schema, t.typname AS udt_name,
        NULL::name AS scope_catalog, NULL::name AS scope_schema, NULL::name AS scope_name,
        NULL::integer AS maximum_cardinality, s.n::text::name AS dtd_identifier,
        CASE WHEN pg_has_role(s.proowner, 'USAGE'::text) THEN pg_get_function_arg_default(s.oid, s.n)::varchar END AS parameter_default
    FROM (SELECT n.nspname, p.proname, p.oid, p.proowner, x.n, x.x AS type, p.proargmodes[x.n] AS mode, p.proargnames[x.n] AS argname
            FROM pg_namespace n JOIN pg_proc p ON p.pronamespace = n.oid,
                information_schema._pg_expandarray(COALESCE(p.proallargtypes, p.proargtypes::oid[])) x
            WHERE pg_has_role(p.proowner, 'USAGE'::text) OR has_function_privilege(p.oid, 'EXECUTE'::text)) s
        JOIN pg_type t ON t.oid = s.type JOIN pg_namespace nt ON nt.oid = t.typnamespace;

CREATE VIEW information_schema.element_types AS
    SELECT current_database() AS object_catalog, n.nspname AS object_schema, c.relname AS object_name,
        'TABLE'::varchar AS object_type, a.attnum::text::name AS collection_type_identifier,
        CASE WHEN ne.nspname = 'pg_catalog'::name THEN format_type(e.oid, NULL::integer)::varchar ELSE 'USER-DEFINED'::varchar END AS data_type,
        NULL::integer AS character_maximum_length, NULL::integer AS character_octet_length,
        NULL::name AS character_set_catalog, NULL::name AS character_set_schema, NULL::name AS character_set_name,
        CASE WHEN co.oid IS NOT NULL THEN current_database() END AS collation_catalog, nc.nspname AS collation_schema,
        co.collname AS collation_name, NULL::integer AS numeric_precision, NULL::integer AS numeric_precision_radix,
        NULL::integer AS numeric_scale, NULL::integer AS datetime_precision, NULL::varchar AS interval_type,
        NULL::integer AS interval_precision, NULL::varchar AS domain_default, current_database() AS udt_catalog,
        ne.nspname AS udt_schema, e.typname AS udt_name, NULL::name AS scope_catalog, NULL::name AS scope_schema,
        NULL::name AS scope_name, NULL::integer AS maximum_cardinality,
        ('a'::text || a.attnum::text)::name AS dtd_identifier
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        JOIN pg_type t ON t.oid = a.atttypid AND t.typlen = -1 AND t.typelem <> 0::oid JOIN pg_type e ON e.oid = t.typelem
        JOIN pg_namespace ne ON ne.oid = e.typnamespace
        LEFT JOIN pg_collation co ON co.oid = a.attcollation AND co.collname <> 'default'::name
        LEFT JOIN pg_namespace nc ON nc.oid = co.collnamespace
    WHERE a.attnum > 0 AND NOT a.attisdropped AND t.typsubscript::oid = 6179::oid
        AND (c.relkind = 'r'::"char" OR c.relkind = 'v'::"char" OR c.relkind = 'f'::"char" OR c.relkind = 'p'::"char")
        AND (pg_has_role(c.relowner, 'USAGE'::text) OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'::text));

-- Of what does not exist here: triggers, domains and other types of users', foreign data, transforms.

CREATE VIEW information_schema._pg_foreign_data_wrappers AS
    SELECT NULL::oid AS oid, NULL::oid AS fdwowner, NULL::text[] AS fdwoptions,
        NULL::name AS foreign_data_wrapper_catalog, NULL::name AS foreign_data_wrapper_name,
        NULL::name AS authorization_identifier, NULL::varchar AS foreign_data_wrapper_language
    WHERE false;

CREATE VIEW information_schema._pg_foreign_servers AS
    SELECT NULL::oid AS oid, NULL::text[] AS srvoptions, NULL::name AS foreign_server_catalog,
        NULL::name AS foreign_server_name, NULL::name AS foreign_data_wrapper_catalog,
        NULL::name AS foreign_data_wrapper_name, NULL::varchar AS foreign_server_type,
        NULL::varchar AS foreign_server_version, NULL::name AS authorization_identifier
    WHERE false;

CREATE VIEW information_schema._pg_foreign_table_columns AS
    SELECT NULL::name AS nspname, NULL::name AS relname, NULL::name AS attname, NULL::text[] AS attfdwoptions
    WHERE false;

CREATE VIEW information_schema._pg_foreign_tables AS
    SELECT NULL::name AS foreign_table_catalog, NULL::name AS foreign_table_schema, NULL::name AS foreign_table_name,
        NULL::text[] AS ftoptions, NULL::name AS foreign_server_catalog, NULL::name AS foreign_server_name,
        NULL::name AS authorization_identifier
    WHERE false;

CREATE VIEW information_schema._pg_user_mappings AS
    SELECT NULL::oid AS oid, NULL::text[] AS umoptions, NULL::oid AS umuser, NULL::name AS authorization_identifier,
        NULL::name AS foreign_server_catalog, NULL::name AS foreign_server_name, NULL::name AS srvowner
    WHERE false;

CREATE VIEW information_schema.attributes AS
    SELECT NULL::name AS udt_catalog, NULL::name AS udt_schema, NULL::name AS udt_name, NULL::name AS attribute_name,
        NULL::integer AS ordinal_position, NULL::varchar AS attribute_default, NULL::varchar(3) AS is_nullable,
        NULL::varchar AS data_type, NULL::integer AS character_maximum_length,
        NULL::integer AS character_octet_length, NULL::name AS character_set_catalog,
        NULL::name AS character_set_schema, NULL::name AS character_set_name, NULL::name AS collation_catalog,
        NULL::name AS collation_schema, NULL::name AS collation_name, NULL::integer AS numeric_precision,
        NULL::integer AS numeric_precision_radix, NULL::integer AS numeric_scale, NULL::integer AS datetime_precision,
        NULL::varchar AS interval_type, NULL::integer AS interval_precision, NULL::name AS attribute_udt_catalog,
        NULL::name AS attribute_udt_schema, NULL::name AS attribute_udt_name, NULL::name AS scope_catalog,
        NULL::name AS scope_schema, NULL::name AS scope_name, NULL::integer AS maximum_cardinality,
        NULL::name AS dtd_identifier, NULL::varchar(3) AS is_derived_reference_attribute
    WHERE false;

CREATE VIEW information_schema.check_constraint_routine_usage AS
    SELECT NULL::name AS constraint_catalog, NULL::name AS constraint_schema, NULL::name AS constraint_name,
        NULL::name AS specific_catalog, NULL::name AS specific_schema, NULL::name AS specific_name
    WHERE false;

CREATE VIEW information_schema.column_domain_usage AS
    SELECT NULL::name AS domain_catalog, NULL::name AS domain_schema, NULL::name AS domain_name,
        NULL::name AS table_catalog, NULL::name AS table_schema, NULL::name AS table_name, NULL::name AS column_name
    WHERE false;

CREATE VIEW information_schema.column_options AS
    SELECT NULL::name AS table_catalog, NULL::name AS table_schema, NULL::name AS table_name,
        NULL::name AS column_name, NULL::name AS option_name, NULL::varchar AS option_value
    WHERE false;

CREATE VIEW information_schema.column_udt_usage AS
    SELECT NULL::name AS udt_catalog, NULL::name AS udt_schema, NULL::name AS udt_name, NULL::name AS table_catalog,
        NULL::name AS table_schema, NULL::name AS table_name, NULL::name AS column_name
    WHERE false;

CREATE VIEW information_schema.data_type_privileges AS
    SELECT NULL::name AS object_catalog, NULL::name AS object_schema, NULL::name AS object_name,
        NULL::varchar AS object_type, NULL::name AS dtd_identifier
    WHERE false;

CREATE VIEW information_schema.domain_constraints AS
    SELECT NULL::name AS constraint_catalog, NULL::name AS constraint_schema, NULL::name AS constraint_name,
        NULL::name AS domain_catalog, NULL::name AS domain_schema, NULL::name AS domain_name,
        NULL::varchar(3) AS is_deferrable, NULL::varchar(3) AS initially_deferred
    WHERE false;

CREATE VIEW information_schema.domain_udt_usage AS
    SELECT NULL::name AS udt_catalog, NULL::name AS udt_schema, NULL::name AS udt_name, NULL::name AS domain_catalog,
        NULL::name AS domain_schema, NULL::name AS domain_name
    WHERE false;

CREATE VIEW information_schema.domains AS
    SELECT NULL::name AS domain_catalog, NULL::name AS domain_schema, NULL::name AS domain_name,
        NULL::varchar AS data_type, NULL::integer AS character_maximum_length,
        NULL::integer AS character_octet_length, NULL::name AS character_set_catalog,
        NULL::name AS character_set_schema, NULL::name AS character_set_name, NULL::name AS collation_catalog,
        NULL::name AS collation_schema, NULL::name AS collation_name, NULL::integer AS numeric_precision,
        NULL::integer AS numeric_precision_radix, NULL::integer AS numeric_scale, NULL::integer AS datetime_precision,
        NULL::varchar AS interval_type, NULL::integer AS interval_precision, NULL::varchar AS domain_default,
        NULL::name AS udt_catalog, NULL::name AS udt_schema, NULL::name AS udt_name, NULL::name AS scope_catalog,
        NULL::name AS scope_schema, NULL::name AS scope_name, NULL::integer AS maximum_cardinality,
        NULL::name AS dtd_identifier
    WHERE false;

CREATE VIEW information_schema.foreign_data_wrapper_options AS
    SELECT NULL::name AS foreign_data_wrapper_catalog, NULL::name AS foreign_data_wrapper_name,
        NULL::name AS option_name, NULL::varchar AS option_value
    WHERE false;

CREATE VIEW information_schema.foreign_data_wrappers AS
    SELECT NULL::name AS foreign_data_wrapper_catalog, NULL::name AS foreign_data_wrapper_name,
        NULL::name AS authorization_identifier, NULL::varchar AS library_name,
        NULL::varchar AS foreign_data_wrapper_language
    WHERE false;

CREATE VIEW information_schema.foreign_server_options AS
    SELECT NULL::name AS foreign_server_catalog, NULL::name AS foreign_server_name, NULL::name AS option_name,
        NULL::varchar AS option_value
    WHERE false;

CREATE VIEW information_schema.foreign_servers AS
    SELECT NULL::name AS foreign_server_catalog, NULL::name AS foreign_server_name,
        NULL::name AS foreign_data_wrapper_catalog, NULL::name AS foreign_data_wrapper_name,
        NULL::varchar AS foreign_server_type, NULL::varchar AS foreign_server_version,
        NULL::name AS authorization_identifier
    WHERE false;

CREATE VIEW information_schema.foreign_table_options AS
    SELECT NULL::name AS foreign_table_catalog, NULL::name AS foreign_table_schema, NULL::name AS foreign_table_name,
        NULL::name AS option_name, NULL::varchar AS option_value
    WHERE false;

CREATE VIEW information_schema.foreign_tables AS
    SELECT NULL::name AS foreign_table_catalog, NULL::name AS foreign_table_schema, NULL::name AS foreign_table_name,
        NULL::name AS foreign_server_catalog, NULL::name AS foreign_server_name
    WHERE false;

CREATE VIEW information_schema.role_udt_grants AS
    SELECT NULL::name AS grantor, NULL::name AS grantee, NULL::name AS udt_catalog, NULL::name AS udt_schema,
        NULL::name AS udt_name, NULL::varchar AS privilege_type, NULL::varchar(3) AS is_grantable
    WHERE false;

CREATE VIEW information_schema.routine_column_usage AS
    SELECT NULL::name AS specific_catalog, NULL::name AS specific_schema, NULL::name AS specific_name,
        NULL::name AS routine_catalog, NULL::name AS routine_schema, NULL::name AS routine_name,
        NULL::name AS table_catalog, NULL::name AS table_schema, NULL::name AS table_name, NULL::name AS column_name
    WHERE false;

CREATE VIEW information_schema.routine_routine_usage AS
    SELECT NULL::name AS specific_catalog, NULL::name AS specific_schema, NULL::name AS specific_name,
        NULL::name AS routine_catalog, NULL::name AS routine_schema, NULL::name AS routine_name
    WHERE false;

CREATE VIEW information_schema.routine_sequence_usage AS
    SELECT NULL::name AS specific_catalog, NULL::name AS specific_schema, NULL::name AS specific_name,
        NULL::name AS routine_catalog, NULL::name AS routine_schema, NULL::name AS routine_name,
        NULL::name AS sequence_catalog, NULL::name AS sequence_schema, NULL::name AS sequence_name
    WHERE false;

CREATE VIEW information_schema.routine_table_usage AS
    SELECT NULL::name AS specific_catalog, NULL::name AS specific_schema, NULL::name AS specific_name,
        NULL::name AS routine_catalog, NULL::name AS routine_schema, NULL::name AS routine_name,
        NULL::name AS table_catalog, NULL::name AS table_schema, NULL::name AS table_name
    WHERE false;

CREATE VIEW information_schema.transforms AS
    SELECT NULL::name AS udt_catalog, NULL::name AS udt_schema, NULL::name AS udt_name,
        NULL::name AS specific_catalog, NULL::name AS specific_schema, NULL::name AS specific_name,
        NULL::name AS group_name, NULL::varchar AS transform_type
    WHERE false;

CREATE VIEW information_schema.triggered_update_columns AS
    SELECT NULL::name AS trigger_catalog, NULL::name AS trigger_schema, NULL::name AS trigger_name,
        NULL::name AS event_object_catalog, NULL::name AS event_object_schema, NULL::name AS event_object_table,
        NULL::name AS event_object_column
    WHERE false;

CREATE VIEW information_schema.triggers AS
    SELECT NULL::name AS trigger_catalog, NULL::name AS trigger_schema, NULL::name AS trigger_name,
        NULL::varchar AS event_manipulation, NULL::name AS event_object_catalog, NULL::name AS event_object_schema,
        NULL::name AS event_object_table, NULL::integer AS action_order, NULL::varchar AS action_condition,
        NULL::varchar AS action_statement, NULL::varchar AS action_orientation, NULL::varchar AS action_timing,
        NULL::name AS action_reference_old_table, NULL::name AS action_reference_new_table,
        NULL::name AS action_reference_old_row, NULL::name AS action_reference_new_row,
        NULL::timestamp(2) with time zone AS created
    WHERE false;

CREATE VIEW information_schema.udt_privileges AS
    SELECT NULL::name AS grantor, NULL::name AS grantee, NULL::name AS udt_catalog, NULL::name AS udt_schema,
        NULL::name AS udt_name, NULL::varchar AS privilege_type, NULL::varchar(3) AS is_grantable
    WHERE false;

CREATE VIEW information_schema.user_defined_types AS
    SELECT NULL::name AS user_defined_type_catalog, NULL::name AS user_defined_type_schema,
        NULL::name AS user_defined_type_name, NULL::varchar AS user_defined_type_category,
        NULL::varchar(3) AS is_instantiable, NULL::varchar(3) AS is_final, NULL::varchar AS ordering_form,
        NULL::varchar AS ordering_category, NULL::name AS ordering_routine_catalog,
        NULL::name AS ordering_routine_schema, NULL::name AS ordering_routine_name, NULL::varchar AS reference_type,
        NULL::varchar AS data_type, NULL::integer AS character_maximum_length,
        NULL::integer AS character_octet_length, NULL::name AS character_set_catalog,
        NULL::name AS character_set_schema, NULL::name AS character_set_name, NULL::name AS collation_catalog,
        NULL::name AS collation_schema, NULL::name AS collation_name, NULL::integer AS numeric_precision,
        NULL::integer AS numeric_precision_radix, NULL::integer AS numeric_scale, NULL::integer AS datetime_precision,
        NULL::varchar AS interval_type, NULL::integer AS interval_precision, NULL::name AS source_dtd_identifier,
        NULL::name AS ref_dtd_identifier
    WHERE false;

CREATE VIEW information_schema.user_mapping_options AS
    SELECT NULL::name AS authorization_identifier, NULL::name AS foreign_server_catalog,
        NULL::name AS foreign_server_name, NULL::name AS option_name, NULL::varchar AS option_value
    WHERE false;

CREATE VIEW information_schema.user_mappings AS
    SELECT NULL::name AS authorization_identifier, NULL::name AS foreign_server_catalog,
        NULL::name AS foreign_server_name
    WHERE false;

CREATE VIEW information_schema.view_routine_usage AS
    SELECT NULL::name AS table_catalog, NULL::name AS table_schema, NULL::name AS table_name,
        NULL::name AS specific_catalog, NULL::name AS specific_schema, NULL::name AS specific_name
    WHERE false;

-- What everybody may read; the views that begin with _pg are for the others.

GRANT SELECT ON information_schema.administrable_role_authorizations, information_schema.applicable_roles, information_schema.attributes,
    information_schema.character_sets, information_schema.check_constraint_routine_usage,
    information_schema.collation_character_set_applicability, information_schema.collations, information_schema.column_column_usage,
    information_schema.column_domain_usage, information_schema.column_options, information_schema.column_privileges,
    information_schema.column_udt_usage, information_schema.constraint_column_usage, information_schema.constraint_table_usage,
    information_schema.data_type_privileges, information_schema.domain_constraints, information_schema.domain_udt_usage,
    information_schema.domains, information_schema.element_types, information_schema.enabled_roles,
    information_schema.foreign_data_wrapper_options, information_schema.foreign_data_wrappers, information_schema.foreign_server_options,
    information_schema.foreign_servers, information_schema.foreign_table_options, information_schema.foreign_tables,
    information_schema.parameters, information_schema.role_column_grants, information_schema.role_routine_grants,
    information_schema.role_table_grants, information_schema.role_udt_grants, information_schema.role_usage_grants,
    information_schema.routine_column_usage, information_schema.routine_privileges, information_schema.routine_routine_usage,
    information_schema.routine_sequence_usage, information_schema.routine_table_usage, information_schema.routines,
    information_schema.table_privileges, information_schema.triggered_update_columns, information_schema.triggers,
    information_schema.udt_privileges, information_schema.usage_privileges, information_schema.user_defined_types,
    information_schema.user_mapping_options, information_schema.user_mappings, information_schema.view_column_usage,
    information_schema.view_routine_usage, information_schema.view_table_usage TO PUBLIC;
