select * from information_schema.columns where table_name = 'persons' and table_catalog = current_database() and table_schema = current_schema();
