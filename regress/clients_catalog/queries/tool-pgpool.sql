SELECT count(*) FROM pg_catalog.pg_proc AS p, pg_catalog.pg_namespace AS n WHERE p.proname = 'count' AND n.oid = p.pronamespace AND n.nspname ~ '.*' AND p.provolatile = 'v';

SELECT count(*) FROM pg_catalog.pg_proc AS p, pg_catalog.pg_namespace AS n WHERE p.proname = 'count' AND n.oid = p.pronamespace AND n.nspname = 'pg_catalog' AND p.provolatile = 'v';
