"""Tests of one driver: functions marked @test, each printed as `ok NAME` or `not ok NAME: why`.

The server is where PGHOST, PGPORT, PGUSER and PGDATABASE say, so the same tests run against PostgreSQL.
"""
import sys
import threading
import time
import traceback

TESTS = []


def test(function):
    """Marks a test; it is named for what must be true."""
    TESTS.append(function)
    return function


def check(condition, message=""):
    """Fails the test unless the condition holds."""
    if not condition:
        raise AssertionError(message or "the condition does not hold")


def equal(got, wanted):
    """Fails the test unless both are the same, types included."""
    if got != wanted or type(got) is not type(wanted):
        raise AssertionError(f"wanted {wanted!r}, got {got!r}")


def raises(kind, function, *arguments, code=None, **named):
    """The error of that kind (and SQLSTATE) that the call raises; the test fails without one."""
    try:
        function(*arguments, **named)
    except kind as error:
        state = getattr(error, "pgcode", None) or getattr(error, "sqlstate", None)
        if code is not None and state != code:
            raise AssertionError(f"wanted SQLSTATE {code}, got {state}: {error}") from error
        return error
    raise AssertionError(f"wanted {kind.__name__}, got no error")


def cancelled(connect, connection, function, *arguments):
    """What the call gives while its statement, once it runs, is cancelled from another thread."""
    def cancel():
        watcher = connect()
        watcher.autocommit = True
        with watcher.cursor() as cursor:
            state = None
            while state != ("active",):  # before that a cancel is for nobody
                cursor.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", (connection.info.backend_pid,))
                state = cursor.fetchone()
                time.sleep(0.02)
        watcher.close()
        connection.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    try:
        return function(*arguments)
    finally:
        canceller.join()


def main(suite):
    """Runs every test, or those whose names the command line gives."""
    failed = False
    for function in TESTS:
        if len(sys.argv) > 1 and function.__name__ not in sys.argv[1:]:
            continue
        name = f"{suite}/{function.__name__}"
        try:
            function()
            print(f"ok {name}", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            failed = True
            where = traceback.extract_tb(error.__traceback__)
            line = next((f.lineno for f in reversed(where) if not f.filename.endswith("harness.py")), 0)
            print(f"not ok {name}: line {line}: {type(error).__name__}: {str(error).strip()}".replace("\n", " | "), flush=True)
    sys.exit(1 if failed else 0)
