SELECT tablename FROM pg_tables WHERE  schemaname = 'public';

SELECT   column_name,  numeric_precision,  character_maximum_length,  numeric_scale,  is_nullable  FROM information_schema.columns  WHERE table_name='t';

SELECT COUNT(*)
            FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS
            WHERE CONSTRAINT_CATALOG IS NOT NULL;

SELECT xtable.TABLE_SCHEMA AS "tableSchema",
                 xtable.TABLE_NAME AS "tableName",
                 xtable.CONSTRAINT_CATALOG AS "constraintCatalog",
                 xtable.CONSTRAINT_SCHEMA AS "constraintSchema",
                 xtable.CONSTRAINT_NAME AS "constraintName",
                 xcolumn.COLUMN_NAME AS "columnName",
                 xcolumn.ORDINAL_POSITION AS "ordinalPosition"
             FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS xtable
             INNER JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE xcolumn
                     ON xtable.CONSTRAINT_SCHEMA = xcolumn.CONSTRAINT_SCHEMA
                    AND xtable.TABLE_NAME = xcolumn.TABLE_NAME
                    AND xtable.CONSTRAINT_NAME = xcolumn.CONSTRAINT_NAME
            AND xtable.CONSTRAINT_CATALOG = xcolumn.CONSTRAINT_CATALOG
             WHERE xtable.TABLE_NAME = 't'
               AND xtable.CONSTRAINT_TYPE = 'PRIMARY KEY';

SELECT rc.CONSTRAINT_CATALOG AS "foreignConstraintCatalog",
                    rc.CONSTRAINT_SCHEMA AS "foreignConstraintSchema",
                    rc.CONSTRAINT_NAME AS "foreignConstraintName",
                    rc.UNIQUE_CONSTRAINT_CATALOG
                        AS "primaryConstraintCatalog",
                    rc.UNIQUE_CONSTRAINT_SCHEMA AS "primaryConstraintSchema",
                    rc.UNIQUE_CONSTRAINT_NAME AS "primaryConstraintName",
                    rc.UPDATE_RULE AS "updateAction",
    rc.DELETE_RULE AS "deleteAction",
                    pkc.TABLE_CATALOG AS "primaryCatalog",
                    pkc.TABLE_SCHEMA AS "primarySchema",
                    pkc.TABLE_NAME AS "primaryTable",
                    pkc.COLUMN_NAME AS "primaryColumn",
                    fkc.TABLE_CATALOG AS "foreignCatalog",
                    fkc.TABLE_SCHEMA AS "foreignSchema",
                    fkc.TABLE_NAME AS "foreignTable",
                    fkc.COLUMN_NAME AS "foreignColumn",
                    pkc.ORDINAL_POSITION AS "ordinalPosition"
             FROM INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS rc
             INNER JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE fkc
                     ON fkc.CONSTRAINT_NAME = rc.CONSTRAINT_NAME
                    AND fkc.CONSTRAINT_SCHEMA = rc.CONSTRAINT_SCHEMA
                    AND fkc.CONSTRAINT_CATALOG = rc.CONSTRAINT_CATALOG
             INNER JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE pkc
                     ON pkc.CONSTRAINT_NAME = rc.UNIQUE_CONSTRAINT_NAME
                     AND pkc.CONSTRAINT_SCHEMA = rc.UNIQUE_CONSTRAINT_SCHEMA
                     AND pkc.CONSTRAINT_CATALOG = rc.CONSTRAINT_CATALOG
                     AND pkc.ORDINAL_POSITION = fkc.ORDINAL_POSITION
             WHERE 1=1
                  AND pkc.TABLE_NAME = 't'
             ORDER BY "foreignConstraintCatalog", "foreignConstraintSchema", "foreignConstraintName", "ordinalPosition";
