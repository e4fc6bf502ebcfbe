SELECT EXISTS(
            SELECT TRUE FROM pg_catalog.pg_tables
             WHERE schemaname = 'sqitch' AND tablename = 'changes'
        );
