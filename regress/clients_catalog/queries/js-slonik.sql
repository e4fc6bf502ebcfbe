SELECT
          oid,
          typarray,
          typname
        FROM pg_type
        WHERE typname = ANY('{int8,date,interval,numeric,timestamp,timestamptz}'::text[]);
