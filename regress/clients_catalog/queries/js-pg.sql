select count(*)::int n from pg_prepared_statements where name='add';
