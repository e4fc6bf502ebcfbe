#!/usr/bin/env python3
"""What psql speaks on machines of every locale."""
import os
import subprocess

from harness import equal, main, test

SHOW = "SELECT current_setting('client_encoding') || ' ' || pg_client_encoding() || ' ' || U&'\\00e9'"


def psql(*arguments, **environment):
    """What it prints, as bytes."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PGCLIENTENCODING"))}
    return subprocess.run(["psql", "-X", "-A", "-t", "-q", *arguments], env={**plain, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30, check=False).stdout


# At a terminal psql asks for "auto", the locale's own.
@test
def a_bare_machine_is_served():
    wanted = "SQL_ASCII SQL_ASCII é\n".encode()
    equal(psql("-c", SHOW, PGCLIENTENCODING="auto", LC_ALL="C"), wanted)
    equal(psql("-c", SHOW, PGCLIENTENCODING="auto", LANG="POSIX"), wanted)
    equal(psql("-c", SHOW, PGCLIENTENCODING="SQL_ASCII", LC_ALL="C"), wanted)


@test
def a_locale_of_utf8_is_utf8():
    equal(psql("-c", SHOW, PGCLIENTENCODING="auto", LC_ALL="C.UTF-8"), "UTF8 UTF8 é\n".encode())


@test
def a_role_brings_its_encoding():
    psql("-c", "CREATE ROLE plain LOGIN; ALTER ROLE plain SET client_encoding = SQL_ASCII")
    equal(psql("-c", SHOW, PGUSER="plain"), "SQL_ASCII SQL_ASCII é\n".encode())
    equal(psql("-c", "ALTER ROLE plain SET client_encoding = nowhere"), b'ERROR:  invalid value for parameter "client_encoding": "nowhere"\n')
    psql("-c", "DROP ROLE plain")


main("encodings")
