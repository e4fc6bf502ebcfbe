"""Finds what an isolation level forbids in a history of transactions on lists that are only appended to.

A history is a list of Transactions. Every appended number is used once, so that a list that was read tells which appends it
has seen and in which order they came: the order of versions, who read from whom, and who overwrote what somebody had read.

    check(history, final)   → [Anomaly]: name, text          final: {key: list in the end}

READ COMMITTED forbids G0, G1a, G1b, G1c, lost appends, and reads that go back within a transaction. REPEATABLE READ is snapshot
isolation, so besides: lost update, read skew (G-single) and long fork, but write skew is allowed. Each transaction has two
points in time, its start (when it takes its snapshot) and its commit; what is known of their order makes a graph, and a
circle in it is an anomaly:

    REPEATABLE READ   reads or overwrites W's value        commit W < start T
    READ COMMITTED    the same                              commit W < commit T
    either            W overwrites what T had read          start T < commit W
    either            T begins after W's commit was told    commit W < start T

The level is each transaction's own: both may be mixed. Savepoints rolled back make their appends aborted ones.
"""
import collections
import dataclasses

READ_COMMITTED = "read committed"
REPEATABLE_READ = "repeatable read"


@dataclasses.dataclass
class Operation:
    """An append, or a read with its result; `at`: when its answer had come."""
    kind: str  # "append" | "read"
    key: int
    value: object
    at: float = 0.0
    is_undone: bool = False  # by ROLLBACK TO, or by an error under a savepoint


@dataclasses.dataclass
class Transaction:
    """status: "committed", "aborted", or "unknown" (the answer to COMMIT was lost)."""
    number: int
    level: str
    status: str = "committed"
    operations: list = dataclasses.field(default_factory=list)
    begun_at: float = 0.0        # BEGIN was sent
    commit_sent_at: float = 0.0
    committed_at: float = float("inf")  # COMMIT was answered


@dataclasses.dataclass
class Anomaly:
    name: str
    text: str


class Checker:
    """One look at one history."""

    def __init__(self, history, final):
        self.history, self.final = history, final
        self.anomalies = []
        self.appends = {}  # (key, value) → (transaction, operation)
        for transaction in history:
            for operation in transaction.operations:
                if operation.kind == "append":
                    self.appends[operation.key, operation.value] = (transaction, operation)
        self.counted = [t for t in history if t.status == "committed"]
        self.edges = collections.defaultdict(dict)  # node → {node: (kind, text)}

    def found(self, name, text):
        self.anomalies.append(Anomaly(name, text))

    def check(self):
        self.check_final()
        for transaction in self.history:
            if transaction.status != "aborted":
                self.check_reads(transaction)
        if not self.anomalies:
            # The order of versions is known for certain only where all of the above holds.
            self.make_graph()
            self.find_circle()
        return self.anomalies

    # -- single reads ------------------------------------------------------------------------------------------------------

    def check_final(self):
        for key, values in self.final.items():
            if len(set(values)) != len(values):
                self.found("duplicate append", f"key {key} ends as {values}")
            for value in values:
                self.check_source(f"the end of key {key}", key, value, None)
        for (key, value), (transaction, operation) in self.appends.items():
            if transaction.status == "committed" and not operation.is_undone and value not in self.final.get(key, []):
                self.found("lost append", f"{value} of transaction {transaction.number} is not in key {key}: {self.final.get(key, [])}")

    def check_source(self, reader, key, value, own):
        if (key, value) not in self.appends:
            self.found("garbage", f"{reader} has {value}, which nobody appended")
            return
        source, operation = self.appends[key, value]
        if source is own and not operation.is_undone:
            return
        if source.status == "aborted" or operation.is_undone:
            self.found("G1a", f"{reader} has {value}, which transaction {source.number} took back")

    def check_reads(self, transaction):
        seen = {}
        own = collections.defaultdict(list)
        for operation in transaction.operations:
            if operation.kind == "append":
                if not operation.is_undone:
                    own[operation.key].append(operation.value)
                continue
            # What a part that was rolled back had seen counts, but for its own appends.
            self.check_read(transaction, operation, own[operation.key], seen)

    def check_read(self, transaction, operation, own, seen):
        key, values = operation.key, operation.value
        reader = f"transaction {transaction.number}, which read key {key} as {values},"
        undone = [v for v in values if self.appends.get((key, v), (None, None))[0] is transaction and v not in own]
        if undone and not operation.is_undone:
            self.found("G1a", f"{reader} has its own {undone}, which was taken back")
            return
        values = [v for v in values if v not in undone]
        for value in values:
            self.check_source(reader, key, value, transaction)
            source = self.appends.get((key, value), (None, None))[0]
            if source and source is not transaction and source.commit_sent_at > operation.at:
                self.found("dirty read", f"{reader} has {value} before transaction {source.number} said COMMIT")
        if own and [v for v in values if v in own] != own and not operation.is_undone:
            self.found("own writes", f"{reader} does not have its own {own}")
        foreign = [v for v in values if v not in own]
        if foreign != self.final.get(key, [])[:len(foreign)] and not undone:
            self.check_prefix(reader, key, foreign)
        self.check_intermediate(reader, transaction, key, foreign)
        before = seen.get(key, [])
        if transaction.level == READ_COMMITTED and foreign[:len(before)] != before:
            self.found("read went back", f"{reader} had read {before} before")
        if transaction.level == REPEATABLE_READ and key in seen and foreign != before:
            self.found("fuzzy read", f"{reader} had read {before} before")
        seen[key] = foreign

    def check_prefix(self, reader, key, foreign):
        final = [v for v in self.final.get(key, [])]
        # Own appends may stand in the midst of the final list's beginning: others' follow only after the commit.
        if foreign != [v for v in final if v in set(foreign)] or foreign != final[:len(foreign)]:
            self.found("incompatible order", f"{reader} saw no beginning of its end {final}")

    def check_intermediate(self, reader, transaction, key, foreign):
        if not foreign or (key, foreign[-1]) not in self.appends:
            return
        source, operation = self.appends[key, foreign[-1]]
        if source is transaction:
            return
        later = [o.value for o in source.operations if o.kind == "append" and o.key == key and not o.is_undone]
        if later and not operation.is_undone and later[-1] != foreign[-1] and source.status == "committed":
            self.found("G1b", f"{reader} ends within the appends {later} of transaction {source.number}")

    # -- the graph ---------------------------------------------------------------------------------------------------------

    def add(self, before, after, kind, text):
        if before != after:
            self.edges[before].setdefault(after, (kind, text))

    def add_dependency(self, source, transaction, kind, text):
        """`transaction` read or overwrote what `source` had written."""
        if source is transaction:
            return
        point = "start" if transaction.level == REPEATABLE_READ else "commit"
        self.add((source.number, "commit"), (transaction.number, point), kind, text)

    def writer(self, key, value):
        return self.appends[key, value][0]

    def make_graph(self):
        for transaction in self.history:
            self.add((transaction.number, "start"), (transaction.number, "commit"), "order", "")
        for key, values in self.final.items():
            for before, after in zip(values, values[1:]):
                self.add_dependency(self.writer(key, before), self.writer(key, after), "ww", f"key {key}: {before}, {after}")
        for transaction in self.counted:
            for operation in transaction.operations:
                if operation.kind == "read":
                    self.add_read(transaction, operation)
        self.add_times()

    def add_read(self, transaction, operation):
        key, final = operation.key, self.final.get(operation.key, [])
        foreign = [v for v in operation.value if self.writer(key, v) is not transaction]
        if foreign:
            self.add_dependency(self.writer(key, foreign[-1]), transaction, "wr", f"key {key}: {foreign[-1]}")
        following = [v for v in final[len(foreign):] if self.writer(key, v) is not transaction]
        if following:
            source = self.writer(key, following[0])
            self.add((transaction.number, "start"), (source.number, "commit"), "rw", f"key {key}: {following[0]} not seen")

    def add_times(self):
        moments = sorted([(t.committed_at, 0, t) for t in self.counted if t.committed_at != float("inf")] +
                         [(t.begun_at, 1, t) for t in self.counted if t.begun_at], key=lambda moment: moment[:2])
        last = None
        for at, is_begin, transaction in moments:
            if is_begin:
                if last is not None:
                    self.add(("time", last), (transaction.number, "start"), "time", "")
                continue
            if last is not None:
                self.add(("time", last), ("time", at), "time", "")
            self.add((transaction.number, "commit"), ("time", at), "time", "")
            last = at

    def find_circle(self):
        state, path = {}, []
        for root in list(self.edges):
            stack = [(root, iter(self.edges.get(root, {})))]
            if root in state:
                continue
            state[root] = 1
            path = [root]
            while stack:
                node, following = stack[-1]
                for other in following:
                    if state.get(other) == 1:
                        self.report_circle(path[path.index(other):] + [other])
                        return
                    if other not in state:
                        state[other] = 1
                        path.append(other)
                        stack.append((other, iter(self.edges.get(other, {}))))
                        break
                else:
                    state[node] = 2
                    path.pop()
                    stack.pop()

    def report_circle(self, nodes):
        nodes = self.shortest(nodes[0])
        edges = [self.edges[a][b] + (a, b) for a, b in zip(nodes, nodes[1:])]
        kinds = [edge[0] for edge in edges]
        reads = kinds.count("rw")
        name = "stale read" if "time" in kinds else "G0" if set(kinds) <= {"ww", "order"} else "G1c" if reads == 0 else \
            "read skew" if reads == 1 else "long fork"
        text = "; ".join(f"{a[0]} {a[1]} -{kind}{' ' + why if why else ''}-> {b[0]} {b[1]}" for kind, why, a, b in edges if kind != "order")
        if reads == 1 and self.is_lost_update(edges):
            name = "lost update"
        self.found(name, text)

    def is_lost_update(self, edges):
        """Who did not see a version overwrote it."""
        keys = {why.split(":")[0] for kind, why, *_ in edges if kind in ("rw", "ww")}
        return "ww" in [edge[0] for edge in edges] and len(keys) == 1

    def shortest(self, start):
        """A shortest circle through a node."""
        parents, queue = {start: None}, collections.deque([start])
        while queue:
            node = queue.popleft()
            for other in self.edges.get(node, {}):
                if other == start:
                    path = [start]
                    while node is not None:
                        path.append(node)
                        node = parents[node]
                    return path[::-1]
                if other not in parents:
                    parents[other] = node
                    queue.append(other)
        raise AssertionError("the node is in a circle")


def check(history, final):
    """The anomalies of a history; empty: none that its levels forbid."""
    return Checker(history, final).check()
