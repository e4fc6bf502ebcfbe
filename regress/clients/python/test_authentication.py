#!/usr/bin/env python3
"""Who gets in: hba.conf's methods, SCRAM with and without channel binding, TLS, client certificates, limits.

Servers of its own: SENGI_BUILD says what to run. Keys and certificates are made by openssl at test time.
"""
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

import psycopg2
from harness import check, equal, main, test

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tools"))
from suite import wait_for  # pylint: disable=wrong-import-position
from sengi_server import Server  # pylint: disable=wrong-import-position

BUILD = os.environ["SENGI_BUILD"]
for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE"):
    os.environ.pop(name, None)

HBA = """
local all all trust
host all postgres 127.0.0.1/32 trust
host all rejected 127.0.0.1/32 reject
host all clear 127.0.0.1/32 password
host all scram 127.0.0.1/32 scram-sha-256
host all old 127.0.0.1/32 md5
hostssl all certified 127.0.0.1/32 cert
hostssl all double 127.0.0.1/32 scram-sha-256 clientcert=verify-full
hostnossl all bare 127.0.0.1/32 trust
hostssl all covered 127.0.0.1/32 trust
host sameuser own 127.0.0.1/32 trust
host postgres,other "Quoted Name",listed 127.0.0.1/32 trust
host all masked 127.0.0.0 255.0.0.0 trust
"""


class Place:
    """Certificates and one server that knows them."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sengi-auth-"))
        self.authority("ca")
        self.authority("other")
        self.certificate("server", "ca", "localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        self.certificate("certified", "ca", "certified")
        self.certificate("double", "ca", "double")
        self.certificate("stranger", "other", "certified")
        settings = {"ssl": "on", "ssl_cert_file": self.path("server.crt"), "ssl_key_file": self.path("server.key"),
                    "ssl_ca_file": self.path("ca.crt"), "authentication_timeout": "3s", "max_connections": "20"}
        self.server = Server(BUILD, settings, HBA)
        self.server.start()
        connection = self.connect(user="postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            for role in ("clear", "scram", "old", "double"):
                cursor.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'secret of {role}'")
            for role in ("rejected", "certified", "bare", "covered", "own", '"Quoted Name"', "listed", "masked", "nobody"):
                cursor.execute(f"CREATE ROLE {role} LOGIN")
            cursor.execute("CREATE ROLE group_only NOLOGIN; CREATE ROLE expired LOGIN PASSWORD 'secret' VALID UNTIL '2000-01-01'")
            cursor.execute("CREATE DATABASE own")
        connection.close()

    def path(self, name):
        """A file of the place."""
        return str(self.directory / name)

    def openssl(self, *arguments):
        """Runs openssl here."""
        subprocess.run(["openssl", *arguments], cwd=self.directory, check=True, capture_output=True)

    def authority(self, name):
        """A certificate authority."""
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN=test {name}",
                     "-keyout", f"{name}.key", "-out", f"{name}.crt")

    def certificate(self, name, authority, common_name, extension=None):
        """A certificate signed by the authority."""
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={common_name}", "-keyout", f"{name}.key",
                     "-out", f"{name}.csr")
        arguments = ["x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key", "-CAcreateserial", "-days", "2",
                     "-out", f"{name}.crt"]
        if extension:
            (self.directory / f"{name}.ext").write_text(extension + "\n", encoding="ascii")
            arguments += ["-extfile", f"{name}.ext"]
        self.openssl(*arguments)
        os.chmod(self.path(f"{name}.key"), 0o600)

    def connect(self, **options):
        """A connection by libpq."""
        options.setdefault("host", "127.0.0.1")
        options.setdefault("dbname", "postgres")
        options.setdefault("sslmode", "prefer")
        options.setdefault("gssencmode", "disable")
        return psycopg2.connect(port=self.server.port, **options)

    def refused(self, **options):
        """The message of a connection that fails."""
        try:
            self.connect(**options).close()
        except psycopg2.OperationalError as error:
            return str(error)
        raise AssertionError(f"let in: {options}")

    def is_full(self):
        """Are there too many connections for one more that is no superuser's?"""
        try:
            self.connect(user="masked").close()
        except psycopg2.OperationalError:
            return True
        return False

    def answer(self, text="SELECT current_user::text", **options):
        """One value from a connection that succeeds."""
        connection = self.connect(**options)
        with connection.cursor() as cursor:
            cursor.execute(text)
            value = cursor.fetchone()[0]
        connection.close()
        return value


PLACE = Place()


@test
def trust_lets_in_and_reject_does_not():
    equal(PLACE.answer(user="postgres"), "postgres")
    message = PLACE.refused(user="rejected", sslmode="disable")
    check('pg_hba.conf rejects connection for host "127.0.0.1", user "rejected", database "postgres", no encryption' in message, message)


@test
def who_fits_no_rule_is_refused():
    message = PLACE.refused(user="nobody", sslmode="require")
    check('no pg_hba.conf entry for host "127.0.0.1", user "nobody", database "postgres", SSL encryption' in message, message)


@test
def passwords_are_checked():
    for user in ("clear", "scram", "old"):
        equal(PLACE.answer(user=user, password=f"secret of {user}"), user)
        message = PLACE.refused(user=user, password="wrong")
        check(f'password authentication failed for user "{user}"' in message, message)
        check("no password supplied" in PLACE.refused(user=user))


@test
def unknown_users_look_like_known_ones():
    PLACE.server.write_hba(HBA + "host all all 127.0.0.1/32 scram-sha-256\n")
    PLACE.server.reload()
    try:
        for user in ("never_was", "nobody", "expired"):
            message = PLACE.refused(user=user, password="secret")
            check(f'password authentication failed for user "{user}"' in message, message)
    finally:
        PLACE.server.write_hba(HBA)
        PLACE.server.reload()


@test
def channels_are_bound_over_tls():
    equal(PLACE.answer(user="scram", password="secret of scram", sslmode="require", channel_binding="require"), "scram")
    equal(PLACE.answer(user="scram", password="secret of scram", sslmode="require", channel_binding="disable"), "scram")
    equal(PLACE.answer(user="scram", password="secret of scram", sslmode="disable", channel_binding="prefer"), "scram")
    PLACE.refused(user="scram", password="secret of scram", sslmode="disable", channel_binding="require")
    PLACE.refused(user="clear", password="secret of clear", sslmode="require", channel_binding="require")


@test
def the_server_proves_who_it_is():
    equal(PLACE.answer(user="postgres", host="localhost", hostaddr="127.0.0.1", sslmode="verify-full", sslrootcert=PLACE.path("ca.crt")), "postgres")
    equal(PLACE.answer(user="postgres", sslmode="verify-full", sslrootcert=PLACE.path("ca.crt")), "postgres")
    check("certificate verify failed" in PLACE.refused(user="postgres", sslmode="verify-full", sslrootcert=PLACE.path("other.crt")))
    check("does not match host name" in PLACE.refused(user="postgres", host="elsewhere", hostaddr="127.0.0.1", sslmode="verify-full", sslrootcert=PLACE.path("ca.crt")))


@test
def clients_prove_who_they_are():
    good = {"sslmode": "require", "sslcert": PLACE.path("certified.crt"), "sslkey": PLACE.path("certified.key")}
    equal(PLACE.answer(user="certified", **good), "certified")
    check("connection requires a valid client certificate" in PLACE.refused(user="certified", sslmode="require"))
    message = PLACE.refused(user="certified", sslmode="require", sslcert=PLACE.path("double.crt"), sslkey=PLACE.path("double.key"))
    check('certificate authentication failed for user "certified"' in message, message)
    PLACE.refused(user="certified", sslmode="require", sslcert=PLACE.path("stranger.crt"), sslkey=PLACE.path("stranger.key"))
    check("no pg_hba.conf entry" in PLACE.refused(user="certified", sslmode="disable"))
    both = {"sslmode": "require", "sslcert": PLACE.path("double.crt"), "sslkey": PLACE.path("double.key")}
    equal(PLACE.answer(user="double", password="secret of double", **both), "double")
    PLACE.refused(user="double", password="wrong", **both)
    PLACE.refused(user="double", password="secret of double", sslmode="require")


@test
def tls_and_plain_rules_are_told_apart():
    equal(PLACE.answer(user="bare", sslmode="disable"), "bare")
    check("SSL encryption" in PLACE.refused(user="bare", sslmode="require"))
    equal(PLACE.answer(user="covered", sslmode="require"), "covered")
    check("no encryption" in PLACE.refused(user="covered", sslmode="disable"))


@test
def tls_versions_have_bounds():
    for version in ("TLSv1.2", "TLSv1.3"):
        connection = PLACE.connect(user="postgres", sslmode="require", ssl_min_protocol_version=version, ssl_max_protocol_version=version)
        equal(connection.info.ssl_attribute("protocol"), version)
        connection.close()
    PLACE.refused(user="postgres", sslmode="require", ssl_min_protocol_version="TLSv1", ssl_max_protocol_version="TLSv1.1")


@test
def databases_and_users_are_matched():
    equal(PLACE.answer(user="own", dbname="own"), "own")
    check("no pg_hba.conf entry" in PLACE.refused(user="own", dbname="postgres"))
    equal(PLACE.answer(user="Quoted Name"), "Quoted Name")
    check("no pg_hba.conf entry" in PLACE.refused(user="listed", dbname="own"))
    equal(PLACE.answer(user="masked"), "masked")
    check('database "nowhere" does not exist' in PLACE.refused(user="postgres", dbname="nowhere"))
    equal(PLACE.answer(user="postgres", host=str(PLACE.server.directory)), "postgres")
    check('role "never_was" does not exist' in PLACE.refused(user="never_was", host=str(PLACE.server.directory)))
    check('role "group_only" is not permitted to log in' in PLACE.refused(user="group_only", host=str(PLACE.server.directory)))


@test
def data_goes_over_tls():
    connection = PLACE.connect(user="postgres", sslmode="require")
    with connection.cursor() as cursor:
        data = bytes(range(256)) * 40000
        cursor.execute("SELECT %s::bytea, pg_backend_pid()", (data,))
        check(bytes(cursor.fetchone()[0]) == data)
        cursor.execute("SELECT ssl, version LIKE 'TLSv1%%' FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        equal(cursor.fetchone(), (True, True))
    connection.close()


@test
def bad_rules_leave_the_old_ones_standing():
    PLACE.server.write_hba("host all all nonsense\n")
    PLACE.server.reload()
    try:
        equal(PLACE.answer(user="postgres"), "postgres")
    finally:
        PLACE.server.write_hba(HBA)
        PLACE.server.reload()


@test
def connections_are_limited():
    """20 in all, 3 of them for superusers."""
    held = []
    try:
        while len(held) < 30:
            try:
                held.append(PLACE.connect(user="masked"))
            except psycopg2.OperationalError as error:
                check("remaining connection slots are reserved for non-replication superuser connections" in str(error), str(error))
                break
        check(10 <= len(held) <= 17, f"{len(held)} connections")
        for _ in range(20 - len(held)):
            held.append(PLACE.connect(user="postgres"))
        check("sorry, too many clients already" in PLACE.refused(user="postgres"))
        equal(startup_error(), "53300")
    finally:
        for connection in held:
            connection.close()
    wait_for(lambda: not PLACE.is_full(), "connections that have been closed still count")
    equal(PLACE.answer(user="masked"), "masked")


def startup_error():
    """The SQLSTATE that a startup by hand is refused with."""
    body = struct.pack("!I", 196608) + b"user\0masked\0database\0postgres\0\0"
    with socket.create_connection(("127.0.0.1", PLACE.server.port), timeout=10) as raw:
        raw.sendall(struct.pack("!i", len(body) + 4) + body)
        answer = raw.recv(4096)
    check(answer[:1] == b"E", repr(answer))
    return next(field[1:].decode() for field in answer[5:].split(b"\0") if field[:1] == b"C")


@test
def slow_logins_are_cut_off():
    started = time.monotonic()
    sockets = []
    for first in (b"", b"\0\0\0", struct.pack("!ii", 8, 80877103)):
        raw = socket.create_connection(("127.0.0.1", PLACE.server.port), timeout=20)
        raw.sendall(first)
        sockets.append(raw)
    slow = socket.create_connection(("127.0.0.1", PLACE.server.port), timeout=20)
    body = struct.pack("!I", 196608) + b"user\0scram\0database\0postgres\0\0"
    slow.sendall(struct.pack("!i", len(body) + 4) + body)
    sockets.append(slow)
    for raw in sockets:
        while raw.recv(4096):
            pass
        raw.close()
    took = time.monotonic() - started
    check(2 <= took <= 20, f"took {took:.1f} s")


@test
def the_password_is_kept_as_a_verifier():
    value = PLACE.answer("SELECT rolpassword FROM pg_authid WHERE rolname = 'scram'", user="postgres")
    check(value.startswith("SCRAM-SHA-256$4096:"), value)
    connection = PLACE.connect(user="postgres")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("ALTER ROLE clear PASSWORD 'changed'")
    connection.close()
    equal(PLACE.answer(user="clear", password="changed"), "clear")
    PLACE.refused(user="clear", password="secret of clear")


@test
def the_server_stayed_up():
    check(PLACE.server.is_up(), PLACE.server.log_tail())
    equal(PLACE.server.stop(), 0)
    PLACE.server.remove()
    shutil.rmtree(PLACE.directory, ignore_errors=True)


main("authentication")
