// A day's work with pgjdbc: CRUD, batches, generated keys, metadata, cursors, COPY, types, errors, concurrency.
// Run as `java -cp postgresql.jar Day.java URL`; prints `ok jdbc/NAME` or `not ok jdbc/NAME: why`.

import java.io.StringReader;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.sql.Array;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.Date;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ParameterMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.postgresql.util.PSQLException;

public class Day {
    static String url;

    static Connection connect(String... options) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", "postgres");
        for (int i = 0; i + 1 < options.length; i += 2) {
            properties.setProperty(options[i], options[i + 1]);
        }
        return DriverManager.getConnection(url, properties);
    }

    static void run(Connection connection, String... texts) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String text : texts) {
                statement.execute(text);
            }
        }
    }

    static void fresh(Connection connection, String definition) throws SQLException {
        run(connection, "DROP TABLE IF EXISTS tj CASCADE", "CREATE TABLE tj (" + definition + ")");
    }

    static List<List<Object>> rows(ResultSet result) throws SQLException {
        List<List<Object>> rows = new ArrayList<>();
        int count = result.getMetaData().getColumnCount();
        while (result.next()) {
            List<Object> row = new ArrayList<>();
            for (int i = 1; i <= count; i++) {
                row.add(result.getObject(i));
            }
            rows.add(row);
        }
        return rows;
    }

    static Object one(Connection connection, String text) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet result = statement.executeQuery(text)) {
            if (!result.next()) {
                throw new AssertionError("no row");
            }
            return result.getObject(1);
        }
    }

    static void equal(Object got, Object wanted) {
        if (!Objects.deepEquals(got, wanted)) {
            throw new AssertionError("wanted " + wanted + ", got " + got);
        }
    }

    interface Action {
        void run() throws Exception;
    }

    static SQLException fails(String state, Action action) throws Exception {
        try {
            action.run();
        } catch (SQLException error) {
            if (!state.equals(error.getSQLState())) {
                throw new AssertionError("wanted " + state + ", got " + error.getSQLState() + ": " + error.getMessage());
            }
            return error;
        }
        throw new AssertionError("wanted " + state + ", got no error");
    }

    // -- Tests -----------------------------------------------------------------------------------

    public static void test_rows_are_created_read_updated_and_deleted() throws Exception {
        try (Connection c = connect()) {
            fresh(c, "id serial PRIMARY KEY, name varchar(20) NOT NULL, price numeric(10,2), made timestamp DEFAULT now()");
            try (PreparedStatement put = c.prepareStatement("INSERT INTO tj (name, price) VALUES (?, ?)", Statement.RETURN_GENERATED_KEYS)) {
                for (int i = 1; i <= 20; i++) {
                    put.setString(1, "name" + i);
                    put.setBigDecimal(2, new BigDecimal(i + ".50"));
                    equal(put.executeUpdate(), 1);
                    try (ResultSet keys = put.getGeneratedKeys()) {
                        keys.next();
                        equal(keys.getInt("id"), i);
                    }
                }
            }
            try (PreparedStatement get = c.prepareStatement("SELECT name, price, made FROM tj WHERE id = ?")) {
                for (int i = 1; i <= 20; i++) {
                    get.setInt(1, i);
                    try (ResultSet result = get.executeQuery()) {
                        result.next();
                        equal(result.getString("name"), "name" + i);
                        equal(result.getBigDecimal(2), new BigDecimal(i + ".50"));
                        if (result.getTimestamp(3) == null) {
                            throw new AssertionError("made is null");
                        }
                    }
                }
            }
            try (PreparedStatement change = c.prepareStatement("UPDATE tj SET price = price + ? WHERE id <= ?")) {
                change.setBigDecimal(1, BigDecimal.ONE);
                change.setInt(2, 5);
                equal(change.executeUpdate(), 5);
            }
            try (Statement s = c.createStatement()) {
                equal(s.executeUpdate("DELETE FROM tj WHERE id > 10"), 10);
                equal(s.executeUpdate("INSERT INTO tj (name) VALUES ('x')", new String[] {"id", "made"}), 1);
                try (ResultSet keys = s.getGeneratedKeys()) {
                    keys.next();
                    equal(keys.getInt(1), 21);
                }
            }
            equal(one(c, "SELECT sum(price) FROM tj"), new BigDecimal("65.00"));
        }
    }

    public static void test_transactions_commit_and_roll_back() throws Exception {
        try (Connection c = connect(); Connection other = connect()) {
            fresh(c, "id int PRIMARY KEY");
            c.setAutoCommit(false);
            run(c, "INSERT INTO tj VALUES (1)");
            equal(one(other, "SELECT count(*) FROM tj"), 0L);
            Savepoint savepoint = c.setSavepoint("a");
            run(c, "INSERT INTO tj VALUES (2)");
            fails("23505", () -> run(c, "INSERT INTO tj VALUES (1)"));
            fails("25P02", () -> run(c, "SELECT 1"));
            c.rollback(savepoint);
            run(c, "INSERT INTO tj VALUES (3)");
            c.commit();
            equal(one(other, "SELECT string_agg(id::text, ',' ORDER BY id) FROM tj"), "1,3");
            run(c, "DELETE FROM tj");
            c.rollback();
            equal(one(other, "SELECT count(*) FROM tj"), 2L);
            c.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            equal(one(c, "SHOW transaction_isolation"), "repeatable read");
            equal(one(c, "SELECT count(*) FROM tj"), 2L);
            run(other, "INSERT INTO tj VALUES (9)");
            equal(one(c, "SELECT count(*) FROM tj"), 2L);
            c.rollback();
            c.setReadOnly(true);
            fails("25006", () -> run(c, "INSERT INTO tj VALUES (10)"));
            c.rollback();
        }
    }

    public static void test_autosave_survives_errors() throws Exception {
        try (Connection c = connect("autosave", "always")) {
            fresh(c, "id int PRIMARY KEY");
            c.setAutoCommit(false);
            run(c, "INSERT INTO tj VALUES (1)");
            fails("23505", () -> run(c, "INSERT INTO tj VALUES (1)"));
            run(c, "INSERT INTO tj VALUES (2)");
            c.commit();
            equal(one(c, "SELECT count(*) FROM tj"), 2L);
        }
    }

    public static void test_batches_count_their_rows() throws Exception {
        for (String rewrite : new String[] {"false", "true"}) {
            try (Connection c = connect("reWriteBatchedInserts", rewrite)) {
                fresh(c, "id serial PRIMARY KEY, a int UNIQUE, b text");
                c.setAutoCommit(false);
                try (PreparedStatement put = c.prepareStatement("INSERT INTO tj (a, b) VALUES (?, ?)")) {
                    for (int i = 0; i < 1500; i++) {
                        put.setInt(1, i);
                        put.setString(2, i % 3 == 0 ? null : "b" + i);
                        put.addBatch();
                    }
                    equal(put.executeBatch().length, 1500);
                }
                c.commit();
                equal(one(c, "SELECT count(*) FROM tj"), 1500L);
                equal(one(c, "SELECT count(b) FROM tj"), 1000L);
                try (PreparedStatement put = c.prepareStatement("INSERT INTO tj (a) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) {
                    for (int i = 2000; i < 2050; i++) {
                        put.setInt(1, i);
                        put.addBatch();
                    }
                    put.executeBatch();
                    equal(rows(put.getGeneratedKeys()).size(), 50);
                }
                try (PreparedStatement put = c.prepareStatement("INSERT INTO tj (a) VALUES (?)")) {
                    for (int i : new int[] {5000, 5001, 7, 5002}) {
                        put.setInt(1, i);
                        put.addBatch();
                    }
                    try {
                        put.executeBatch();
                        throw new AssertionError("the batch did not fail");
                    } catch (BatchUpdateException error) {
                        equal(error.getSQLState(), "23505");
                    }
                }
                c.rollback();
                try (Statement s = c.createStatement()) {
                    s.addBatch("UPDATE tj SET b = 'x' WHERE a < 10");
                    s.addBatch("DELETE FROM tj WHERE a >= 1490");
                    s.addBatch("CREATE TEMP TABLE other (x int)");
                    equal(s.executeBatch(), new int[] {10, 10, 0});
                }
                c.commit();
            }
        }
    }

    public static void test_values_come_back_the_same() throws Exception {
        for (String mode : new String[] {"extended", "simple", "extendedForPrepared", "extendedCacheEverything"}) {
            try (Connection c = connect("preferQueryMode", mode, "prepareThreshold", "2", "binaryTransfer", mode.equals("simple") ? "false" : "true")) {
                fresh(c, "i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric, b bool, t text, v varchar(10), by bytea, d date, tm time, "
                    + "ts timestamp, tz timestamptz, u uuid, ia int4[], ta text[], c char(4)");
                UUID uuid = UUID.fromString("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
                OffsetDateTime moment = OffsetDateTime.of(2024, 2, 29, 12, 30, 1, 123456000, ZoneOffset.UTC);
                try (PreparedStatement put = c.prepareStatement("INSERT INTO tj VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
                     PreparedStatement get = c.prepareStatement("SELECT * FROM tj")) {
                    for (int round = 0; round < 5; round++) {
                        put.setShort(1, (short) -7);
                        put.setInt(2, Integer.MIN_VALUE);
                        put.setLong(3, Long.MAX_VALUE);
                        put.setFloat(4, 1.5f);
                        put.setDouble(5, -0.1);
                        put.setBigDecimal(6, new BigDecimal("-12345678901234567890.00012"));
                        put.setBoolean(7, true);
                        put.setString(8, "ü'\\ \n🐘");
                        put.setString(9, "short");
                        if (mode.equals("simple")) {
                            put.setNull(10, Types.BINARY); // this driver has no text form for bytes
                        } else {
                            put.setBytes(10, new byte[] {0, 1, -1});
                        }
                        put.setObject(11, LocalDate.of(1999, 12, 31));
                        put.setObject(12, LocalTime.of(23, 59, 58));
                        put.setObject(13, LocalDateTime.of(2024, 2, 29, 1, 2, 3, 4000));
                        put.setObject(14, moment);
                        put.setObject(15, uuid);
                        put.setArray(16, c.createArrayOf("int4", new Integer[] {1, null, 3}));
                        put.setArray(17, c.createArrayOf("text", new String[] {"a", "b,\"c\"", null}));
                        put.setString(18, "pad");
                        put.executeUpdate();
                        try (ResultSet r = get.executeQuery()) {
                            for (int seen = 0; seen <= round; seen++) {
                                r.next();
                                equal(r.getShort(1), (short) -7);
                                equal(r.getInt(2), Integer.MIN_VALUE);
                                equal(r.getLong(3), Long.MAX_VALUE);
                                equal(r.getFloat(4), 1.5f);
                                equal(r.getDouble(5), -0.1);
                                equal(r.getBigDecimal(6), new BigDecimal("-12345678901234567890.00012"));
                                equal(r.getBoolean(7), true);
                                equal(r.getString(8), "ü'\\ \n🐘");
                                equal(r.getString(9), "short");
                                equal(r.getBytes(10), mode.equals("simple") ? null : new byte[] {0, 1, -1});
                                equal(r.getObject(11, LocalDate.class), LocalDate.of(1999, 12, 31));
                                equal(r.getObject(12, LocalTime.class), LocalTime.of(23, 59, 58));
                                equal(r.getObject(13, LocalDateTime.class), LocalDateTime.of(2024, 2, 29, 1, 2, 3, 4000));
                                equal(r.getObject(14, OffsetDateTime.class), moment);
                                equal(r.getObject(15), uuid);
                                equal(r.getArray(16).getArray(), new Integer[] {1, null, 3});
                                equal(r.getArray(17).getArray(), new String[] {"a", "b,\"c\"", null});
                                equal(r.getString(18), "pad ");
                            }
                        }
                    }
                }
                try (PreparedStatement put = c.prepareStatement("INSERT INTO tj (i4, t, d, n, tz) VALUES (?, ?, ?, ?, ?)")) {
                    put.setNull(1, Types.INTEGER);
                    put.setNull(2, Types.VARCHAR);
                    put.setDate(3, Date.valueOf("2024-01-02"));
                    put.setNull(4, Types.NUMERIC);
                    put.setTimestamp(5, Timestamp.from(moment.toInstant()));
                    equal(put.executeUpdate(), 1);
                }
                equal(one(c, "SELECT count(*) FROM tj WHERE i4 IS NULL AND d = '2024-01-02'"), 1L);
            }
        }
    }

    public static void test_cursors_fetch_piecewise() throws Exception {
        try (Connection c = connect("defaultRowFetchSize", "7")) {
            c.setAutoCommit(false);
            try (Statement s = c.createStatement()) {
                s.setFetchSize(100);
                long sum = 0;
                try (ResultSet r = s.executeQuery("SELECT i, repeat('x', 100) FROM generate_series(1, 12345) AS i")) {
                    while (r.next()) {
                        sum += r.getInt(1);
                    }
                }
                equal(sum, 12345L * 12346 / 2);
                try (ResultSet r = s.executeQuery("SELECT i FROM generate_series(1, 1000000) AS i")) {
                    r.next();
                    equal(r.getInt(1), 1);
                }
            }
            try (PreparedStatement outer = c.prepareStatement("SELECT i FROM generate_series(1, ?) AS i");
                 PreparedStatement inner = c.prepareStatement("SELECT ? * 2 + i FROM generate_series(1, 20) AS i")) {
                outer.setFetchSize(3);
                inner.setFetchSize(2);
                outer.setInt(1, 30);
                long sum = 0;
                try (ResultSet r = outer.executeQuery()) {
                    while (r.next()) {
                        inner.setInt(1, r.getInt(1));
                        try (ResultSet q = inner.executeQuery()) {
                            while (q.next()) {
                                sum += q.getInt(1);
                            }
                        }
                    }
                }
                equal(sum, 20L * 30 * 31 + 30L * 210);
            }
            c.commit();
            try (Statement s = c.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY);
                 ResultSet r = s.executeQuery("SELECT i FROM generate_series(1, 10) AS i")) {
                r.last();
                equal(r.getInt(1), 10);
                r.absolute(4);
                equal(r.getInt(1), 4);
            }
        }
    }

    public static void test_updatable_results_write_back() throws Exception {
        try (Connection c = connect()) {
            fresh(c, "id int PRIMARY KEY, v text");
            run(c, "INSERT INTO tj VALUES (1, 'a'), (2, 'b')");
            try (Statement s = c.createStatement(ResultSet.TYPE_SCROLL_SENSITIVE, ResultSet.CONCUR_UPDATABLE);
                 ResultSet r = s.executeQuery("SELECT id, v FROM tj ORDER BY id")) {
                r.next();
                r.updateString("v", "changed");
                r.updateRow();
                r.moveToInsertRow();
                r.updateInt("id", 3);
                r.updateString("v", "new");
                r.insertRow();
                r.moveToCurrentRow();
                r.next();
                r.deleteRow();
            }
            equal(one(c, "SELECT string_agg(id || v, ',' ORDER BY id) FROM tj"), "1changed,3new");
        }
    }

    public static void test_metadata_describes_tables() throws Exception {
        try (Connection c = connect()) {
            run(c, "DROP VIEW IF EXISTS tj_view", "DROP TABLE IF EXISTS tj_child");
            fresh(c, "id serial PRIMARY KEY, code varchar(10) NOT NULL UNIQUE, amount numeric(12,3) DEFAULT 0, at timestamptz, tags text[]");
            run(c, "CREATE TABLE tj_child (a int, b int, parent int REFERENCES tj ON DELETE CASCADE, PRIMARY KEY (b, a))",
                "CREATE INDEX tj_amount ON tj (amount DESC, lower(code))", "CREATE VIEW tj_view AS SELECT id, code FROM tj",
                "COMMENT ON TABLE tj IS 'the table'", "COMMENT ON COLUMN tj.code IS 'the code'");
            DatabaseMetaData meta = c.getMetaData();
            equal(meta.getDatabaseProductName(), "PostgreSQL");
            equal(meta.getDatabaseMajorVersion(), 15);
            try (ResultSet r = meta.getTables(null, "public", "tj%", new String[] {"TABLE", "VIEW"})) {
                List<String> names = new ArrayList<>();
                while (r.next()) {
                    names.add(r.getString("TABLE_NAME") + ":" + r.getString("TABLE_TYPE") + ":" + r.getString("REMARKS"));
                }
                equal(names, List.of("tj:TABLE:the table", "tj_child:TABLE:null", "tj_view:VIEW:null"));
            }
            try (ResultSet r = meta.getColumns(null, "public", "tj", "%")) {
                List<String> columns = new ArrayList<>();
                while (r.next()) {
                    columns.add(String.join(":", r.getString("COLUMN_NAME"), r.getString("TYPE_NAME"), r.getString("COLUMN_SIZE"),
                        r.getString("DECIMAL_DIGITS"), r.getString("IS_NULLABLE"), r.getString("COLUMN_DEF"), r.getString("REMARKS"),
                        r.getString("IS_AUTOINCREMENT"), r.getString("ORDINAL_POSITION"), r.getString("DATA_TYPE")));
                }
                equal(columns, List.of(
                    "id:serial:10:0:NO:nextval('tj_id_seq'::regclass):null:YES:1:4",
                    "code:varchar:10:0:NO:null:the code:NO:2:12",
                    "amount:numeric:12:3:YES:0:null:NO:3:2",
                    "at:timestamptz:35:6:YES:null:null:NO:4:93",
                    "tags:_text:2147483647:0:YES:null:null:NO:5:2003"));
            }
            try (ResultSet r = meta.getPrimaryKeys(null, "public", "tj_child")) {
                List<String> keys = new ArrayList<>();
                while (r.next()) {
                    keys.add(r.getString("COLUMN_NAME") + ":" + r.getShort("KEY_SEQ") + ":" + r.getString("PK_NAME"));
                }
                keys.sort(Comparator.naturalOrder());
                equal(keys, List.of("a:2:tj_child_pkey", "b:1:tj_child_pkey"));
            }
            try (ResultSet r = meta.getIndexInfo(null, "public", "tj", false, true)) {
                List<String> indexes = new ArrayList<>();
                while (r.next()) {
                    indexes.add(r.getString("INDEX_NAME") + ":" + r.getBoolean("NON_UNIQUE") + ":" + r.getString("COLUMN_NAME") + ":" + r.getString("ASC_OR_DESC"));
                }
                equal(indexes, List.of("tj_code_key:false:code:A", "tj_pkey:false:id:A", "tj_amount:true:amount:D", "tj_amount:true:lower((code)::text):A"));
            }
            for (ResultSet r : List.of(meta.getImportedKeys(null, "public", "tj_child"), meta.getExportedKeys(null, "public", "tj"),
                                       meta.getCrossReference(null, "public", "tj", null, "public", "tj_child"))) {
                r.next();
                equal(r.getString("PKTABLE_NAME") + "." + r.getString("PKCOLUMN_NAME"), "tj.id");
                equal(r.getString("FKTABLE_NAME") + "." + r.getString("FKCOLUMN_NAME"), "tj_child.parent");
                equal(r.getShort("DELETE_RULE"), (short) DatabaseMetaData.importedKeyCascade);
                equal(r.getString("FK_NAME"), "tj_child_parent_fkey");
                r.close();
            }
            try (ResultSet r = meta.getBestRowIdentifier(null, "public", "tj", DatabaseMetaData.bestRowSession, false)) {
                r.next();
                equal(r.getString("COLUMN_NAME"), "id");
            }
        }
    }

    public static void test_metadata_describes_the_server() throws Exception {
        try (Connection c = connect()) {
            DatabaseMetaData meta = c.getMetaData();
            List<String> schemas = new ArrayList<>();
            try (ResultSet r = meta.getSchemas()) {
                while (r.next()) {
                    schemas.add(r.getString("TABLE_SCHEM"));
                }
            }
            if (!schemas.containsAll(List.of("information_schema", "pg_catalog", "public"))) {
                throw new AssertionError("schemas: " + schemas);
            }
            try (ResultSet r = meta.getTypeInfo()) {
                List<String> names = new ArrayList<>();
                while (r.next()) {
                    names.add(r.getString("TYPE_NAME"));
                }
                if (!names.containsAll(List.of("int4", "text", "numeric", "serial"))) {
                    throw new AssertionError("types: " + names);
                }
            }
            try (ResultSet r = meta.getCatalogs()) {
                if (rows(r).isEmpty()) {
                    throw new AssertionError("no catalogs");
                }
            }
            try (ResultSet r = meta.getTables(null, "pg_catalog", "pg_class", null)) {
                r.next();
                equal(r.getString("TABLE_TYPE"), "SYSTEM TABLE");
            }
            try (ResultSet r = meta.getFunctions(null, "pg_catalog", "lower")) {
                r.next();
                equal(r.getString("FUNCTION_NAME"), "lower");
            }
            try (ResultSet r = meta.getProcedures(null, "public", "%")) {
                rows(r);
            }
            try (ResultSet r = meta.getTablePrivileges(null, "public", "tj%")) {
                rows(r);
            }
            try (ResultSet r = meta.getClientInfoProperties()) {
                rows(r);
            }
            meta.getSQLKeywords();
            equal(meta.getUserName(), "postgres");
            equal(meta.getMaxColumnNameLength(), 63);
            equal(meta.getDefaultTransactionIsolation(), Connection.TRANSACTION_READ_COMMITTED);
            equal(c.getSchema(), "public");
            equal(c.isValid(5), true);
        }
    }

    public static void test_result_and_parameter_metadata_are_told() throws Exception {
        try (Connection c = connect()) {
            fresh(c, "id serial PRIMARY KEY, code varchar(10) NOT NULL, amount numeric(12,3)");
            try (PreparedStatement s = c.prepareStatement("SELECT t.id, t.code AS kind, t.amount, t.amount * 2 FROM tj AS t WHERE id = ? AND code LIKE ?")) {
                ParameterMetaData parameters = s.getParameterMetaData();
                equal(parameters.getParameterCount(), 2);
                equal(parameters.getParameterTypeName(1), "int4");
                equal(parameters.getParameterTypeName(2), "text");
                ResultSetMetaData meta = s.getMetaData();
                equal(meta.getColumnCount(), 4);
                equal(meta.getColumnName(2) + ":" + meta.getColumnLabel(2) + ":" + meta.getTableName(2), "kind:kind:tj");
                equal(((org.postgresql.PGResultSetMetaData) meta).getBaseColumnName(2), "code");
                equal(meta.isAutoIncrement(1), true);
                equal(meta.isNullable(2), ResultSetMetaData.columnNoNulls);
                equal(meta.getPrecision(3) + "," + meta.getScale(3), "12,3");
                equal(meta.getColumnDisplaySize(2), 10);
                equal(meta.getTableName(4), "");
            }
        }
    }

    public static void test_copy_goes_both_ways() throws Exception {
        try (Connection c = connect()) {
            fresh(c, "id int, name text");
            CopyManager copy = c.unwrap(PGConnection.class).getCopyAPI();
            StringBuilder lines = new StringBuilder();
            for (int i = 0; i < 5000; i++) {
                lines.append(i).append("\tname ").append(i).append('\n');
            }
            equal(copy.copyIn("COPY tj FROM STDIN", new StringReader(lines.toString())), 5000L);
            StringWriter out = new StringWriter();
            equal(copy.copyOut("COPY (SELECT * FROM tj ORDER BY id) TO STDOUT", out), 5000L);
            equal(out.toString(), lines.toString());
            fails("22P02", () -> copy.copyIn("COPY tj FROM STDIN", new StringReader("1\ta\nx\tb\n")));
            equal(one(c, "SELECT count(*) FROM tj"), 5000L);
            equal(copy.copyIn("COPY tj FROM STDIN (FORMAT csv, HEADER)", new StringReader("id,name\n1,\"a,\"\"b\n\"\n")), 1L);
            equal(one(c, "SELECT count(*) FROM tj WHERE name = E'a,\"b\\n'"), 1L);
        }
    }

    public static void test_errors_carry_their_fields() throws Exception {
        try (Connection c = connect()) {
            fresh(c, "id int PRIMARY KEY, v int CHECK (v > 0)");
            run(c, "INSERT INTO tj VALUES (1, 1)");
            PSQLException error = (PSQLException) fails("23505", () -> run(c, "INSERT INTO tj VALUES (1, 1)"));
            equal(error.getServerErrorMessage().getConstraint(), "tj_pkey");
            equal(error.getServerErrorMessage().getTable(), "tj");
            equal(error.getServerErrorMessage().getDetail(), "Key (id)=(1) already exists.");
            fails("23514", () -> run(c, "INSERT INTO tj VALUES (2, 0)"));
            error = (PSQLException) fails("42601", () -> run(c, "SELECT FROM WHERE"));
            equal(error.getServerErrorMessage().getPosition(), 13);
            fails("42P01", () -> c.prepareStatement("SELECT * FROM nowhere").executeQuery());
            fails("22012", () -> one(c, "SELECT 1/0"));
            try (Statement s = c.createStatement()) {
                s.execute("DROP TABLE IF EXISTS never_was");
                equal(s.getWarnings().getMessage(), "table \"never_was\" does not exist, skipping");
            }
        }
    }

    public static void test_statements_time_out_and_are_cancelled() throws Exception {
        try (Connection c = connect()) {
            try (Statement s = c.createStatement()) {
                s.setQueryTimeout(1);
                fails("57014", () -> s.execute("SELECT pg_sleep(30)"));
            }
            try (Statement s = c.createStatement()) {
                // What is cancelled before it runs is not cancelled at all, so it is tried again.
                AtomicBoolean hasEnded = new AtomicBoolean();
                Thread canceller = new Thread(() -> {
                    try {
                        while (!hasEnded.get()) {
                            Thread.sleep(300);
                            s.cancel();
                        }
                    } catch (InterruptedException | SQLException error) {
                        throw new IllegalStateException(error);
                    }
                });
                canceller.start();
                fails("57014", () -> s.execute("SELECT pg_sleep(30)"));
                hasEnded.set(true);
                canceller.join();
            }
            equal(one(c, "SELECT 1"), 1);
        }
    }

    public static void test_plans_follow_the_schema() throws Exception {
        try (Connection c = connect("prepareThreshold", "1")) {
            fresh(c, "a int");
            run(c, "INSERT INTO tj VALUES (1)");
            try (PreparedStatement s = c.prepareStatement("SELECT * FROM tj")) {
                equal(rows(s.executeQuery()).get(0), List.of(1));
                equal(rows(s.executeQuery()).get(0), List.of(1));
                run(c, "ALTER TABLE tj ADD COLUMN b int DEFAULT 2");
                equal(rows(s.executeQuery()).get(0), List.of(1, 2));
            }
        }
    }

    public static void test_threads_transfer_money() throws Exception {
        try (Connection c = connect()) {
            fresh(c, "id int PRIMARY KEY, balance bigint NOT NULL");
            run(c, "INSERT INTO tj SELECT i, 1000 FROM generate_series(1, 20) AS i");
            AtomicReference<Exception> failure = new AtomicReference<>();
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 8; t++) {
                final int seed = t;
                threads.add(new Thread(() -> transfer(seed, failure)));
            }
            for (Thread thread : threads) {
                thread.start();
            }
            for (Thread thread : threads) {
                thread.join();
            }
            if (failure.get() != null) {
                throw failure.get();
            }
            equal(one(c, "SELECT sum(balance)::bigint FROM tj"), 20000L);
        }
    }

    static void transfer(int seed, AtomicReference<Exception> failure) {
        try (Connection mine = connect()) {
            mine.setAutoCommit(false);
            try (PreparedStatement change = mine.prepareStatement("UPDATE tj SET balance = balance + ? WHERE id = ?")) {
                for (int i = 0; i < 40; i++) {
                    int from = (seed * 7 + i) % 20 + 1;
                    int to = (seed * 3 + i * 5) % 20 + 1;
                    try {
                        change.setLong(1, -5);
                        change.setInt(2, from);
                        change.executeUpdate();
                        change.setLong(1, 5);
                        change.setInt(2, to);
                        change.executeUpdate();
                        mine.commit();
                    } catch (SQLException error) {
                        if (!"40P01".equals(error.getSQLState())) {
                            throw error;
                        }
                        mine.rollback();
                    }
                }
            }
        } catch (Exception error) {
            failure.set(error);
        }
    }

    public static void main(String[] arguments) throws Exception {
        url = arguments[0];
        boolean failed = false;
        Method[] methods = Day.class.getDeclaredMethods();
        Arrays.sort(methods, Comparator.comparing(Method::getName));
        for (Method method : methods) {
            String name = method.getName();
            if (!name.startsWith("test_") || (arguments.length > 1 && !Arrays.asList(arguments).contains(name.substring(5)))) {
                continue;
            }
            try {
                method.invoke(null);
                System.out.println("ok jdbc/" + name.substring(5));
            } catch (InvocationTargetException wrapped) {
                failed = true;
                Throwable error = wrapped.getCause();
                int line = 0;
                for (StackTraceElement element : error.getStackTrace()) {
                    if (element.getMethodName().contains(name) && line == 0) {
                        line = element.getLineNumber();
                    }
                }
                System.out.println("not ok jdbc/" + name.substring(5) + ": line " + line + ": " + String.valueOf(error).replace('\n', '|'));
            }
        }
        System.exit(failed ? 1 : 0);
    }
}
