#!/usr/bin/env python3
"""Puts the grammar together for Lemon, and makes the keyword table.

usage: generate_grammar.py grammar KEYWORDS OUTPUT PART…     the parts in order, then the keyword rules
       generate_grammar.py keywords KEYWORDS OUTPUT           C: the table behind keyword_find
"""
import sys

CATEGORIES = {"U": ("unreserved_keyword", "KEYWORD_UNRESERVED"), "C": ("col_name_keyword", "KEYWORD_COL_NAME"),
              "T": ("type_func_name_keyword", "KEYWORD_TYPE_FUNC_NAME"), "R": ("reserved_keyword", "KEYWORD_RESERVED")}


def keywords(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                yield line.split()


def grammar(path, parts):
    text = []
    for part in parts:
        with open(part, encoding="utf-8") as source:
            text.append(source.read())
    for word, category, label in keywords(path):
        text.append(f"{CATEGORIES[category][0]} ::= {word.upper()}.")
        if label == "B":
            text.append(f"bare_label_keyword ::= {word.upper()}.")
    return "\n".join(text) + "\n"


def table(path):
    lines = ["/* Generated from grammar/keywords.txt. */", '#include "parser/keyword_table.h"', "",
             '#include "sql_grammar.h"', "", "const Keyword keyword_table[] = {"]
    count = 0
    for word, category, label in sorted(keywords(path)):
        lines.append(f'    {{{{"{word}", {len(word)}}}, TK_{word.upper()}, {CATEGORIES[category][1]}, {"true" if label == "B" else "false"}}},')
        count += 1
    lines += ["};", f"const size_t keyword_count = {count};", ""]
    return "\n".join(lines)


def main():
    kind, path, output, *parts = sys.argv[1:]
    with open(output, "w", encoding="utf-8") as out:
        out.write(grammar(path, parts) if kind == "grammar" else table(path))


main()
