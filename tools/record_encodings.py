#!/usr/bin/env python3
"""Writes src/types/data/encodings.dat: what PostgreSQL 15 makes of every character and every code of its client encodings.

PGHOST, PGPORT, PGUSER and PGDATABASE say where it is; its database must be UTF8. Only temporary functions are made.
"""
import pathlib
import subprocess

import oracle

OUT = pathlib.Path(__file__).resolve().parent.parent / "src/types/data/encodings.dat"
SINGLE = ("LATIN1 LATIN2 LATIN3 LATIN4 LATIN5 LATIN6 LATIN7 LATIN8 LATIN9 LATIN10 WIN1256 WIN1258 WIN866 WIN874 KOI8R WIN1251 WIN1252 ISO_8859_5 ISO_8859_6 ISO_8859_7 ISO_8859_8 WIN1250 WIN1253 WIN1254 "
          "WIN1255 WIN1257 KOI8U").split()
DOUBLE = "EUC_JP EUC_CN EUC_KR EUC_TW EUC_JIS_2004 SJIS BIG5 GBK UHC GB18030 JOHAB SHIFT_JIS_2004".split()
COMBINING = ("EUC_JIS_2004", "SHIFT_JIS_2004")
FOUR_BYTES = 0x1000000  # GB18030's codes of four bytes are numbered from here
ABOVE_BMP = 0x1000000 + 189000  # of which these are Unicode's order from U+10000 on

FUNCTIONS = """create function pg_temp.enc(cp int, e name) returns bytea language plpgsql as $$begin return convert_to(chr(cp),e); exception when others then return null; end$$;
create function pg_temp.dec(b bytea, e name) returns text language plpgsql as $$begin return convert_from(b,e); exception when others then return null; end$$;"""


def rows(sql):
    """Lines of an answer, split into columns."""
    result = subprocess.run(["psql", "-XAtq", "-c", FUNCTIONS, "-c", sql], capture_output=True, text=True, check=True)
    return [line.split("|") for line in result.stdout.split("\n") if line]


def key_of(code, encoding):
    """A code as a number."""
    if encoding == "GB18030" and len(code) == 4:
        return FOUR_BYTES + ((((code[0] - 0x81) * 10 + code[1] - 0x30) * 126 + code[2] - 0x81) * 10 + code[3] - 0x30)
    return int.from_bytes(code, "big")


def sources(encoding):
    """Queries for the codes to be tried."""
    yield "select set_byte('\\x00', 0, a) from generate_series(128, 255) a"
    if encoding in SINGLE:
        return
    yield "select set_byte(set_byte('\\x0000', 0, a), 1, b) from generate_series(128, 255) a, generate_series(48, 255) b"
    if encoding in ("EUC_JP", "EUC_JIS_2004"):
        yield "select set_byte(set_byte('\\x8f0000', 1, a), 2, b) from generate_series(161, 254) a, generate_series(161, 254) b"
    if encoding == "EUC_TW":
        yield "select set_byte(set_byte(set_byte('\\x8e000000', 1, p), 2, a), 3, b) from generate_series(161, 176) p, generate_series(161, 254) a, generate_series(161, 254) b"
    if encoding == "GB18030":
        yield ("select set_byte(set_byte(set_byte(set_byte('\\x00000000', 0, q), 1, p), 2, a), 3, b) from generate_series(129, 143) q, generate_series(48, 57) p, "
               "generate_series(129, 254) a, generate_series(48, 57) b")


def ask(encoding):
    """Both directions: {character: code} and {code: characters}."""
    last = 0xffff if encoding in SINGLE or encoding == "GB18030" else 0x2ffff
    to = {int(cp): bytes.fromhex(code) for cp, code in rows(
        f"select cp, encode(pg_temp.enc(cp, '{encoding}'), 'hex') from generate_series(128, {last}) cp where not cp between 55296 and 57343 and pg_temp.enc(cp, '{encoding}') is not null")}
    back = {}
    for source in sources(encoding):
        for code, text in rows(f"with s(b) as ({source}), d as (select b, pg_temp.dec(b, '{encoding}') t from s) select encode(b, 'hex'), encode(convert_to(t, 'UTF8'), 'hex') from d where t is not null"):
            back[bytes.fromhex(code)] = bytes.fromhex(text).decode()
    return to, back


def digest(encoding, to, back):
    """Pairs of (key, character) by what they are good for, and pairs of characters that are one code."""
    combined = []
    single = {}
    for code, text in back.items():
        if len(text) == 1:
            single[key_of(code, encoding)] = ord(text)
        elif encoding in COMBINING and len(code) > 1 and ord(text[1]) > 127 and text != back.get(code[:1], "") + back.get(code[1:], ""):
            combined.append((key_of(code, encoding), ord(text[0]), ord(text[1])))
    if encoding == "GB18030":
        single = {key: cp for key, cp in single.items() if key < ABOVE_BMP}
    there = {cp: key_of(code, encoding) for cp, code in to.items()}
    both = sorted((key, cp) for key, cp in single.items() if there.get(cp) == key)
    only_back = sorted((key, cp) for key, cp in single.items() if there.get(cp) != key)
    only_to = sorted((key, cp) for cp, key in there.items() if single.get(key) != cp)
    return both, only_back, only_to, sorted(combined)


def lines_of(mark, pairs):
    """Rows of consecutive keys: the first key, then characters; `c+n` is n more that follow c."""
    at = 0
    while at < len(pairs):
        key, end = pairs[at][0], at
        while end + 1 < len(pairs) and pairs[end + 1][0] == pairs[end][0] + 1:
            end += 1
        words = []
        while at <= end:
            run = at
            while run < end and pairs[run + 1][1] == pairs[run][1] + 1:
                run += 1
            words.append(f"{pairs[at][1]:x}" + (f"+{run - at}" if run > at else ""))
            at = run + 1
        yield f"{mark}{key:x} " + " ".join(words)


def write(tables):
    """The file."""
    with open(OUT, "w", encoding="ascii") as out:
        out.write("# What client encodings have beyond ASCII, recorded by tools/record_encodings.py from PostgreSQL 15; generate_encodings.py makes tables of it.\n"
                  "# A line: a first code, then the characters of it and of those that follow; c+n is n more after c. `=` both ways, `<` from the code alone,\n"
                  "# `>` to the code alone, `&` a code and the two characters that it is. GB18030's codes of four bytes are numbered from 1000000 on.\n")
        for encoding, (both, only_back, only_to, combined) in tables.items():
            out.write(f"encoding {encoding}\n")
            for mark, pairs in (("=", both), ("<", only_back), (">", only_to)):
                for line in lines_of(mark, pairs):
                    out.write(line + "\n")
            for key, first, second in combined:
                out.write(f"&{key:x} {first:x} {second:x}\n")
            if encoding == "GB18030":
                out.write(f"={ABOVE_BMP:x} 10000+{0x10ffff - 0x10000}\n")


def main():
    """Asks for each encoding in turn."""
    oracle.may_record_number(int(rows("SELECT current_setting('server_version_num')")[0][0]))
    write({encoding: digest(encoding, *ask(encoding)) for encoding in SINGLE + DOUBLE})


if __name__ == "__main__":
    main()
