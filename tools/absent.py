"""What PostgreSQL has and Sengi does not yet have: rows of catalogs that speak of it are not missed.

regress/absent.txt has a regular expression a line, each group under the reason. A recorded row that one of them finds, and that
the answer does not have, is left out of what is wanted, and the count of rows with it; every other row must be there, and no row
may be too many.
"""
import pathlib
import re

LIST = pathlib.Path(__file__).resolve().parent.parent / "regress/absent.txt"


def expressions():
    """The list, compiled."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return [re.compile(line) for line in lines if line and not line.startswith("#")]


def plain(line):
    """A line of a table without its padding, whose width hangs on rows that may be missing."""
    return re.sub(r"-{2,}", "--", re.sub(r" +", " ", line)).strip()


def is_count(line):
    """How many rows there are, which says nothing new where the rows themselves are compared."""
    return re.fullmatch(r"\(\d+ rows?\)|tag SELECT \d+", line) is not None


def without(wanted, got):
    """Both answers, lists of lines, as they are to be compared: without what is known to be absent."""
    known = expressions()
    wanted, got = [plain(line) for line in wanted], [plain(line) for line in got]
    there = set(got)
    kept = [line for line in wanted if line in there or not any(one.search(line) for one in known)]
    if len(kept) == len(wanted):
        return wanted, got
    return [line for line in kept if not is_count(line)], [line for line in got if not is_count(line)]
