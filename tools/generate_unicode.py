#!/usr/bin/env python3
"""Unicode's normalization as C tables, from Python's own: usage: generate_unicode.py OUTPUT

PostgreSQL 15 has Unicode 14.0, which is what Debian 12's Python has.
"""
import sys
import unicodedata

HANGUL = range(0xAC00, 0xAC00 + 11172)  # computed, not listed


def parts(char):
    """Whether the decomposition is a compatible one, and its code points (one step)."""
    words = unicodedata.decomposition(char).split()
    is_compatible = bool(words) and words[0].startswith("<")
    return is_compatible, [int(word, 16) for word in words[is_compatible:]]


def main():
    if unicodedata.unidata_version != "14.0.0":
        sys.exit(f"generate_unicode.py: this Python has Unicode {unicodedata.unidata_version}; PostgreSQL 15's is 14.0.0")
    entries, points, pairs = [], [], []
    for code in range(0x110000):
        if 0xD800 <= code < 0xE000 or code in HANGUL:
            continue
        char = chr(code)
        is_compatible, to = parts(char)
        combining = unicodedata.combining(char)
        if not to and not combining:
            continue
        entries.append((code, combining, int(is_compatible), len(to), len(points)))
        points.extend(to)
        if len(to) == 2 and not is_compatible and unicodedata.normalize("NFC", char) == char:
            pairs.append((to[0], to[1], code))
    with open(sys.argv[1], "w", encoding="ascii") as out:
        out.write('#include "types/unicode_normal.h"\n\n')
        out.write("const UnicodeEntry unicode_entries[] = {\n")
        out.writelines("    {0x%x, %d, %d, %d, %d},\n" % entry for entry in entries)
        out.write("};\nconst size_t unicode_entry_count = %d;\n" % len(entries))
        out.write("const uint32_t unicode_points[] = {\n")
        out.writelines("    0x%x,\n" % point for point in points)
        out.write("};\nconst UnicodePair unicode_pairs[] = {\n")
        out.writelines("    {0x%x, 0x%x, 0x%x},\n" % pair for pair in sorted(pairs))
        out.write("};\nconst size_t unicode_pair_count = %d;\n" % len(pairs))


main()
