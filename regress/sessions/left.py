"""A database that its last session has left, and another enters: the plans of those before it are whole."""

TURNS = 20


def columns_of(session, sql):
    return [line for line in session.query(sql) if line.startswith("columns")]


def run(connect):
    """`connect(database)`: a new session."""
    keeper = connect("postgres")
    keeper.must("create database sessions_left")
    first = connect("sessions_left")
    first.must("create table left_table (first_column int, second_column text)")
    first.must("create view left_view as select first_column as one_renamed, second_column as two_renamed from left_table")
    queries = ("select * from left_view", "select * from left_table", "select * from pg_tables where false")
    wanted = [columns_of(first, sql) for sql in queries]
    first.close()
    wrong = [] if all(wanted) else ["columns are missing at first"]
    for turn in range(TURNS):
        session = connect("sessions_left")
        got = [columns_of(session, sql) for sql in queries]
        if got != wanted:
            wrong.append(f"turn {turn}: {got}")
        session.close()
        # Something else takes the memory that was given back.
        for number in range(5):
            keeper.query(f"select relname, relkind from pg_class where relname > '{'a' * number}'")
    keeper.query("drop database sessions_left")
    keeper.close()
    print("ok sessions/left" if not wrong else f"not ok sessions/left: wanted {wanted}, got {wrong[0]}")
