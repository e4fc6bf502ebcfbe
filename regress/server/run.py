#!/usr/bin/env python3
"""What an operator does: the commands' answers to mistakes, reloads of the configuration, log files and what goes into them.

usage: run.py --build DIR [--long | --quick]
"""
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
import suite
import wire
from sengi_server import Server, free_port
from suite import Failure, Observed, check, wait_for
from suite import answer as value

TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Commands:
    """Runs the program in a directory of its own."""

    def __init__(self, build):
        self.binary = str(build / "src/server/sengi")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sengi-test-"))

    def run(self, *arguments, status, says):
        result = subprocess.run([self.binary, *arguments], cwd=self.directory, capture_output=True, text=True, timeout=60)
        said = result.stdout + result.stderr
        check(result.returncode == status, f"{arguments}: status {result.returncode}, not {status}: {said!r}")
        for words in says:
            check(words in said, f"{arguments}: {words!r} is not in {said!r}")
        return said

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)


# ---------------------------------------------------------------------- commands and mistakes


@test
def help_names_every_command_and_option(options):
    commands = Commands(options.build)
    said = commands.run("--help", status=0, says=["sengi init DIR", "sengi serve DIR", "sengi verify DIR", "sengi status DIR", "--port", "-c name=value"])
    for option in re.findall(r"\[(--\w+)", said):
        command = "init" if option == "--username" else "serve"
        commands.run(command, "x", option, status=2, says=[f"{option} wants a"])
    commands.run(status=2, says=["usage:"])
    commands.run("--version", status=0, says=["15."])
    commands.run("sevre", status=2, says=['unknown command "sevre"', "init, serve, verify and status"])
    commands.remove()


@test
def init_keeps_off_what_is_there(options):
    commands = Commands(options.build)
    commands.run("init", status=2, says=["a directory is wanted"])
    commands.run("init", "data", status=0, says=["made a database directory: data"])
    check((commands.directory / "data").stat().st_mode & 0o777 == 0o700, "data can be read by others")
    commands.run("init", "data", status=1, says=['directory "data" exists but is not empty', "hint: "])
    (commands.directory / "full").mkdir()
    (commands.directory / "full/letter").write_text("dear")
    commands.run("init", "full", status=1, says=["exists but is not empty", 'It contains "letter"'])
    check((commands.directory / "full/letter").read_text() == "dear" and len(list((commands.directory / "full").iterdir())) == 1, "init touched it")
    (commands.directory / "open").mkdir(mode=0o755)
    commands.run("init", "open", status=0, says=["made"])
    check((commands.directory / "open").stat().st_mode & 0o777 == 0o700, "an empty directory stays open to others")
    commands.run("init", "full/letter", status=1, says=["letter", "Not a directory"])
    commands.run("init", "no/such/place", status=1, says=["no/such/place", "No such file or directory"])
    commands.remove()


@test
def an_interrupted_init_leaves_no_database(options):
    """Whenever it is killed: nothing opens what it leaves, or it is whole."""
    commands = Commands(options.build)
    start = time.monotonic()
    commands.run("init", "measured", status=0, says=["made"])
    whole = time.monotonic() - start
    interrupted, moments = 0, 12
    for moment in range(moments + 4):
        data = commands.directory / f"data{moment}"
        process = subprocess.Popen([commands.binary, "init", data], stdout=subprocess.DEVNULL)
        if moment < moments:
            time.sleep(whole * moment / moments)
        else:  # however uneven the machine is: as soon as there is something
            while process.poll() is None and not (data.exists() and any(data.iterdir())):
                time.sleep(0.001)
        process.kill()
        process.wait()
        if (data / "superblock").exists():
            commands.run("verify", data, status=0, says=["0 problems"])
        elif data.exists():
            data.chmod(0o700)
            commands.run("serve", data, status=1, says=["is not a database cluster directory", "sengi init"])
            if any(data.iterdir()):
                interrupted += 1
                commands.run("init", data, status=1, says=["exists but is not empty"])
        shutil.rmtree(data, ignore_errors=True)
    check(interrupted > 0, "no init was interrupted")
    commands.run("init", "data", status=0, says=["made"])
    check(not (commands.directory / "data/unfinished").exists(), "a whole database has an unfinished one inside")
    commands.remove()


def system_rows(binary, directory, *arguments):
    """What a new directory has in its system tables: rows as text by database and table, unordered."""
    subprocess.run([binary, "init", directory, *arguments], check=True, stdout=subprocess.DEVNULL)
    user = arguments[-1] if arguments else "postgres"
    port = free_port()
    server = subprocess.Popen([binary, "serve", directory, "--port", str(port), "--listen", "127.0.0.1", "--socket", directory],
                              stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: can_connect(port), "the server to listen")
        content = {}
        for database in ("template1", "postgres", "of_template0"):
            if database == "of_template0":
                wire.Connection(port, user, "postgres").must("CREATE DATABASE of_template0 TEMPLATE template0")
            connection = wire.Connection(port, user, database)
            tables = connection.rows("SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relname <> 'pg_database'")
            for table in tables + ["(SELECT * FROM pg_database WHERE oid < 12000)"]:
                content[database, table] = sorted(connection.rows(f"SELECT t::text FROM {table} t"))
            for view in connection.rows("SELECT oid::regclass FROM pg_class WHERE relkind = 'v'"):
                content[database, view] = connection.rows(f"SELECT pg_get_viewdef('{view}'::regclass)")
    finally:
        server.terminate()
        server.wait()
    return content


@test
def init_writes_out_what_it_would_make(options):
    """`sengi` has a template behind it; `sengi_bare`, of which that was made, has none and makes everything."""
    commands = Commands(options.build)
    for arguments in ((), ("--username", "Ann O'Neil")):
        name = "_".join(("data", *arguments[:1]))
        written = system_rows(commands.binary, commands.directory / name, *arguments)
        made = system_rows(commands.binary + "_bare", commands.directory / (name + "_made"), *arguments)
        check(len(written) > 3 * 60 and sum(map(len, written.values())) > 3 * 10000, "there are too few rows")
        check(written.keys() == made.keys(), f"the tables differ: {written.keys() ^ made.keys()}")
        for table, rows in written.items():
            check(rows == made[table], f"the rows of {table} differ: {list(set(rows) ^ set(made[table]))[:4]}")
        for directory in (name, name + "_made"):
            commands.run("verify", directory, status=0, says=["0 problems"])
    commands.remove()


@test
def a_template_has_no_free_room(options):
    commands = Commands(options.build)
    sizes = []
    for name in ("sengi", "sengi_bare"):
        commands.binary = str(options.build / "src/server" / name)
        commands.run("init", name, status=0, says=["made"])
        sizes.append((commands.directory / name / "pages").stat().st_size)
    check(sizes[0] < sizes[1] / 2, f"{sizes[0]} bytes of pages are written out, {sizes[1]} are made: is there no template?")
    commands.remove()


@test
def a_template_is_the_same_each_time(options):
    """So a build can be repeated, and nothing that memory had before gets into pages."""
    commands = Commands(options.build)
    commands.binary += "_bare"
    for name in ("one", "two"):
        commands.run("init", name, status=0, says=["made"])
        commands.run("template", name, name + ".template", status=0, says=[])
    one, two = ((commands.directory / f"{name}.template").read_bytes() for name in ("one", "two"))
    check(one == two, f"the templates differ: {len(one)} and {len(two)} bytes")
    check(pathlib.Path(options.build / "src/server/sengi").read_bytes().endswith(one), "it is not the one behind the program")
    commands.remove()


@test
def a_damaged_template_is_told(options):
    commands = Commands(options.build)
    program = commands.directory / "sengi"
    content = bytearray(pathlib.Path(commands.binary).read_bytes())
    content[-5000] ^= 1
    program.write_bytes(content)
    program.chmod(0o755)
    commands.binary = str(program)
    commands.run("init", "data", status=1, says=["the template for new databases is damaged", "install that again"])
    commands.remove()


@test
def serve_says_what_is_wrong_with_a_directory(options):
    commands = Commands(options.build)
    commands.run("serve", status=2, says=["a database directory is wanted"])
    said = commands.run("serve", "nowhere", status=1, says=['nowhere" does not exist', 'sengi init'])
    check("shut down" not in said, f"what never ran says that it is shut down: {said!r}")
    (commands.directory / "empty").mkdir(mode=0o700)
    commands.run("serve", "empty", status=1, says=["is not a database cluster directory", "sengi init"])
    (commands.directory / "file").write_text("")
    commands.run("serve", "file", status=1, says=["is not a directory"])
    commands.run("init", "data", status=0, says=["made"])
    for mode in (0o755, 0o770, 0o701):
        (commands.directory / "data").chmod(mode)
        commands.run("serve", "data", status=1, says=["has invalid permissions", "u=rwx (0700) or u=rwx,g=rx (0750)", "chmod 0700"])
    (commands.directory / "data").chmod(0o700)
    commands.run("serve", "data", "-c", "no_such=1", status=1, says=['unrecognized configuration parameter "no_such"'])
    commands.run("serve", "data", "-c", "work_mem=much", status=1, says=['invalid value for parameter "work_mem": "much"'])
    commands.run("serve", "data", "-c", "work_mem", status=2, says=['cannot make sense of "work_mem"'])
    commands.run("serve", "data", "--port", "99999", status=1, says=['99999 is outside the valid range for parameter "port"'])
    commands.run("serve", "data", "--port", status=2, says=["--port wants a value"])
    (commands.directory / "data/sengi.conf").write_text("work_mem = 4MB\nwork_mem = = 3\n")
    commands.run("serve", "data", status=1, says=["syntax error in file", "line 2"])
    (commands.directory / "data/sengi.conf").write_text("work_mem = 4XB\n")
    commands.run("serve", "data", status=1, says=['invalid value for parameter "work_mem": "4XB"', 'sengi.conf" line 1'])
    (commands.directory / "data/sengi.conf").write_text("")
    (commands.directory / "data/hba.conf").write_text("local all all trust\nhost all all nonsense\n")
    commands.run("serve", "data", status=1, says=["hba.conf", "2"])
    commands.remove()


@test
def a_port_or_directory_in_use_is_refused_and_left_alone(options):
    with Server(options.build) as server:
        temporary = server.data / "tmp/somebody-elses"
        temporary.write_text("spilled")
        other = free_port()
        result = subprocess.run([server.binary, "serve", str(server.data), "--port", str(other)], capture_output=True, text=True, timeout=60)
        check(result.returncode == 1 and "is in use" in result.stderr and "hint: Is another server running" in result.stderr, repr(result.stderr))
        check(temporary.exists(), "who may not have the directory cleans up in it")
        second = Commands(options.build)
        second.run("init", "data", status=0, says=["made"])
        second.run("serve", "data", "--port", str(server.port), "--listen", "127.0.0.1", status=1, says=[str(server.port), "Address already in use"])
        second.remove()
        connection = wire.Connection(server.port)
        check(value(connection, "SELECT 1") == "1", "the first server is upset")
        connection.close()


@test
def a_relative_directory_is_served_from_where_it_is(options):
    commands = Commands(options.build)
    commands.run("init", "data", status=0, says=["made"])
    port = free_port()
    with open(commands.directory / "log", "wb") as log:
        process = subprocess.Popen([commands.binary, "serve", "data", "--port", str(port), "--listen", "127.0.0.1"], cwd=commands.directory, stderr=log)
    try:
        wait_for(lambda: process.poll() is not None or can_connect(port), "it does not start")
        check(process.poll() is None, (commands.directory / "log").read_text())
        connection = wire.Connection(port)
        check(value(connection, "SHOW data_directory") == str(commands.directory / "data"), "data_directory is not whole")
        check(value(connection, "SHOW hba_file") == str(commands.directory / "data/hba.conf"), "hba_file is not whole")
        connection.close()
    finally:
        process.terminate()
        process.wait(30)
    commands.remove()


def can_connect(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return True
    except OSError:
        return False


# ---------------------------------------------------------------------- reloads


@test
def sighup_reads_the_configuration_again(options):
    with Observed(options) as it:
        said = it.load("work_mem = 9MB\nlog_min_duration_statement = 5s\n")
        check("received SIGHUP, reloading configuration files" in said, said)
        check('parameter "work_mem" changed to "9MB"' in said and 'parameter "log_min_duration_statement" changed to "5s"' in said, said)
        check(it.show("work_mem") == "9MB", "an open session does not see it: " + it.show("work_mem"))
        fresh = wire.Connection(it.server.port)
        check(value(fresh, "SHOW work_mem") == "9MB", "a new session does not see it")
        check(value(fresh, "SELECT source, sourceline FROM pg_settings WHERE name = 'work_mem'").startswith("configuration file | 1"), "its source is not shown")
        # What a session has set itself stays.
        fresh.query("SET work_mem = '3MB'")
        said = it.load("work_mem = 10MB\n")
        check('parameter "log_min_duration_statement" removed from configuration file, reset to default' in said, said)
        check(value(fresh, "SHOW work_mem") == "3MB", "a reload takes SET's value away")
        fresh.query("RESET work_mem")
        check(value(fresh, "SHOW work_mem") == "10MB", "RESET does not go to what the file says now")
        fresh.close()
        said = it.load("")
        check(it.show("work_mem") == "4MB", "a line taken out has no effect")
        check(value(it.connection, "SELECT session_user, current_setting('is_superuser')") == "postgres | on", "a reload changes who the session is")
        # A transaction goes on with what it began with; the next one takes it up.
        it.connection.query("BEGIN")
        it.connection.query("SET LOCAL enable_seqscan = off")
        (it.server.data / "sengi.conf").write_text("work_mem = 11MB\n")
        it.server.reload()
        it.connection.query("COMMIT")
        check(it.show("work_mem") == "11MB", "after the transaction it is not taken up")


@test
def stray_signals_are_passed_over(options):
    with Observed(options) as it:
        for stray in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGPIPE, signal.SIGCHLD, signal.SIGWINCH):
            it.server.process.send_signal(stray)
            time.sleep(0.05)
            check(value(it.connection, "SELECT 1") == "1", f"{stray.name} ends the server")


@test
def pg_reload_conf_does_as_sighup(options):
    with Observed(options) as it:
        check(value(it.connection, "ALTER SYSTEM SET work_mem = '7MB'") == "tag ALTER SYSTEM", "ALTER SYSTEM fails")
        check(it.show("work_mem") == "4MB", "ALTER SYSTEM takes effect without a reload")
        check(value(it.connection, "SELECT pg_reload_conf()") == "t", "pg_reload_conf fails")
        wait_for(lambda: it.show("work_mem") == "7MB", "pg_reload_conf has no effect")
        it.connection.query("ALTER SYSTEM RESET work_mem")
        it.connection.query("SELECT pg_reload_conf()")
        wait_for(lambda: it.show("work_mem") == "4MB", "ALTER SYSTEM RESET has no effect")


@test
def what_a_reload_cannot_use_is_told_and_left(options):
    with Observed(options) as it:
        said = it.load("work_mem = lots\nmaintenance_work_mem = 77MB\nno_such_thing = 1\n")
        check('LOG:  invalid value for parameter "work_mem": "lots"' in said, said)
        check('unrecognized configuration parameter "no_such_thing" in file' in said and "line 3" in said, said)
        check("contains errors; unaffected changes were applied" in said, said)
        check(it.show("work_mem") == "4MB" and it.show("maintenance_work_mem") == "77MB", "the good line does not count, or the bad one does")
        said = it.load("maintenance_work_mem = 78MB\nwork_mem 'x\n")
        check("syntax error in file" in said and "line 2" in said and "contains errors; no changes were applied" in said, said)
        check(it.show("maintenance_work_mem") == "77MB", "half of a file that cannot be read is applied")
        said = it.load("max_connections = 77\nmaintenance_work_mem = 79MB\n")
        check('parameter "max_connections" cannot be changed without restarting the server' in said, said)
        check("contains errors; unaffected changes were applied" in said, said)
        check(it.show("max_connections") != "77" and it.show("maintenance_work_mem") == "79MB", "it is changed while running")
        check(value(it.connection, "SELECT string_agg(name, ',') FROM pg_settings WHERE pending_restart") == "max_connections", "pending_restart is not true")
        it.load("")
        check(value(it.connection, "SELECT count(*) FROM pg_settings WHERE pending_restart") == "0", "pending_restart stays")


@test
def hba_conf_is_read_again_or_kept(options):
    rules = "local all all trust\nhost all all 127.0.0.1/32 trust\n"
    with Observed(options) as it:
        it.load(hba="host all nobody 127.0.0.1/32 trust\n")
        try:
            wire.Connection(it.server.port).close()
            raise Failure("the new rules do not count")
        except wire.WireError as error:
            check("no pg_hba.conf entry" in str(error) or "28000" in str(error), str(error))
        it.load(hba=rules)
        wire.Connection(it.server.port).close()
        said = it.load(hba="host all all 127.0.0.1/32 nonsense\n")
        check('invalid authentication method "nonsense"' in said and "hba.conf was not reloaded" in said, said)
        wire.Connection(it.server.port).close()


# ---------------------------------------------------------------------- the log


def log_files(server):
    return sorted((server.data / "log").glob("*"))


def log_text(server):
    return "".join(path.read_text(encoding="utf-8", errors="replace") for path in log_files(server))


@test
def rotation_loses_no_line(options):
    settings = {"logging_collector": "on", "log_filename": "sengi-%H%M%S.log", "log_rotation_size": "16kB", "log_min_duration_statement": "0"}
    server = Server(options.build, settings=settings)
    with server:
        count, threads = 300, 4

        def talk(number):
            connection = wire.Connection(server.port)
            for i in range(count):
                connection.query(f"SELECT 'line-{number}-{i}-{'x' * 60}'")
                time.sleep(0.005)
            connection.close()

        talkers = [threading.Thread(target=talk, args=(number,)) for number in range(threads)]
        for talker in talkers:
            talker.start()
        # Rotation by hand and by SIGHUP in the midst of it.
        admin = wire.Connection(server.port)
        while any(talker.is_alive() for talker in talkers):
            check(value(admin, "SELECT pg_rotate_logfile()") == "t", "pg_rotate_logfile fails")
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.7)
        admin.close()
        for talker in talkers:
            talker.join()
        text = log_text(server)
        missing = [f"line-{n}-{i}-" for n in range(threads) for i in range(count) if text.count(f"line-{n}-{i}-") != 1]
        check(not missing, f"{len(missing)} lines are lost or come twice, such as {missing[:3]}")
        check(len(log_files(server)) >= 2, "there is one file only")
        check(all(re.match(r"\d{4}-\d\d-\d\d |\t", line) for line in text.splitlines()), "a line is torn")


@test
def a_file_that_is_large_enough_is_followed_by_another(options):
    settings = {"logging_collector": "on", "log_filename": "sengi-%S.log", "log_rotation_size": "4kB", "log_statement": "all"}
    server = Server(options.build, settings=settings)
    with server:
        connection = wire.Connection(server.port)
        for _ in range(3):
            for i in range(60):
                connection.query(f"SELECT '{'y' * 100}'")
            time.sleep(1.1)
        connection.query("SELECT 1")
        connection.close()
        files = log_files(server)
        check(len(files) >= 3, f"{len(files)} files")
        # The size that a file had before counts: a name that comes round is appended to.
        check(log_text(server).count("statement: SELECT 'yyy") == 180, "lines are lost")


@test
def a_log_file_that_cannot_be_opened_is_told(options):
    settings = {"logging_collector": "on", "log_filename": "sengi.log"}
    server = Server(options.build, settings=settings)
    with server:
        connection = wire.Connection(server.port)
        connection.query("ALTER SYSTEM SET log_directory = 'no/such/place'")
        connection.query("SELECT pg_reload_conf()")
        wait_for(lambda: value(connection, "SHOW log_directory") == "no/such/place", "no reload")
        connection.query("SELECT pg_rotate_logfile()")
        connection.query("SELECT 1/0")
        connection.close()
        text = (server.data / "log/sengi.log").read_text()
        check("could not open log file" in text and "no/such/place" in text, text)
        check("division by zero" in text, "the old file does not serve on")


@test
def what_is_asked_for_is_logged(options):
    with Observed(options, log_connections="on", log_disconnections="on") as it:
        def lines(setting, *statements):
            connection = wire.Connection(it.server.port)
            connection.query(setting)
            before = len(it.log())
            for statement in statements:
                connection.query(statement)
            said = it.log()[before:]
            connection.close()
            return said
        work = ("CREATE TABLE logged (a int)", "INSERT INTO logged VALUES (1)", "SELECT a FROM logged", "TRUNCATE logged", "DROP TABLE logged")
        said = lines("SET log_statement = 'none'", *work)
        check("statement:" not in said, said)
        said = lines("SET log_statement = 'ddl'", *work)
        check(said.count("statement: ") == 2 and "CREATE TABLE" in said and "DROP TABLE" in said, said)
        said = lines("SET log_statement = 'mod'", *work)
        check(said.count("statement: ") == 4 and "SELECT a" not in said, said)
        said = lines("SET log_statement = 'all'", *work, "SELECT a FROM nowhere")
        check(said.count("LOG:  statement: ") == 6, said)
        said = lines("SET log_min_duration_statement = 0", "SELECT 1")
        check(re.search(r"LOG:  duration: \d+\.\d{3} ms  statement: SELECT 1\n", said), said)
        said = lines("SET log_min_duration_statement = '10s'", "SELECT 1")
        check("duration" not in said, said)
        said = lines("SET log_duration = on", "SELECT 1")
        check(re.search(r"LOG:  duration: \d+\.\d{3} ms\n", said) and "SELECT 1" not in said, said)
        said = lines("SET log_min_messages = 'panic'", "SELECT 1/0")
        check("division" not in said, said)
        said = lines("SET log_min_messages = 'warning'", "SELECT 1/0")
        check("ERROR:  division by zero" in said and "STATEMENT:  SELECT 1/0" in said, said)
        said = lines("SET log_min_error_statement = 'panic'", "SELECT 1/0")
        check("ERROR:  division by zero" in said and "STATEMENT" not in said, said)
        text = it.log()
        check("connection received: host=127.0.0.1" in text and "connection authorized: user=postgres database=postgres" in text, "log_connections")
        check(re.search(r"disconnection: session time: 0:00:\d\d\.\d{3} user=postgres database=postgres host=127.0.0.1", text), "log_disconnections")


@test
def statements_of_the_extended_protocol_are_logged(options):
    with Observed(options, log_min_duration_statement="0") as it:
        before = len(it.log())
        script = it.server.directory / "script.sql"
        script.write_text("SELECT 40 + 2;\n")
        subprocess.run(suite.pgbench(it.server.port, "-n", "-M", "extended", "-f", script, "-t", "1"), check=True, capture_output=True)
        said = it.log()[before:]
        for step in ("parse", "bind", "execute"):
            check(len(re.findall(rf"duration: \d+\.\d{{3}} ms  {step} <unnamed>: SELECT 40 \+ 2;?\n", said)) == 1, said)


# ---------------------------------------------------------------------- figures


@test
def what_the_server_does_is_counted(options):
    with Server(options.build) as server:
        connection = wire.Connection(server.port)

        def figures(columns, view):
            return [float(field) for field in value(connection, f"SELECT {columns} FROM {view}").split(" | ")]

        database = "pg_stat_database WHERE datname = current_database()"
        before = figures("checkpoints_req, buffers_checkpoint, buffers_alloc, checkpoint_sync_time, buffers_backend", "pg_stat_bgwriter")
        wal = figures("wal_records, wal_bytes, wal_write, wal_sync", "pg_stat_wal")
        spilled = figures("temp_files, temp_bytes", database)
        connection.query("CREATE TABLE counted AS SELECT g, repeat('x', 100) AS t FROM generate_series(1, 20000) g")
        connection.query("CHECKPOINT")
        after = figures("checkpoints_req, buffers_checkpoint, buffers_alloc, checkpoint_sync_time, buffers_backend", "pg_stat_bgwriter")
        check(after[0] > before[0] and after[1] > before[1] + 100 and after[2] > before[2] and after[3] > before[3], f"{before} {after}")
        later = figures("wal_records, wal_bytes, wal_write, wal_sync", "pg_stat_wal")
        check(all(a > b for a, b in zip(later, wal)), f"{wal} {later}")
        check(figures("temp_files, temp_bytes", database) == spilled, "files are counted that nobody made")
        connection.query("SET work_mem = '64kB'")
        connection.query("SELECT count(*) FROM (SELECT t, g FROM counted ORDER BY t, g DESC OFFSET 0) s")
        check(value(connection, "SELECT 1") == "1", "no answer")
        files, size = figures("temp_files, temp_bytes", database)
        check(files > spilled[0] and size > 1000000, f"{files} files, {size} bytes")
        connection.close()


@test
def what_is_not_there_is_refused_by_name(options):
    refused = {
        "CREATE EVENT TRIGGER": "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f()", "CREATE FUNCTION": "create or replace function f() returns int language sql as ''",
        "CREATE USER MAPPING": "CREATE USER MAPPING FOR a SERVER b", "ALTER EXTENSION": "ALTER EXTENSION x UPDATE", "ALTER OPERATOR CLASS": "ALTER OPERATOR CLASS a USING btree RENAME TO b",
        "ALTER TEXT SEARCH CONFIGURATION": "ALTER TEXT  SEARCH\nCONFIGURATION a ADD MAPPING FOR b WITH c", "CREATE OPERATOR FAMILY": "CREATE OPERATOR FAMILY a USING btree",
        "DROP OPERATOR FAMILY": "DROP OPERATOR FAMILY a USING btree", "DROP CAST": "DROP CAST (int AS text)", "DROP TRANSFORM": "DROP TRANSFORM FOR int LANGUAGE sql",
        "IMPORT FOREIGN SCHEMA": "IMPORT FOREIGN SCHEMA a FROM SERVER b INTO c", "LOAD": "LOAD 'x'", "COMMENT ON FUNCTION": "COMMENT ON FUNCTION f() IS 'a'",
        "ALTER TYPE": "ALTER TYPE a RENAME TO b", "ALTER TABLESPACE": "ALTER TABLESPACE a OWNER TO postgres", "GRANT ON FUNCTION": "GRANT EXECUTE ON FUNCTION f() TO postgres",
        "ALTER INDEX DEPENDS ON EXTENSION": "ALTER INDEX i DEPENDS ON EXTENSION x", "ALTER MATERIALIZED VIEW DEPENDS ON EXTENSION": "ALTER MATERIALIZED VIEW v NO DEPENDS ON EXTENSION x",
        'type "money"': "SELECT 1::money", 'type "point"': "CREATE TABLE placed (id int, at point)", 'type "int4range"': "SELECT int4range '[1,2)'", 'type "tsvector"': "CREATE TABLE w (t pg_catalog.tsvector[])",
        'type "bit"': "SELECT CAST(5 AS bit(3))", 'type "varbit"': "SELECT NULL::bit varying", 'type "xml"': "PREPARE p (xml) AS SELECT $1", 'type "macaddr"': "CREATE TABLE cards (id int, m macaddr)",
    }
    with Observed(options) as it:
        for feature, statement in refused.items():
            check(f"C0A000 | M{feature} is not supported" in value(it.connection, statement), statement)
        check("C42704" in value(it.connection, "SELECT 1::nope.money") + value(it.connection, "SELECT 1::public.money") and value(it.connection, "SELECT to_regtype('money')") == r"\N", "names of types that are somewhere else")
        for statement in ("CREATE typ a", "ALTER", "SELECT load 'x' FROM", "CREATE OR REPLACE"):
            check("C42601" in value(it.connection, statement), statement)


suite.run(TESTS)
