select * from information_schema.tables where table_name = 'knex_migrations' and table_schema = current_schema();

select * from information_schema.columns where table_name = 'users' and column_name = 'nick' and table_schema = current_schema();

select * from information_schema.columns where table_name = 'users' and table_catalog = current_database() and table_schema = current_schema();
