#!/usr/bin/env python3
"""Settings: none is accepted and ignored; what they promise for the log, for connections and for those who watch.

usage: run.py --build DIR [--long | --quick]
"""
import grp
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP / "tools"))
import settings_page
import suite
import wire
from generate_base import settings
from sengi_server import Server, ServerFailure
from suite import Failure, Observed, answer, check, wait_for

TESTS = []
TABLE = list(settings(settings_page.TABLE))


def test(function):
    """Registers a test."""
    TESTS.append(function)
    return function


# ---------------------------------------------------------------------- the table


@test
def every_setting_is_read_or_refused_or_explained(_):
    texts = "".join(path.read_text(encoding="utf-8") for folder in ("src", "grammar") for path in (TOP / folder).rglob("*")
                    if path.suffix in (".c", ".h", ".re", ".y"))
    # How settings() and its kin are read; `values` and `now` are the names that code has for them.
    read = set(re.findall(r"(?:->|\.)([a-z_]+)\b", texts)) | {name.lower() for name in re.findall(r"\bSETTING_([A-Z_]+)\b", texts)}
    idle = [setting.name for setting in TABLE if setting.use == "read" and setting.field not in read]
    check(not idle, f"said to be used, but no source reads them: {idle}")
    check(len(TABLE) > 300, "the table has shrunk")
    check(settings_page.PAGE.read_text(encoding="utf-8") == settings_page.page(), "docs/settings.md is old: run tools/settings_page.py")


def another_value(setting):
    """A value of the setting's type that its line does not allow; None: there is none."""
    candidates = {"bool": ["on", "off"], "enum": setting.options, "string": ["other"], "integer": [setting.high, setting.low], "real": [setting.high, setting.low]}
    for value in candidates[setting.kind]:
        if value and value not in setting.only:
            return value
    return None


@test
def what_cannot_be_done_is_refused_everywhere(options):
    # Those that fail for another reason first: there are no such objects, words or values.
    other_errors = {"default_tablespace", "temp_tablespaces", "default_table_access_method", "log_destination", "default_with_oids", "ssl_renegotiation_limit"}
    with Observed(options) as it:
        counted = 0
        for setting in TABLE:
            value = another_value(setting) if setting.only else None
            if value is None or setting.name in other_errors:
                continue
            counted += 1
            refusal = 'C0A000 | Mvalue "'
            commands = [f"ALTER SYSTEM SET {setting.name} = '{value}'"]
            if setting.context in ("user", "superuser"):
                commands += [f"SET {setting.name} = '{value}'", f"SELECT set_config('{setting.name}', '{value}', false)",
                             f"ALTER ROLE postgres SET {setting.name} = '{value}'", f"ALTER DATABASE postgres SET {setting.name} = '{value}'"]
            for command in commands:
                got = answer(it.connection, command)
                check(refusal in got and f'of parameter "{setting.name}" is not supported' in got, f"{command}: {got}")
        check(counted > 80, f"only {counted} are refused")
        check(not (it.server.data / "sengi.auto.conf").exists() or "=" not in (it.server.data / "sengi.auto.conf").read_text(), "ALTER SYSTEM has kept something")
        said = it.load("fsync = off\nwork_mem = 9MB\n")
        check('value "off" of parameter "fsync" is not supported' in said, "a reload takes fsync = off")
        check(answer(it.connection, "SHOW fsync") == "on" and answer(it.connection, "SHOW work_mem") == "9MB", "the file's other line does not count")
        check('value "off" of parameter "fsync"' in answer(it.connection, "SELECT error FROM pg_file_settings WHERE name = 'fsync'"), "pg_file_settings does not tell")
    for name, chosen in (("fsync", "off"), ("wal_level", "logical")):
        try:
            with Observed(options, **{name: chosen}):
                raise Failure(f"the command line's {name} = {chosen} is taken")
        except ServerFailure as failure:
            check("is not supported" in str(failure), str(failure))


@test
def a_setting_of_any_value_takes_them(options):
    with Observed(options) as it:
        for setting in TABLE:
            if setting.use != "any" or setting.context not in ("user", "superuser"):
                continue
            value = {"bool": "off", "enum": setting.options[-1], "integer": setting.low, "real": setting.low}.get(setting.kind, "")
            check(answer(it.connection, f"SET {setting.name} = '{value}'") == "tag SET", f"{setting.name} = {value}")
        check(answer(it.connection, "SELECT 1") == "1", "no answer")


@test
def a_log_line_prefix_has_only_escapes_that_print(options):
    with Observed(options) as it:
        for prefix in ("%i", "a %-10v", "%%%x "):
            check("C0A000 | M%" in answer(it.connection, f"ALTER SYSTEM SET log_line_prefix = '{prefix}'"), f"{prefix} is taken")
        for prefix in ("%m [%p] %q%u@%d ", "%%i %%x", "100%"):
            check(answer(it.connection, f"ALTER SYSTEM SET log_line_prefix = '{prefix}'") == "tag ALTER SYSTEM", f"{prefix} is refused")


@test
def a_client_brings_along_only_what_it_may_set(options):
    with Observed(options) as it:
        it.connection.query("CREATE ROLE plain LOGIN")
        it.connection.query("ALTER ROLE plain SET log_statement = 'none'")
        it.connection.query("ALTER DATABASE postgres SET work_mem = '5MB'")
        it.connection.query("ALTER ROLE ALL SET work_mem = '6MB'")
        it.connection.query("ALTER ROLE plain IN DATABASE postgres SET lock_timeout = '7s'")
        it.connection.query("ALTER ROLE plain SET statement_timeout = '8s'")

        def psql(options, sql):
            result = subprocess.run(["psql", "-X", "-At", "-h", "127.0.0.1", "-p", str(it.server.port), "-U", "plain", "postgres", "-c", sql], capture_output=True,
                                    text=True, env={**os.environ, "PGOPTIONS": options}, timeout=60)
            return (result.stdout + result.stderr).strip()

        sources = "SELECT string_agg(name || '=' || source, ' ' ORDER BY name) FROM pg_settings WHERE name IN ('work_mem', 'lock_timeout', 'statement_timeout', 'log_statement', 'seq_page_cost')"
        check(psql("-c seq_page_cost=2", sources) == "lock_timeout=database user log_statement=user seq_page_cost=client statement_timeout=user work_mem=database", psql("-c seq_page_cost=2", sources))
        check('permission denied to set parameter "log_statement"' in psql("-c log_statement=all", "SELECT 1"), "a plain role's options set what superusers may")
        check('permission denied to set parameter "session_replication_role"' in psql("-c session_replication_role=replica", "SELECT 1"), "keys can be switched off")
        check(psql("-c my.own=5", "SHOW my.own") == "5", "a custom parameter of the connection's options")
        check("0A000" in psql("-c plan_cache_mode=force_custom_plan", "SELECT 1") or "is not supported" in psql("-c plan_cache_mode=force_custom_plan", "SELECT 1"), "refusals in options")


@test
def custom_parameters_come_from_files_too(options):
    with Observed(options) as it:
        check("unrecognized configuration parameter \"my.tenant\"" in answer(it.connection, "ALTER SYSTEM SET my.tenant = 'seven'"), "ALTER SYSTEM takes what nobody knows")
        it.connection.query("SET my.tenant = 'six'")
        check(answer(it.connection, "ALTER SYSTEM SET my.tenant = 'seven'") == "tag ALTER SYSTEM", "ALTER SYSTEM does not take a custom parameter")
        it.load("my.region = 'north'\n")
        fresh = wire.Connection(it.server.port)
        check(answer(fresh, "SELECT current_setting('my.tenant'), current_setting('my.region')") == "seven | north", answer(fresh, "SELECT current_setting('my.tenant', true), current_setting('my.region', true)"))
        fresh.query("SET my.tenant = 'eight'")
        check(answer(fresh, "SHOW my.tenant") == "eight", "SET does not count")
        fresh.query("RESET my.tenant")
        check(answer(fresh, "SHOW my.tenant") == "seven", "RESET does not go back to the file's value: " + answer(fresh, "SHOW my.tenant"))
        fresh.close()


# ---------------------------------------------------------------------- the log


def commits_wait(connection, count=20):
    """Is the log synced for each row that is inserted? Who doesn't wait for that is faster now and then."""
    for _ in range(20):
        before = int(answer(connection, "SELECT wal_sync FROM pg_stat_wal"))
        for _ in range(count):
            connection.query("INSERT INTO synced VALUES (1)")
        if int(answer(connection, "SELECT wal_sync FROM pg_stat_wal")) - before < count:
            return False
    return True


@test
def synchronous_commit_counts_wherever_it_comes_from(options):
    with Observed(options) as it:
        one = it.connection
        one.query("CREATE TABLE synced (a int)")
        check(commits_wait(one), "a commit does not wait")
        one.query("SET synchronous_commit = off")
        check(not commits_wait(one), "SET does not count")
        one.query("RESET synchronous_commit")
        check(commits_wait(one), "RESET does not count")
        for statements in (("BEGIN", "SET LOCAL synchronous_commit = off", "INSERT INTO synced VALUES (1)", "COMMIT"),
                           ("BEGIN", "SET synchronous_commit = off", "ROLLBACK"),
                           ("BEGIN", "SAVEPOINT a", "SET synchronous_commit = off", "ROLLBACK TO a", "COMMIT")):
            for statement in statements:
                one.query(statement)
            check(commits_wait(one), f"after {statements} commits do not wait")
        one.query("ALTER SYSTEM SET synchronous_commit = off")
        it.server.reload()
        check(not commits_wait(one), "a reload does not count")
    with Observed(options, synchronous_commit="off") as it:
        it.connection.query("CREATE TABLE synced (a int)")
        check(not commits_wait(it.connection), "the configuration does not count")


@test
def texts_set_again_and_again_take_no_memory(options):
    def resident(server):
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{server.process.pid}/status").read_text())[1])

    observed = Observed(options)
    # ASan keeps what has been given back for a while.
    observed.server.environment["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0:quarantine_size_mb=1:thread_local_quarantine_size_kb=16"
    with observed as it:
        def many():
            for i in range(300):
                it.connection.query(f"BEGIN; SELECT set_config('app.tenant', repeat('x', 10000) || {i}, true); COMMIT")
                it.connection.query(f"SET search_path = '{'y' * 60}{i}', '{'z' * 60}'")

        many()
        before = resident(it.server)
        for _ in range(4):
            many()
        check(resident(it.server) - before < 6000, f"{resident(it.server) - before} kB more after 1,200 transactions with 12 MB of settings")
        check(answer(it.connection, "SHOW search_path") == f"{'y' * 60}299, {'z' * 60}", "the path is another")


@test
def long_waits_for_locks_are_logged(options):
    with Observed(options, log_lock_waits="on", deadlock_timeout="100ms") as it:
        it.connection.query("CREATE TABLE waited (a int)")
        it.connection.query("INSERT INTO waited VALUES (1)")
        holder, waiter = wire.Connection(it.server.port), wire.Connection(it.server.port)
        pids = [answer(connection, "SELECT pg_backend_pid()") for connection in (holder, waiter)]
        for hold, wait, what in (("UPDATE waited SET a = 2", "UPDATE waited SET a = 3", "ShareLock on transaction"),
                                 ("LOCK TABLE waited", "SELECT * FROM waited", "AccessShareLock on relation"),
                                 ("SELECT pg_advisory_xact_lock(7)", "SELECT pg_advisory_xact_lock(7)", "ExclusiveLock on advisory lock")):
            before = len(it.log())
            holder.query("BEGIN")
            holder.query(hold)
            thread = threading.Thread(target=waiter.query, args=(wait,))
            thread.start()
            wait_for(lambda: "still waiting" in it.log()[before:], f"the wait for {what} is not told")
            holder.query("COMMIT")
            thread.join()
            said = it.log()[before:]
            waiting = re.search(rf"LOG:  process {pids[1]} still waiting for {what} .* after (\d+\.\d{{3}}) ms\n", said)
            acquired = re.search(rf"LOG:  process {pids[1]} acquired {what} .* after (\d+\.\d{{3}}) ms\n", said)
            check(f"DETAIL:  Process holding the lock: {pids[0]}. Wait queue: {pids[1]}." in said and f"STATEMENT:  {wait}" in said, said)
            check(waiting and acquired and 100 <= float(waiting[1]) < float(acquired[1]), said)
        waiter.query("SET log_lock_waits = off")
        holder.query("BEGIN")
        holder.query("LOCK TABLE waited")
        waiter.query("SET lock_timeout = '1s'")
        said = it.said("SELECT * FROM waited", connection=waiter)
        check("still waiting" not in said and "canceling statement due to lock timeout" in said, said)
        waiter.query("SET log_lock_waits = on")
        said = it.said("SELECT * FROM waited", connection=waiter)
        check("still waiting" in said and "canceling statement due to lock timeout" in said, said)
        holder.close()
        waiter.close()


@test
def temporary_files_are_logged(options):
    with Observed(options, work_mem="64kB") as it:
        big = "SELECT count(*) FROM (SELECT g, repeat('x', 50) FROM generate_series(1, 20000) g ORDER BY 2, 1 DESC OFFSET 0) s"
        check("temporary file" not in it.said(big), "files are told without being asked for")
        it.connection.query("SET log_temp_files = 0")
        said = it.said(big)
        check(re.search(r'LOG:  temporary file: path ".*sengi_tmp[^"]*", size \d{6,}\n', said), said)
        it.connection.query("SET log_temp_files = '1GB'")
        check("temporary file" not in it.said(big), "small files are told")


@test
def lines_begin_as_log_line_prefix_says(options):
    prefix = "<%a|%u|%d|%r|%h|%b|%p|%t|%m|%n|%e|%c|%l|%s|%%|%-9u|%9d|%q:>"
    with Observed(options, log_line_prefix=prefix, log_timezone="Asia/Kolkata", log_error_verbosity="verbose") as it:
        it.connection.query("SET application_name = 'tried'")
        said = it.said("SELECT 1/0")
        pid = answer(it.connection, "SELECT pg_backend_pid()")
        stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
        head = (rf"<tried\|postgres\|postgres\|127\.0\.0\.1\(\d+\)\|127\.0\.0\.1\|client backend\|{pid}\|{stamp} IST\|{stamp}\.\d{{3}} IST\|\d+\.\d{{3}}\|22012\|[0-9a-f]+\.{int(pid):x}"
                rf"\|(\d+)\|{stamp} IST\|%\|postgres \| postgres\|:>")
        match = re.search(head + r"ERROR:  22012: division by zero\n", said)
        check(match, said)
        check(re.search(head + r"LOCATION:  \w+, \w+\.c:\d+\n", said), said)
        number = int(match.group(1))
        said = it.said("SELECT 1/0")
        check(int(re.search(head + "ERROR", said).group(1)) == number + 1, said)
        check("|postmaster|" in it.log() and "|%|         |         |" in it.log() and ":>LOG" not in it.log(), it.log()[:400])
        # The log's clock and the world's agree.
        told = re.search(r"\|(\d+)\.\d{3}\|22012", said)
        check(abs(int(told.group(1)) - time.time()) < 60, said)


@test
def parameters_and_samples_are_logged(options):
    script = "SELECT :number + 2, 'it''s' || :word;\n"
    with Observed(options, log_min_duration_statement="0") as it:
        path = it.server.directory / "script.sql"
        path.write_text(script)

        def bench():
            before = len(it.log())
            subprocess.run(suite.pgbench(it.server.port, "-n", "-M", "extended", "-f", path, "-t", "40", "-D", "number=40", "-D", "word=7"), check=True, capture_output=True)
            return it.log()[before:]

        said = bench()
        check("DETAIL:  parameters: $1 = '40', $2 = '7'\n" in said, said[-600:])
        it.load("log_parameter_max_length = 1\n")
        check("DETAIL:  parameters: $1 = '4...', $2 = '7'\n" in bench(), "a long parameter is not cut")
        it.load("log_parameter_max_length = 0\n")
        check("parameters:" not in bench(), "parameters are told in spite of log_parameter_max_length = 0")
    with Observed(options, log_min_duration_sample="0", log_statement_sample_rate="0.5") as it:
        said = it.said(*["SELECT 'sampled'"] * 200)
        check(40 < said.count("statement: SELECT 'sampled'") < 160, f"{said.count('sampled')} of 200 at a rate of one half")
        it.connection.query("SET log_statement_sample_rate = 0")
        check("duration" not in it.said("SELECT 1", "SELECT 2"), "a rate of 0 still samples")


@test
def checkpoints_that_come_too_fast_are_told(options):
    with Observed(options, max_wal_size="32MB", min_wal_size="32MB", checkpoint_warning="300s") as it:
        it.connection.query("CREATE TABLE filled (a int, t text)")
        for _ in range(12):
            it.connection.query("INSERT INTO filled SELECT g, repeat(md5(g::text), 30) FROM generate_series(1, 10000) g")
            if "checkpoints are occurring too frequently" in it.log():
                break
        check(re.search(r"LOG:  checkpoints are occurring too frequently \(\d+ seconds? apart\)\n.*HINT:  Consider increasing the configuration parameter \"max_wal_size\"\.\n", it.log()), it.log()[-800:])


# ---------------------------------------------------------------------- connections


@test
def sockets_have_the_times_that_were_set(options):
    with Observed(options, tcp_keepalives_idle="77", tcp_user_timeout="5s") as it:
        usual = pathlib.Path("/proc/sys/net/ipv4/tcp_keepalive_intvl").read_text(encoding="ascii").strip()
        check(answer(it.connection, "SELECT current_setting('tcp_keepalives_idle'), current_setting('tcp_keepalives_interval'), current_setting('tcp_user_timeout')") ==
              f"77 | {usual} | 5000", answer(it.connection, "SHOW tcp_user_timeout"))
        it.connection.query("SET tcp_keepalives_interval = 33")
        it.connection.query("SET tcp_keepalives_count = 4")
        check(answer(it.connection, "SHOW tcp_keepalives_interval") == "33" and answer(it.connection, "SHOW tcp_keepalives_count") == "4", "SET has no effect")
        it.connection.query("BEGIN")
        it.connection.query("SET tcp_keepalives_interval = 44")
        it.connection.query("ROLLBACK")
        check(answer(it.connection, "SHOW tcp_keepalives_interval") == "33", "ROLLBACK leaves it")
        it.connection.query("RESET tcp_keepalives_interval")
        check(answer(it.connection, "SHOW tcp_keepalives_interval") == usual, "RESET has no effect")
        # The kernel agrees: the socket's timer runs for 77 seconds, once what was sent last has been acknowledged.
        wait_for(lambda: 60 < keepalive_seconds(it.server.port) <= 77, lambda: f"keepalive in {keepalive_seconds(it.server.port)} s")
        local = subprocess.run(["psql", "-X", "-At", "-h", str(it.server.directory), "-p", str(it.server.port), "-U", "postgres", "postgres", "-c",
                                "SET tcp_keepalives_idle = 5", "-c", "SHOW tcp_keepalives_idle"], capture_output=True, text=True, check=True).stdout
        check(local.split() == ["SET", "0"], local)


def keepalive_seconds(port):
    """How long the kernel will wait before it probes the server's side of a connection; 0: it does not."""
    for line in pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, local, _, state, _, timer, *_ = line.split()
        kind, _, ticks = timer.partition(":")
        if local.endswith(f":{port:04X}") and state == "01" and kind == "02":
            return int(ticks, 16) / os.sysconf("SC_CLK_TCK")
    return 0


@test
def the_socket_belongs_to_the_group_that_was_set(options):
    groups = [group for group in os.getgroups() if group != os.getegid()] or [grp.getgrnam("daemon").gr_gid] if os.geteuid() == 0 else os.getgroups()
    for name in (str(groups[0]), grp.getgrgid(groups[0]).gr_name):
        with Observed(options, unix_socket_group=name, unix_socket_permissions="0770") as it:
            facts = (it.server.directory / f".s.PGSQL.{it.server.port}").stat()
            check(facts.st_gid == groups[0] and facts.st_mode & 0o777 == 0o770, f"{facts}")
            check(answer(it.connection, "SHOW unix_socket_permissions") == "0770", "SHOW")
    server = Server(options.build, settings={"unix_socket_group": "no such group"})
    try:
        server.start()  # TCP may answer before the socket is made
        server.process.wait(timeout=60)
    except ServerFailure:
        pass
    said = server.log_tail()
    check(not server.is_up() and 'group "no such group" does not exist' in said, said)
    server.remove()


@test
def queries_are_shown_as_far_as_was_asked(options):
    with Observed(options, track_activity_query_size="5000") as it:
        text = f"SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid() AND '{'é' * 2000}' <> ''"
        check(answer(it.connection, text) == text, "a text of 4,000 bytes is cut")
        text = f"SELECT octet_length(query), query LIKE 'SELECT%' FROM pg_stat_activity WHERE pid = pg_backend_pid() AND '{'é' * 4000}' <> ''"
        check(answer(it.connection, text) in ("4999 | t", "4998 | t"), answer(it.connection, text))


# ---------------------------------------------------------------------- plans


@test
def explicit_joins_stay_where_they_are_written(options):
    with Observed(options) as it:
        for name, rows in (("one", 10000), ("two", 10000), ("three", 1)):
            it.connection.query(f"CREATE TABLE {name} (a int, b int)")
            it.connection.query(f"INSERT INTO {name} SELECT g, g FROM generate_series(1, {rows}) g")
        it.connection.query("ANALYZE")
        for limit, joined in (("join_collapse_limit", "one JOIN two ON one.a = two.a JOIN three ON three.b = two.b"),
                              ("from_collapse_limit", "(SELECT one.a, two.b FROM one, two WHERE one.a = two.a) s, three WHERE three.b = s.b")):
            query = f"EXPLAIN (COSTS OFF) SELECT * FROM {joined}"
            check(self_joins(answer(it.connection, query)) == {"three", "two"}, f"{limit}: the small table is not joined first: {answer(it.connection, query)}")
            it.connection.query(f"SET {limit} = 1")
            check(self_joins(answer(it.connection, query)) == {"one", "two"}, f"{limit} = 1 has no effect: {answer(it.connection, query)}")
            it.connection.query(f"RESET {limit}")


def self_joins(plan):
    """The two tables that are joined first: the scans below a join that has no others."""
    lines = plan.split("\n")
    for at, line in enumerate(lines):
        if not re.search("Join|Nested Loop", line):
            continue
        indent = len(line) - len(line.lstrip())
        below = []
        for other in lines[at + 1:]:
            if "->" in other and len(other) - len(other.lstrip()) <= indent:
                break
            below += re.findall(r"Scan.* on (\w+)", other)
        if len(below) == 2:
            return set(below)
    return set()


suite.run(TESTS)
