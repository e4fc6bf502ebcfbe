"""Small histories with one anomaly each, and some without: the checker has to tell them apart."""
from checker import READ_COMMITTED, REPEATABLE_READ, Operation, Transaction


def transaction(number, level, *steps, status="committed", begun=0.0, sent=0.0, done=float("inf")):
    """Steps: ("a", key, value), ("r", key, list), ("u", key, value): an append that a savepoint took back."""
    operations = [Operation("read" if kind == "r" else "append", key, value, at=100.0, is_undone=kind == "u") for kind, key, value in steps]
    return Transaction(number, level, status, operations, begun, sent, done)


RC, RR = READ_COMMITTED, REPEATABLE_READ
T = transaction

# (name, the anomaly that must be found or None, history, final)
SAMPLES = [
    ("serial", None, [T(1, RR, ("a", 1, 1)), T(2, RR, ("r", 1, [1]), ("a", 1, 2)), T(3, RC, ("r", 1, [1, 2]))], {1: [1, 2]}),
    ("write skew is allowed", None, [T(1, RR, ("r", 1, []), ("a", 2, 1)), T(2, RR, ("r", 2, []), ("a", 1, 2))], {1: [2], 2: [1]}),
    ("read committed may see newer lists", None,
     [T(1, RC, ("r", 1, []), ("r", 1, [1]), ("r", 2, [2])), T(2, RC, ("a", 1, 1), ("a", 2, 2))], {1: [1], 2: [2]}),
    ("own appends", None, [T(1, RR, ("a", 1, 1), ("r", 1, [1]), ("a", 1, 2), ("r", 1, [1, 2]))], {1: [1, 2]}),
    ("savepoint taken back", None, [T(1, RR, ("u", 1, 1), ("r", 1, []), ("a", 1, 2))], {1: [2]}),
    ("G1a aborted read", "G1a", [T(1, RC, ("a", 1, 1), status="aborted"), T(2, RC, ("r", 1, [1]))], {1: []}),
    ("G1a of a savepoint", "G1a", [T(1, RC, ("u", 1, 1)), T(2, RC, ("r", 1, [1]))], {1: []}),
    ("G1a in the end", "G1a", [T(1, RC, ("a", 1, 1), status="aborted")], {1: [1]}),
    ("own append taken back and read", "G1a", [T(1, RC, ("u", 1, 1), ("r", 1, [1]))], {1: []}),
    ("dirty read", "dirty read", [T(1, RC, ("a", 1, 1), sent=200.0), T(2, RC, ("r", 1, [1]))], {1: [1]}),
    ("G1b intermediate read", "G1b", [T(1, RC, ("a", 1, 1), ("a", 1, 2)), T(2, RC, ("r", 1, [1]))], {1: [1, 2]}),
    ("G1c circular information", "G1c",
     [T(1, RC, ("a", 1, 1), ("r", 2, [2])), T(2, RC, ("a", 2, 2), ("r", 1, [1]))], {1: [1], 2: [2]}),
    ("G0 dirty write", "G0", [T(1, RC, ("a", 1, 1), ("a", 2, 2)), T(2, RC, ("a", 1, 3), ("a", 2, 4))], {1: [1, 3], 2: [4, 2]}),
    ("lost append", "lost append", [T(1, RC, ("a", 1, 1)), T(2, RC, ("a", 1, 2))], {1: [2]}),
    ("duplicate append", "duplicate append", [T(1, RC, ("a", 1, 1))], {1: [1, 1]}),
    ("lost update", "lost update", [T(1, RR, ("r", 1, []), ("a", 1, 1)), T(2, RR, ("r", 1, []), ("a", 1, 2))], {1: [1, 2]}),
    ("read skew", "read skew", [T(1, RR, ("r", 1, []), ("r", 2, [2])), T(2, RC, ("a", 1, 1), ("a", 2, 2))], {1: [1], 2: [2]}),
    ("fuzzy read", "fuzzy read", [T(1, RR, ("r", 1, []), ("r", 1, [1])), T(2, RC, ("a", 1, 1))], {1: [1]}),
    ("read went back", "read went back", [T(1, RC, ("r", 1, [1]), ("r", 1, [])), T(2, RC, ("a", 1, 1))], {1: [1]}),
    ("long fork", "long fork",
     [T(1, RR, ("a", 1, 1)), T(2, RR, ("a", 2, 2)), T(3, RR, ("r", 1, [1]), ("r", 2, [])), T(4, RR, ("r", 1, []), ("r", 2, [2]))],
     {1: [1], 2: [2]}),
    ("stale read", "stale read", [T(1, RR, ("a", 1, 1), done=1.0), T(2, RR, ("r", 1, []), begun=2.0)], {1: [1]}),
    ("own writes unseen", "own writes", [T(1, RR, ("a", 1, 1), ("r", 1, []))], {1: [1]}),
    ("incompatible order", "incompatible order",
     [T(1, RC, ("a", 1, 1)), T(2, RC, ("a", 1, 2)), T(3, RC, ("r", 1, [2]))], {1: [1, 2]}),
    ("garbage", "garbage", [T(1, RC, ("r", 1, [9]))], {1: []}),
]
