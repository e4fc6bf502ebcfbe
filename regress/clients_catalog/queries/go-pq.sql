SELECT count(*) FROM INFORMATION_SCHEMA.tables WHERE table_name = 'users' AND table_type = 'BASE TABLE' AND table_schema = CURRENT_SCHEMA();

SELECT count(*) FROM pg_indexes WHERE tablename = 'users' AND indexname = 'uix_users_email' AND schemaname = CURRENT_SCHEMA();

SELECT count(*) FROM INFORMATION_SCHEMA.columns WHERE table_name = 'post_tags' AND column_name = 'table_name' AND table_schema = CURRENT_SCHEMA();

SELECT count(con.conname) FROM pg_constraint con WHERE 'posts'::regclass::oid = con.conrelid AND con.conname = 'posts_user_id_users_id_foreign' AND con.contype='f';
