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

CREATE VIEW pg_catalog.pg_group AS
    SELECT a.rolname AS groname, a.oid AS grosysid, ARRAY(SELECT m.member FROM pg_auth_members m WHERE m.roleid = a.oid) AS grolist
    FROM pg_authid a WHERE NOT a.rolcanlogin;

-- Settings and access rules.

CREATE VIEW pg_catalog.pg_settings AS
    SELECT s.name, s.setting, s.unit, s.category, s.short_desc, s.extra_desc, s.context, s.vartype, s.source, s.min_val,
        s.max_val, s.enumvals, s.boot_val, s.reset_val, s.sourcefile, s.sourceline, s.pending_restart
    FROM pg_show_all_settings() s;
GRANT SELECT, UPDATE ON pg_catalog.pg_settings TO PUBLIC;

CREATE VIEW pg_catalog.pg_file_settings AS
    SELECT f.sourcefile, f.sourceline, f.seqno, f.name, f.setting, f.applied, f.error FROM pg_show_all_file_settings() f;
REVOKE ALL ON pg_catalog.pg_file_settings FROM PUBLIC;

CREATE VIEW pg_catalog.pg_hba_file_rules AS
    SELECT h.line_number, h.type, h.database, h.user_name, h.address, h.netmask, h.auth_method, h.options, h.error
    FROM pg_hba_file_rules() h;
REVOKE ALL ON pg_catalog.pg_hba_file_rules FROM PUBLIC;

CREATE VIEW pg_catalog.pg_ident_file_mappings AS
    SELECT i.line_number, i.map_name, i.sys_name, i.pg_username, i.error FROM pg_ident_file_mappings() i;
REVOKE ALL ON pg_catalog.pg_ident_file_mappings FROM PUBLIC;

CREATE VIEW pg_catalog.pg_timezone_abbrevs AS
    SELECT z.abbrev, z.utc_offset, z.is_dst FROM pg_timezone_abbrevs() z;

CREATE VIEW pg_catalog.pg_timezone_names AS
    SELECT z.name, z.abbrev, z.utc_offset, z.is_dst FROM pg_timezone_names() z;

CREATE VIEW pg_catalog.pg_config AS
    SELECT c.name, c.setting FROM pg_config() c;
REVOKE ALL ON pg_catalog.pg_config FROM PUBLIC;

CREATE VIEW pg_catalog.pg_available_extensions AS
    SELECT e.name, e.default_version, x.extversion AS installed_version, e.comment
    FROM pg_available_extensions() e LEFT JOIN pg_extension x ON x.extname = e.name;

CREATE VIEW pg_catalog.pg_available_extension_versions AS
    SELECT e.name, e.version, x.extname IS NOT NULL AS installed, e.superuser, e.trusted, e.relocatable, e.schema, e.requires,
        e.comment
    FROM pg_available_extension_versions() e LEFT JOIN pg_extension x ON x.extname = e.name AND x.extversion = e.version;

-- Sessions, locks, statements.

CREATE VIEW pg_catalog.pg_locks AS
    SELECT l.locktype, l.database, l.relation, l.page, l.tuple, l.virtualxid, l.transactionid, l.classid, l.objid, l.objsubid,
        l.virtualtransaction, l.pid, l.mode, l.granted, l.fastpath, l.waitstart
    FROM pg_lock_status() l;

CREATE VIEW pg_catalog.pg_cursors AS
    SELECT c.name, c.statement, c.is_holdable, c.is_binary, c.is_scrollable, c.creation_time FROM pg_cursor() c;

CREATE VIEW pg_catalog.pg_prepared_statements AS
    SELECT p.name, p.statement, p.prepare_time, p.parameter_types, p.from_sql, p.generic_plans, p.custom_plans
    FROM pg_prepared_statement() p;

CREATE VIEW pg_catalog.pg_prepared_xacts AS
    SELECT p.transaction, p.gid, p.prepared, u.rolname AS owner, d.datname AS database
    FROM pg_prepared_xact() p LEFT JOIN pg_authid u ON u.oid = p.ownerid LEFT JOIN pg_database d ON d.oid = p.dbid;

CREATE VIEW pg_catalog.pg_stat_activity AS
    SELECT s.datid, d.datname, s.pid, s.leader_pid, s.usesysid, u.rolname AS usename, s.application_name, s.client_addr,
        s.client_hostname, s.client_port, s.backend_start, s.xact_start, s.query_start, s.state_change, s.wait_event_type,
        s.wait_event, s.state, s.backend_xid, s.backend_xmin, s.query_id, s.query, s.backend_type
    FROM pg_stat_get_activity(NULL::integer) s LEFT JOIN pg_database d ON d.oid = s.datid
        LEFT JOIN pg_authid u ON u.oid = s.usesysid;

CREATE VIEW pg_catalog.pg_stat_ssl AS
    SELECT s.pid, s.ssl, s.sslversion AS version, s.sslcipher AS cipher, s.sslbits AS bits, s.ssl_client_dn AS client_dn,
        s.ssl_client_serial AS client_serial, s.ssl_issuer_dn AS issuer_dn
    FROM pg_stat_get_activity(NULL::integer) s WHERE s.client_port IS NOT NULL;

CREATE VIEW pg_catalog.pg_stat_gssapi AS
    SELECT s.pid, s.gss_auth AS gss_authenticated, s.gss_princ AS principal, s.gss_enc AS encrypted
    FROM pg_stat_get_activity(NULL::integer) s WHERE s.client_port IS NOT NULL;

-- Replication: there is none.

CREATE VIEW pg_catalog.pg_stat_replication AS
    SELECT s.pid, s.usesysid, u.rolname AS usename, s.application_name, s.client_addr, s.client_hostname, s.client_port,
        s.backend_start, s.backend_xmin, w.state, w.sent_lsn, w.write_lsn, w.flush_lsn, w.replay_lsn, w.write_lag, w.flush_lag,
        w.replay_lag, w.sync_priority, w.sync_state, w.reply_time
    FROM pg_stat_get_activity(NULL::integer) s JOIN pg_stat_get_wal_senders() w ON w.pid = s.pid
        LEFT JOIN pg_authid u ON u.oid = s.usesysid;

CREATE VIEW pg_catalog.pg_stat_wal_receiver AS
    SELECT r.pid, r.status, r.receive_start_lsn, r.receive_start_tli, r.written_lsn, r.flushed_lsn, r.received_tli,
        r.last_msg_send_time, r.last_msg_receipt_time, r.latest_end_lsn, r.latest_end_time, r.slot_name, r.sender_host,
        r.sender_port, r.conninfo
    FROM pg_stat_get_wal_receiver() r WHERE r.pid IS NOT NULL;

CREATE VIEW pg_catalog.pg_replication_slots AS
    SELECT l.slot_name, l.plugin, l.slot_type, l.datoid, d.datname AS database, l.temporary, l.active, l.active_pid, l.xmin,
        l.catalog_xmin, l.restart_lsn, l.confirmed_flush_lsn, l.wal_status, l.safe_wal_size, l.two_phase
    FROM pg_get_replication_slots() l LEFT JOIN pg_database d ON d.oid = l.datoid;

CREATE VIEW pg_catalog.pg_stat_replication_slots AS
    SELECT (r.slot_name::text COLLATE "default") AS slot_name, NULL::bigint AS spill_txns, NULL::bigint AS spill_count, NULL::bigint AS spill_bytes,
        NULL::bigint AS stream_txns, NULL::bigint AS stream_count, NULL::bigint AS stream_bytes, NULL::bigint AS total_txns,
        NULL::bigint AS total_bytes, NULL::timestamptz AS stats_reset
    FROM pg_replication_slots r;

CREATE VIEW pg_catalog.pg_replication_origin_status AS
    SELECT o.local_id, o.external_id, o.remote_lsn, o.local_lsn FROM pg_show_replication_origin_status() o;
REVOKE ALL ON pg_catalog.pg_replication_origin_status FROM PUBLIC;

CREATE VIEW pg_catalog.pg_publication_tables AS
    SELECT p.pubname, n.nspname AS schemaname, c.relname AS tablename,
        ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = g.relid AND a.attnum > 0 ORDER BY a.attnum) AS attnames,
        pg_get_expr(g.qual, g.relid) AS rowfilter
    FROM pg_publication p, pg_get_publication_tables(p.pubname::text) g
        JOIN pg_class c ON c.oid = g.relid JOIN pg_namespace n ON n.oid = c.relnamespace;

CREATE VIEW pg_catalog.pg_stat_subscription AS
    SELECT s.oid AS subid, s.subname, t.pid, t.relid, t.received_lsn, t.last_msg_send_time, t.last_msg_receipt_time,
        t.latest_end_lsn, t.latest_end_time
    FROM pg_subscription s LEFT JOIN pg_stat_get_subscription(NULL::oid) t ON t.subid = s.oid;

CREATE VIEW pg_catalog.pg_stat_subscription_stats AS
    SELECT s.oid AS subid, s.subname, NULL::bigint AS apply_error_count, NULL::bigint AS sync_error_count,
        NULL::timestamptz AS stats_reset
    FROM pg_subscription s;

CREATE VIEW pg_catalog.pg_stat_recovery_prefetch AS
    SELECT p.stats_reset, p.prefetch, p.hit, p.skip_init, p.skip_new, p.skip_fpw, p.skip_rep, p.wal_distance, p.block_distance,
        p.io_depth
    FROM pg_stat_get_recovery_prefetch() p;

-- What has been counted.

CREATE VIEW pg_catalog.pg_stat_all_tables AS
    SELECT c.oid AS relid, n.nspname AS schemaname, c.relname,
        pg_stat_get_numscans(c.oid) AS seq_scan, pg_stat_get_tuples_returned(c.oid) AS seq_tup_read,
        (SELECT sum(pg_stat_get_numscans(i.indexrelid))::bigint FROM pg_index i WHERE i.indrelid = c.oid) AS idx_scan,
        (SELECT sum(pg_stat_get_tuples_fetched(i.indexrelid))::bigint FROM pg_index i WHERE i.indrelid = c.oid)
            + pg_stat_get_tuples_fetched(c.oid) AS idx_tup_fetch,
        pg_stat_get_tuples_inserted(c.oid) AS n_tup_ins, pg_stat_get_tuples_updated(c.oid) AS n_tup_upd,
        pg_stat_get_tuples_deleted(c.oid) AS n_tup_del, pg_stat_get_tuples_hot_updated(c.oid) AS n_tup_hot_upd,
        pg_stat_get_live_tuples(c.oid) AS n_live_tup, pg_stat_get_dead_tuples(c.oid) AS n_dead_tup,
        pg_stat_get_mod_since_analyze(c.oid) AS n_mod_since_analyze, pg_stat_get_ins_since_vacuum(c.oid) AS n_ins_since_vacuum,
        pg_stat_get_last_vacuum_time(c.oid) AS last_vacuum, pg_stat_get_last_autovacuum_time(c.oid) AS last_autovacuum,
        pg_stat_get_last_analyze_time(c.oid) AS last_analyze, pg_stat_get_last_autoanalyze_time(c.oid) AS last_autoanalyze,
        pg_stat_get_vacuum_count(c.oid) AS vacuum_count, pg_stat_get_autovacuum_count(c.oid) AS autovacuum_count,
        pg_stat_get_analyze_count(c.oid) AS analyze_count, pg_stat_get_autoanalyze_count(c.oid) AS autoanalyze_count
    FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r'::"char" OR c.relkind = 't'::"char" OR c.relkind = 'm'::"char" OR c.relkind = 'p'::"char";

CREATE VIEW pg_catalog.pg_stat_sys_tables AS
    SELECT * FROM pg_stat_all_tables
    WHERE schemaname = 'pg_catalog'::name OR schemaname = 'information_schema'::name OR schemaname ~ '^pg_toast'::text;

CREATE VIEW pg_catalog.pg_stat_user_tables AS
    SELECT * FROM pg_stat_all_tables
    WHERE schemaname <> 'pg_catalog'::name AND schemaname <> 'information_schema'::name AND schemaname !~ '^pg_toast'::text;

CREATE VIEW pg_catalog.pg_stat_xact_all_tables AS
    SELECT c.oid AS relid, n.nspname AS schemaname, c.relname,
        pg_stat_get_xact_numscans(c.oid) AS seq_scan, pg_stat_get_xact_tuples_returned(c.oid) AS seq_tup_read,
        (SELECT sum(pg_stat_get_xact_numscans(i.indexrelid))::bigint FROM pg_index i WHERE i.indrelid = c.oid) AS idx_scan,
        (SELECT sum(pg_stat_get_xact_tuples_fetched(i.indexrelid))::bigint FROM pg_index i WHERE i.indrelid = c.oid)
            + pg_stat_get_xact_tuples_fetched(c.oid) AS idx_tup_fetch,
        pg_stat_get_xact_tuples_inserted(c.oid) AS n_tup_ins, pg_stat_get_xact_tuples_updated(c.oid) AS n_tup_upd,
        pg_stat_get_xact_tuples_deleted(c.oid) AS n_tup_del, pg_stat_get_xact_tuples_hot_updated(c.oid) AS n_tup_hot_upd
    FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r'::"char" OR c.relkind = 't'::"char" OR c.relkind = 'm'::"char" OR c.relkind = 'p'::"char";

CREATE VIEW pg_catalog.pg_stat_xact_sys_tables AS
    SELECT * FROM pg_stat_xact_all_tables
    WHERE schemaname = 'pg_catalog'::name OR schemaname = 'information_schema'::name OR schemaname ~ '^pg_toast'::text;

CREATE VIEW pg_catalog.pg_stat_xact_user_tables AS
    SELECT * FROM pg_stat_xact_all_tables
    WHERE schemaname <> 'pg_catalog'::name AND schemaname <> 'information_schema'::name AND schemaname !~ '^pg_toast'::text;

CREATE VIEW pg_catalog.pg_stat_all_indexes AS
    SELECT c.oid AS relid, i.oid AS indexrelid, n.nspname AS schemaname, c.relname, i.relname AS indexrelname,
        pg_stat_get_numscans(i.oid) AS idx_scan, pg_stat_get_tuples_returned(i.oid) AS idx_tup_read,
        pg_stat_get_tuples_fetched(i.oid) AS idx_tup_fetch
    FROM pg_class c JOIN pg_index x ON x.indrelid = c.oid JOIN pg_class i ON i.oid = x.indexrelid
        LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r'::"char" OR c.relkind = 't'::"char" OR c.relkind = 'm'::"char";

CREATE VIEW pg_catalog.pg_stat_sys_indexes AS
    SELECT * FROM pg_stat_all_indexes
    WHERE schemaname = 'pg_catalog'::name OR schemaname = 'information_schema'::name OR schemaname ~ '^pg_toast'::text;

CREATE VIEW pg_catalog.pg_stat_user_indexes AS
    SELECT * FROM pg_stat_all_indexes
    WHERE schemaname <> 'pg_catalog'::name AND schemaname <> 'information_schema'::name AND schemaname !~ '^pg_toast'::text;

CREATE VIEW pg_catalog.pg_statio_all_tables AS
    SELECT c.oid AS relid, n.nspname AS schemaname, c.relname,
        pg_stat_get_blocks_fetched(c.oid) - pg_stat_get_blocks_hit(c.oid) AS heap_blks_read,
        pg_stat_get_blocks_hit(c.oid) AS heap_blks_hit,
        (SELECT sum(pg_stat_get_blocks_fetched(i.indexrelid) - pg_stat_get_blocks_hit(i.indexrelid))::bigint
            FROM pg_index i WHERE i.indrelid = c.oid) AS idx_blks_read,
        (SELECT sum(pg_stat_get_blocks_hit(i.indexrelid))::bigint FROM pg_index i WHERE i.indrelid = c.oid) AS idx_blks_hit,
        NULL::bigint AS toast_blks_read, NULL::bigint AS toast_blks_hit, NULL::bigint AS tidx_blks_read,
        NULL::bigint AS tidx_blks_hit
    FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r'::"char" OR c.relkind = 't'::"char" OR c.relkind = 'm'::"char";

CREATE VIEW pg_catalog.pg_statio_sys_tables AS
    SELECT * FROM pg_statio_all_tables
    WHERE schemaname = 'pg_catalog'::name OR schemaname = 'information_schema'::name OR schemaname ~ '^pg_toast'::text;

CREATE VIEW pg_catalog.pg_statio_user_tables AS
    SELECT * FROM pg_statio_all_tables
    WHERE schemaname <> 'pg_catalog'::name AND schemaname <> 'information_schema'::name AND schemaname !~ '^pg_toast'::text;

CREATE VIEW pg_catalog.pg_statio_all_indexes AS
    SELECT c.oid AS relid, i.oid AS indexrelid, n.nspname AS schemaname, c.relname, i.relname AS indexrelname,
        pg_stat_get_blocks_fetched(i.oid) - pg_stat_get_blocks_hit(i.oid) AS idx_blks_read,
        pg_stat_get_blocks_hit(i.oid) AS idx_blks_hit
    FROM pg_class c JOIN pg_index x ON x.indrelid = c.oid JOIN pg_class i ON i.oid = x.indexrelid
        LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r'::"char" OR c.relkind = 't'::"char" OR c.relkind = 'm'::"char";

CREATE VIEW pg_catalog.pg_statio_sys_indexes AS
    SELECT * FROM pg_statio_all_indexes
    WHERE schemaname = 'pg_catalog'::name OR schemaname = 'information_schema'::name OR schemaname ~ '^pg_toast'::text;

CREATE VIEW pg_catalog.pg_statio_user_indexes AS
    SELECT * FROM pg_statio_all_indexes
    WHERE schemaname <> 'pg_catalog'::name AND schemaname <> 'information_schema'::name AND schemaname !~ '^pg_toast'::text;

CREATE VIEW pg_catalog.pg_statio_all_sequences AS
    SELECT c.oid AS relid, n.nspname AS schemaname, c.relname,
        pg_stat_get_blocks_fetched(c.oid) - pg_stat_get_blocks_hit(c.oid) AS blks_read,
        pg_stat_get_blocks_hit(c.oid) AS blks_hit
    FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'S'::"char";

CREATE VIEW pg_catalog.pg_statio_sys_sequences AS
    SELECT * FROM pg_statio_all_sequences
    WHERE schemaname = 'pg_catalog'::name OR schemaname = 'information_schema'::name OR schemaname ~ '^pg_toast'::text;

CREATE VIEW pg_catalog.pg_statio_user_sequences AS
    SELECT * FROM pg_statio_all_sequences
    WHERE schemaname <> 'pg_catalog'::name AND schemaname <> 'information_schema'::name AND schemaname !~ '^pg_toast'::text;

CREATE VIEW pg_catalog.pg_stat_user_functions AS
    SELECT p.oid AS funcid, n.nspname AS schemaname, p.proname AS funcname, pg_stat_get_function_calls(p.oid) AS calls,
        pg_stat_get_function_total_time(p.oid) AS total_time, pg_stat_get_function_self_time(p.oid) AS self_time
    FROM pg_proc p LEFT JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.prolang <> 12::oid AND pg_stat_get_function_calls(p.oid) IS NOT NULL;

CREATE VIEW pg_catalog.pg_stat_xact_user_functions AS
    SELECT p.oid AS funcid, n.nspname AS schemaname, p.proname AS funcname, pg_stat_get_xact_function_calls(p.oid) AS calls,
        pg_stat_get_xact_function_total_time(p.oid) AS total_time, pg_stat_get_xact_function_self_time(p.oid) AS self_time
    FROM pg_proc p LEFT JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.prolang <> 12::oid AND pg_stat_get_xact_function_calls(p.oid) IS NOT NULL;

CREATE VIEW pg_catalog.pg_stat_database AS
    SELECT d.oid AS datid, d.datname,
        (SELECT count(*)::integer FROM pg_stat_get_activity(NULL::integer) s WHERE s.datid = d.oid) AS numbackends,
        pg_stat_get_db_xact_commit(d.oid) AS xact_commit, pg_stat_get_db_xact_rollback(d.oid) AS xact_rollback,
        pg_stat_get_db_blocks_fetched(d.oid) - pg_stat_get_db_blocks_hit(d.oid) AS blks_read,
        pg_stat_get_db_blocks_hit(d.oid) AS blks_hit, pg_stat_get_db_tuples_returned(d.oid) AS tup_returned,
        pg_stat_get_db_tuples_fetched(d.oid) AS tup_fetched, pg_stat_get_db_tuples_inserted(d.oid) AS tup_inserted,
        pg_stat_get_db_tuples_updated(d.oid) AS tup_updated, pg_stat_get_db_tuples_deleted(d.oid) AS tup_deleted,
        pg_stat_get_db_conflict_all(d.oid) AS conflicts, pg_stat_get_db_temp_files(d.oid) AS temp_files,
        pg_stat_get_db_temp_bytes(d.oid) AS temp_bytes, pg_stat_get_db_deadlocks(d.oid) AS deadlocks,
        pg_stat_get_db_checksum_failures(d.oid) AS checksum_failures,
        pg_stat_get_db_checksum_last_failure(d.oid) AS checksum_last_failure,
        pg_stat_get_db_blk_read_time(d.oid) AS blk_read_time, pg_stat_get_db_blk_write_time(d.oid) AS blk_write_time,
        pg_stat_get_db_session_time(d.oid) AS session_time, pg_stat_get_db_active_time(d.oid) AS active_time,
        pg_stat_get_db_idle_in_transaction_time(d.oid) AS idle_in_transaction_time, pg_stat_get_db_sessions(d.oid) AS sessions,
        pg_stat_get_db_sessions_abandoned(d.oid) AS sessions_abandoned, pg_stat_get_db_sessions_fatal(d.oid) AS sessions_fatal,
        pg_stat_get_db_sessions_killed(d.oid) AS sessions_killed, pg_stat_get_db_stat_reset_time(d.oid) AS stats_reset
    FROM pg_database d;

CREATE VIEW pg_catalog.pg_stat_database_conflicts AS
    SELECT d.oid AS datid, d.datname, pg_stat_get_db_conflict_tablespace(d.oid) AS confl_tablespace,
        pg_stat_get_db_conflict_lock(d.oid) AS confl_lock, pg_stat_get_db_conflict_snapshot(d.oid) AS confl_snapshot,
        pg_stat_get_db_conflict_bufferpin(d.oid) AS confl_bufferpin,
        pg_stat_get_db_conflict_startup_deadlock(d.oid) AS confl_deadlock
    FROM pg_database d;

CREATE VIEW pg_catalog.pg_stat_bgwriter AS
    SELECT pg_stat_get_bgwriter_timed_checkpoints() AS checkpoints_timed,
        pg_stat_get_bgwriter_requested_checkpoints() AS checkpoints_req,
        pg_stat_get_checkpoint_write_time() AS checkpoint_write_time, pg_stat_get_checkpoint_sync_time() AS checkpoint_sync_time,
        pg_stat_get_bgwriter_buf_written_checkpoints() AS buffers_checkpoint,
        pg_stat_get_bgwriter_buf_written_clean() AS buffers_clean, pg_stat_get_bgwriter_maxwritten_clean() AS maxwritten_clean,
        pg_stat_get_buf_written_backend() AS buffers_backend, pg_stat_get_buf_fsync_backend() AS buffers_backend_fsync,
        pg_stat_get_buf_alloc() AS buffers_alloc, pg_stat_get_bgwriter_stat_reset_time() AS stats_reset;

CREATE VIEW pg_catalog.pg_stat_wal AS
    SELECT w.wal_records, w.wal_fpi, w.wal_bytes, w.wal_buffers_full, w.wal_write, w.wal_sync, w.wal_write_time, w.wal_sync_time,
        w.stats_reset
    FROM pg_stat_get_wal() w;

CREATE VIEW pg_catalog.pg_stat_archiver AS
    SELECT a.archived_count, a.last_archived_wal, a.last_archived_time, a.failed_count, a.last_failed_wal, a.last_failed_time,
        a.stats_reset
    FROM pg_stat_get_archiver() a;

CREATE VIEW pg_catalog.pg_stat_slru AS
    SELECT s.name, s.blks_zeroed, s.blks_hit, s.blks_read, s.blks_written, s.blks_exists, s.flushes, s.truncates, s.stats_reset
    FROM pg_stat_get_slru() s;

CREATE VIEW pg_catalog.pg_shmem_allocations AS
    SELECT m.name, m.off, m.size, m.allocated_size FROM pg_get_shmem_allocations() m;
REVOKE ALL ON pg_catalog.pg_shmem_allocations FROM PUBLIC;

CREATE VIEW pg_catalog.pg_backend_memory_contexts AS
    SELECT m.name, m.ident, m.parent, m.level, m.total_bytes, m.total_nblocks, m.free_bytes, m.free_chunks, m.used_bytes
    FROM pg_get_backend_memory_contexts() m;
REVOKE ALL ON pg_catalog.pg_backend_memory_contexts FROM PUBLIC;

-- Progress: nothing here reports any.

CREATE VIEW pg_catalog.pg_stat_progress_analyze AS
    SELECT s.pid, s.datid, d.datname, s.relid, NULL::text AS phase, s.param2 AS sample_blks_total, s.param3 AS sample_blks_scanned,
        s.param4 AS ext_stats_total, s.param5 AS ext_stats_computed, s.param6 AS child_tables_total,
        s.param7 AS child_tables_done, s.param8::oid AS current_child_table_relid
    FROM pg_stat_get_progress_info('ANALYZE'::text) s LEFT JOIN pg_database d ON d.oid = s.datid;

CREATE VIEW pg_catalog.pg_stat_progress_vacuum AS
    SELECT s.pid, s.datid, d.datname, s.relid, NULL::text AS phase, s.param2 AS heap_blks_total, s.param3 AS heap_blks_scanned,
        s.param4 AS heap_blks_vacuumed, s.param5 AS index_vacuum_count, s.param6 AS max_dead_tuples, s.param7 AS num_dead_tuples
    FROM pg_stat_get_progress_info('VACUUM'::text) s LEFT JOIN pg_database d ON d.oid = s.datid;

CREATE VIEW pg_catalog.pg_stat_progress_cluster AS
    SELECT s.pid, s.datid, d.datname, s.relid, NULL::text AS command, NULL::text AS phase, s.param3::oid AS cluster_index_relid,
        s.param4 AS heap_tuples_scanned, s.param5 AS heap_tuples_written, s.param6 AS heap_blks_total,
        s.param7 AS heap_blks_scanned, s.param8 AS index_rebuild_count
    FROM pg_stat_get_progress_info('CLUSTER'::text) s LEFT JOIN pg_database d ON d.oid = s.datid;

CREATE VIEW pg_catalog.pg_stat_progress_create_index AS
    SELECT s.pid, s.datid, d.datname, s.relid, s.param7::oid AS index_relid, NULL::text AS command, NULL::text AS phase,
        s.param4 AS lockers_total, s.param5 AS lockers_done, s.param6 AS current_locker_pid, s.param16 AS blocks_total,
        s.param17 AS blocks_done, s.param12 AS tuples_total, s.param13 AS tuples_done, s.param14 AS partitions_total,
        s.param15 AS partitions_done
    FROM pg_stat_get_progress_info('CREATE INDEX'::text) s LEFT JOIN pg_database d ON d.oid = s.datid;

CREATE VIEW pg_catalog.pg_stat_progress_basebackup AS
    SELECT s.pid, NULL::text AS phase, s.param2 AS backup_total, s.param3 AS backup_streamed, s.param4 AS tablespaces_total,
        s.param5 AS tablespaces_streamed
    FROM pg_stat_get_progress_info('BASEBACKUP'::text) s;

CREATE VIEW pg_catalog.pg_stat_progress_copy AS
    SELECT s.pid, s.datid, d.datname, s.relid, NULL::text AS command, NULL::text AS type, s.param1 AS bytes_processed,
        s.param2 AS bytes_total, s.param3 AS tuples_processed, s.param4 AS tuples_excluded
    FROM pg_stat_get_progress_info('COPY'::text) s LEFT JOIN pg_database d ON d.oid = s.datid;

-- Policies, labels, foreign servers: their tables are empty.

CREATE VIEW pg_catalog.pg_policies AS
    SELECT n.nspname AS schemaname, c.relname AS tablename, p.polname AS policyname,
        CASE WHEN p.polpermissive THEN 'PERMISSIVE'::text ELSE 'RESTRICTIVE'::text END AS permissive,
        CASE WHEN p.polroles = '{0}'::oid[] THEN '{public}'::name[]
            ELSE ARRAY(SELECT r.rolname FROM pg_authid r WHERE r.oid = ANY (p.polroles) ORDER BY r.rolname) END AS roles,
        CASE p.polcmd WHEN 'r'::"char" THEN 'SELECT'::text WHEN 'a'::"char" THEN 'INSERT'::text WHEN 'w'::"char" THEN 'UPDATE'::text
            WHEN 'd'::"char" THEN 'DELETE'::text WHEN '*'::"char" THEN 'ALL'::text ELSE NULL::text END AS cmd,
        pg_get_expr(p.polqual, p.polrelid) AS qual, pg_get_expr(p.polwithcheck, p.polrelid) AS with_check
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace;

CREATE VIEW pg_catalog.pg_seclabels AS
    SELECT l.objoid, l.classoid, l.objsubid, NULL::text AS objtype, NULL::oid AS objnamespace, (NULL::text COLLATE "C") AS objname, l.provider,
        l.label
    FROM pg_seclabel l;

CREATE VIEW pg_catalog.pg_user_mappings AS
    SELECT u.oid AS umid, s.oid AS srvid, s.srvname, u.umuser,
        CASE WHEN u.umuser = 0::oid THEN 'public'::name ELSE a.rolname END AS usename,
        CASE WHEN a.rolname = current_user THEN u.umoptions ELSE NULL::text[] END AS umoptions
    FROM pg_user_mapping u JOIN pg_foreign_server s ON s.oid = u.umserver LEFT JOIN pg_authid a ON a.oid = u.umuser;

-- Statistics of columns, for those who may read them.

CREATE VIEW pg_catalog.pg_stats AS
    SELECT n.nspname AS schemaname, c.relname AS tablename, a.attname, s.stainherit AS inherited, s.stanullfrac AS null_frac,
        s.stawidth AS avg_width, s.stadistinct AS n_distinct,
        CASE WHEN s.stakind1 = 1 THEN s.stavalues1 WHEN s.stakind2 = 1 THEN s.stavalues2 WHEN s.stakind3 = 1 THEN s.stavalues3
            WHEN s.stakind4 = 1 THEN s.stavalues4 WHEN s.stakind5 = 1 THEN s.stavalues5 END AS most_common_vals,
        CASE WHEN s.stakind1 = 1 THEN s.stanumbers1 WHEN s.stakind2 = 1 THEN s.stanumbers2 WHEN s.stakind3 = 1 THEN s.stanumbers3
            WHEN s.stakind4 = 1 THEN s.stanumbers4 WHEN s.stakind5 = 1 THEN s.stanumbers5 END AS most_common_freqs,
        CASE WHEN s.stakind1 = 2 THEN s.stavalues1 WHEN s.stakind2 = 2 THEN s.stavalues2 WHEN s.stakind3 = 2 THEN s.stavalues3
            WHEN s.stakind4 = 2 THEN s.stavalues4 WHEN s.stakind5 = 2 THEN s.stavalues5 END AS histogram_bounds,
        CASE WHEN s.stakind1 = 3 THEN s.stanumbers1[1] WHEN s.stakind2 = 3 THEN s.stanumbers2[1]
            WHEN s.stakind3 = 3 THEN s.stanumbers3[1] WHEN s.stakind4 = 3 THEN s.stanumbers4[1]
            WHEN s.stakind5 = 3 THEN s.stanumbers5[1] END AS correlation,
        CASE WHEN s.stakind1 = 4 THEN s.stavalues1 WHEN s.stakind2 = 4 THEN s.stavalues2 WHEN s.stakind3 = 4 THEN s.stavalues3
            WHEN s.stakind4 = 4 THEN s.stavalues4 WHEN s.stakind5 = 4 THEN s.stavalues5 END AS most_common_elems,
        CASE WHEN s.stakind1 = 4 THEN s.stanumbers1 WHEN s.stakind2 = 4 THEN s.stanumbers2 WHEN s.stakind3 = 4 THEN s.stanumbers3
            WHEN s.stakind4 = 4 THEN s.stanumbers4 WHEN s.stakind5 = 4 THEN s.stanumbers5 END AS most_common_elem_freqs,
        CASE WHEN s.stakind1 = 5 THEN s.stanumbers1 WHEN s.stakind2 = 5 THEN s.stanumbers2 WHEN s.stakind3 = 5 THEN s.stanumbers3
            WHEN s.stakind4 = 5 THEN s.stanumbers4 WHEN s.stakind5 = 5 THEN s.stanumbers5 END AS elem_count_histogram
    FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = s.staattnum
        LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT a.attisdropped AND has_column_privilege(c.oid, a.attnum, 'select'::text)
        AND (c.relrowsecurity = false OR NOT row_security_active(c.oid));

-- CREATE STATISTICS is refused, so that no list of common values is there to be shown.
CREATE VIEW pg_catalog.pg_stats_ext AS
    SELECT n.nspname AS schemaname, c.relname AS tablename, sn.nspname AS statistics_schemaname, s.stxname AS statistics_name,
        pg_get_userbyid(s.stxowner) AS statistics_owner,
        (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
            WHERE a.attrelid = s.stxrelid AND a.attnum = ANY (s.stxkeys)) AS attnames,
        NULL::text[] AS exprs, s.stxkind AS kinds, d.stxdinherit AS inherited, d.stxdndistinct AS n_distinct,
        d.stxddependencies AS dependencies, NULL::text[] AS most_common_vals, NULL::boolean[] AS most_common_val_nulls,
        NULL::double precision[] AS most_common_freqs, NULL::double precision[] AS most_common_base_freqs
    FROM pg_statistic_ext s JOIN pg_class c ON c.oid = s.stxrelid LEFT JOIN pg_statistic_ext_data d ON d.stxoid = s.oid
        LEFT JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_namespace sn ON sn.oid = s.stxnamespace;

CREATE VIEW pg_catalog.pg_stats_ext_exprs AS
    SELECT n.nspname AS schemaname, c.relname AS tablename, sn.nspname AS statistics_schemaname, s.stxname AS statistics_name,
        pg_get_userbyid(s.stxowner) AS statistics_owner, NULL::text AS expr, false AS inherited, t.null_frac, t.avg_width,
        t.n_distinct, t.most_common_vals, t.most_common_freqs, t.histogram_bounds, t.correlation, t.most_common_elems,
        t.most_common_elem_freqs, t.elem_count_histogram
    FROM pg_statistic_ext s JOIN pg_class c ON c.oid = s.stxrelid JOIN pg_stats t ON false
        LEFT JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_namespace sn ON sn.oid = s.stxnamespace;

-- What everybody may read.

GRANT SELECT ON pg_catalog.pg_available_extension_versions, pg_catalog.pg_available_extensions, pg_catalog.pg_cursors, pg_catalog.pg_group,
    pg_catalog.pg_locks, pg_catalog.pg_policies, pg_catalog.pg_prepared_statements, pg_catalog.pg_prepared_xacts,
    pg_catalog.pg_publication_tables, pg_catalog.pg_replication_slots, pg_catalog.pg_seclabels, pg_catalog.pg_stat_activity,
    pg_catalog.pg_stat_all_indexes, pg_catalog.pg_stat_all_tables, pg_catalog.pg_stat_archiver, pg_catalog.pg_stat_bgwriter,
    pg_catalog.pg_stat_database, pg_catalog.pg_stat_database_conflicts, pg_catalog.pg_stat_gssapi, pg_catalog.pg_stat_progress_analyze,
    pg_catalog.pg_stat_progress_basebackup, pg_catalog.pg_stat_progress_cluster, pg_catalog.pg_stat_progress_copy,
    pg_catalog.pg_stat_progress_create_index, pg_catalog.pg_stat_progress_vacuum, pg_catalog.pg_stat_recovery_prefetch,
    pg_catalog.pg_stat_replication, pg_catalog.pg_stat_replication_slots, pg_catalog.pg_stat_slru, pg_catalog.pg_stat_ssl,
    pg_catalog.pg_stat_subscription, pg_catalog.pg_stat_subscription_stats, pg_catalog.pg_stat_sys_indexes, pg_catalog.pg_stat_sys_tables,
    pg_catalog.pg_stat_user_functions, pg_catalog.pg_stat_user_indexes, pg_catalog.pg_stat_user_tables, pg_catalog.pg_stat_wal,
    pg_catalog.pg_stat_wal_receiver, pg_catalog.pg_stat_xact_all_tables, pg_catalog.pg_stat_xact_sys_tables,
    pg_catalog.pg_stat_xact_user_functions, pg_catalog.pg_stat_xact_user_tables, pg_catalog.pg_statio_all_indexes,
    pg_catalog.pg_statio_all_sequences, pg_catalog.pg_statio_all_tables, pg_catalog.pg_statio_sys_indexes,
    pg_catalog.pg_statio_sys_sequences, pg_catalog.pg_statio_sys_tables, pg_catalog.pg_statio_user_indexes,
    pg_catalog.pg_statio_user_sequences, pg_catalog.pg_statio_user_tables, pg_catalog.pg_stats, pg_catalog.pg_stats_ext,
    pg_catalog.pg_stats_ext_exprs, pg_catalog.pg_timezone_abbrevs, pg_catalog.pg_timezone_names, pg_catalog.pg_user_mappings TO PUBLIC;
GRANT SELECT ON pg_catalog.pg_shmem_allocations, pg_catalog.pg_backend_memory_contexts TO pg_read_all_stats;
