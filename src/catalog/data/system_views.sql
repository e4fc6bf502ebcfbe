-- System views over system tables, made in template1 when a cluster is born.

CREATE VIEW pg_catalog.pg_roles AS
    SELECT r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication,
        r.rolconnlimit, '********'::text AS rolpassword, r.rolvaliduntil, r.rolbypassrls, s.setconfig AS rolconfig, r.oid
    FROM pg_authid r LEFT JOIN pg_db_role_setting s ON s.setrole = r.oid AND s.setdatabase = 0::oid;

CREATE VIEW pg_catalog.pg_shadow AS
    SELECT r.rolname AS usename, r.oid AS usesysid, r.rolcreatedb AS usecreatedb, r.rolsuper AS usesuper,
        r.rolreplication AS userepl, r.rolbypassrls AS usebypassrls, r.rolpassword AS passwd,
        r.rolvaliduntil AS valuntil, s.setconfig AS useconfig
    FROM pg_authid r LEFT JOIN pg_db_role_setting s ON s.setrole = r.oid AND s.setdatabase = 0::oid
    WHERE r.rolcanlogin;
REVOKE ALL ON pg_catalog.pg_shadow FROM PUBLIC;

CREATE VIEW pg_catalog.pg_user AS
    SELECT usename, usesysid, usecreatedb, usesuper, userepl, usebypassrls, '********'::text AS passwd, valuntil, useconfig
    FROM pg_shadow;

CREATE VIEW pg_catalog.pg_tables AS
    SELECT n.nspname AS schemaname, c.relname AS tablename, pg_get_userbyid(c.relowner) AS tableowner,
        t.spcname AS tablespace, c.relhasindex AS hasindexes, c.relhasrules AS hasrules, c.relhastriggers AS hastriggers,
        c.relrowsecurity AS rowsecurity
    FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
    WHERE c.relkind = 'r'::"char" OR c.relkind = 'p'::"char";

CREATE VIEW pg_catalog.pg_views AS
    SELECT n.nspname AS schemaname, c.relname AS viewname, pg_get_userbyid(c.relowner) AS viewowner,
        pg_get_viewdef(c.oid) AS definition
    FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'v'::"char";

CREATE VIEW pg_catalog.pg_matviews AS
    SELECT n.nspname AS schemaname, c.relname AS matviewname, pg_get_userbyid(c.relowner) AS matviewowner,
        t.spcname AS tablespace, c.relhasindex AS hasindexes, c.relispopulated AS ispopulated,
        pg_get_viewdef(c.oid) AS definition
    FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
    WHERE c.relkind = 'm'::"char";

CREATE VIEW pg_catalog.pg_indexes AS
    SELECT n.nspname AS schemaname, c.relname AS tablename, i.relname AS indexname, t.spcname AS tablespace,
        pg_get_indexdef(i.oid) AS indexdef
    FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
        LEFT JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace t ON t.oid = i.reltablespace
    WHERE (c.relkind = 'r'::"char" OR c.relkind = 'm'::"char" OR c.relkind = 'p'::"char")
        AND (i.relkind = 'i'::"char" OR i.relkind = 'I'::"char");

CREATE VIEW pg_catalog.pg_rules AS
    SELECT n.nspname AS schemaname, c.relname AS tablename, r.rulename, pg_get_ruledef(r.oid) AS definition
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE r.rulename <> '_RETURN'::name;

CREATE VIEW pg_catalog.pg_sequences AS
    SELECT n.nspname AS schemaname, c.relname AS sequencename, pg_get_userbyid(c.relowner) AS sequenceowner,
        s.seqtypid::regtype AS data_type, s.seqstart AS start_value, s.seqmin AS min_value, s.seqmax AS max_value,
        s.seqincrement AS increment_by, s.seqcycle AS cycle, s.seqcache AS cache_size,
        CASE WHEN has_sequence_privilege(c.oid, 'SELECT,USAGE'::text) THEN pg_sequence_last_value(c.oid::regclass)
            ELSE NULL::bigint END AS last_value
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'S'::"char";
