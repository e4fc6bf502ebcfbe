"""Others define at full speed what a statement has nothing to do with: it is planned all the same, and its errors are its own."""
import threading
import time

import suite
import wire

DEFINERS, TABLES = 6, 12
SETUP = [f"create table busy_{i} (id int primary key, v int, w text)" for i in range(TABLES)]
JOIN = "select count(*) from busy_0 a0 " + " ".join(f"join busy_{i} a{i} on a{i}.id = a{i - 1}.v" for i in range(1, TABLES)) + " where a0.w <> '{n}'"
STATEMENTS = {  # what must be heard
    JOIN: "row 0", "explain (costs off) " + JOIN: "row Aggregate", "select * from busy_nowhere where id = {n}": "error SERROR | C42P01",
    "begin; " + JOIN + "; rollback": "row 0",
}


class Busy:
    """Threads on one server; `faults` are answers that were not as they should be."""

    def __init__(self, connect, seconds):
        self.connect, self.ends_at, self.faults, self.asked, self.defined = connect, time.monotonic() + seconds, [], 0, 0

    def define(self, number):
        session = self.connect()
        try:
            while time.monotonic() < self.ends_at:
                session.must(f"create table busy_new_{number} (a int)")
                session.must(f"drop table busy_new_{number}")
                self.defined += 2
        except (OSError, wire.WireError, wire.Refused) as error:
            self.faults.append(f"who defines: {error!r}")
        session.close()

    def ask(self):
        session = self.connect()
        while time.monotonic() < self.ends_at or self.asked < len(STATEMENTS):
            for text, wanted in STATEMENTS.items():
                got = session.query(text.format(n=self.asked))
                self.asked += 1
                if not any(line.startswith(wanted) for line in got):
                    self.faults.append(f"{text[:30]}: {got}")
        session.close()


def run(connect, seconds):
    control = connect()
    for text in SETUP:
        control.must(text)
    busy = Busy(connect, seconds)
    threads = [threading.Thread(target=busy.define, args=(number,)) for number in range(DEFINERS)]
    for thread in threads:
        thread.start()
    busy.ask()
    for thread in threads:
        thread.join()
    for i in range(TABLES):
        control.must(f"drop table busy_{i}")
    control.close()
    suite.check(busy.defined > 0, "nobody defined anything")
    print("ok sessions/busy" if not busy.faults else f"not ok sessions/busy: {len(busy.faults)} of {busy.asked} answers are wrong; {busy.faults[0][:600]}")
