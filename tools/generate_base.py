#!/usr/bin/env python3
"""Makes the generated headers and tables of src/base from its .dat files.

usage: generate_base.py KIND INPUT OUTPUT     KIND: sqlstates | wait_events | locks | metrics | settings_h | settings_c
"""
import re
import sys


def rows(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if line and not line.startswith("#"):
                yield line


def c_name(text):
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text)
    return re.sub(r"\W+", "_", text).lower()


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def header(guard, body):
    return f"/* Generated; edit the .dat file instead. */\n#ifndef {guard}\n#define {guard}\n\n{body}\n#endif\n"


def packed(code):
    """Six bits a character, first character lowest: PostgreSQL's packing."""
    return sum(((ord(c) - ord("0")) & 0x3F) << (6 * i) for i, c in enumerate(code))


def sqlstates(path):
    lines = ["typedef enum SqlState {"]
    seen = set()
    for line in rows(path):
        code, _, name, condition = line.split()
        if name in seen:
            continue
        seen.add(name)
        lines.append(f"    ERR_{name.upper()} = {packed(code)}, /* {code} */")
    lines.append("} SqlState;\n")
    lines.append("/* name of the condition, code: X(NAME, condition) */\n#define SQLSTATE_CONDITIONS(X) \\")
    for line in rows(path):
        code, _, name, condition = line.split()
        if condition != "-":
            lines.append(f'    X(ERR_{name.upper()}, "{condition}") \\')
    lines.append("")
    return header("BASE_SQLSTATES_H", "\n".join(lines))


def wait_events(path):
    lines = ["typedef enum WaitEvent {", "    WAIT_EVENT_NONE = 0,"]
    table = []
    for line in rows(path):
        kind, name, _ = [part.strip() for part in line.split("|")]
        lines.append(f"    WAIT_EVENT_{c_name(name).upper()},")
        table.append(f"    X({quote(kind)}, {quote(name)}) \\")
    lines.append("    WAIT_EVENT_COUNT,\n} WaitEvent;\n")
    lines.append("/* X(type, name) in the order of the enum, from 1 */\n#define WAIT_EVENT_NAMES(X) \\")
    lines += table + [""]
    return header("BASE_WAIT_EVENTS_H", "\n".join(lines))


def locks(path):
    lines = ["typedef enum LockRank {"]
    for line in rows(path):
        rank, name, what = line.split(None, 2)
        lines.append(f"    RANK_{name.upper()} = {rank}, /* {what} */")
    lines.append("} LockRank;")
    return header("BASE_LOCK_RANKS_H", "\n".join(lines) + "\n")


def metrics(path):
    lines = ["typedef enum MetricId {"]
    for line in rows(path):
        name, description = [part.strip() for part in line.split("|")]
        lines.append(f"    METRIC_{name.upper()}, /* {description} */")
    lines.append("    METRIC_COUNT,\n} MetricId;")
    return header("BASE_METRIC_IDS_H", "\n".join(lines) + "\n")


C_TYPES = {"bool": "bool", "integer": "int64_t", "real": "double", "string": "Str", "enum": "int"}
KINDS = {"bool": "BOOL", "integer": "INT", "real": "REAL", "string": "STRING", "enum": "ENUM"}
CONTEXTS = {"internal": "INTERNAL", "postmaster": "POSTMASTER", "sighup": "SIGHUP",
            "superuser-backend": "BACKEND", "backend": "BACKEND", "superuser": "SUPERUSER", "user": "USER"}


def settings(path):
    for line in rows(path):
        fields = [part.strip() for part in line.split("|", 10)]
        if len(fields) != 11:
            sys.exit(f"{path}: eleven fields wanted: {line}")
        yield fields


def settings_h(path):
    ids, fields, enums = [], [], []
    for name, kind, _, _, _, _, _, options, *_ in settings(path):
        field = c_name(name)
        ids.append(f"    SETTING_{field.upper()},")
        fields.append(f"    {C_TYPES[kind]} {field};")
        if kind == "enum":
            for value, option in enumerate(options.split(",")):
                enums.append(f"    {field.upper()}_{c_name(option.strip()).upper()} = {value},")
    body = ('#include "base/str.h"\n\ntypedef enum SettingId {\n' + "\n".join(ids) + "\n    SETTING_COUNT,\n} SettingId;\n\n"
            "/* Values of enum settings: the index of the option's name. */\nenum {\n" + "\n".join(enums) + "\n};\n\n"
            "typedef struct SettingValues {\n" + "\n".join(fields) + "\n} SettingValues;\n")
    return header("BASE_SETTING_VALUES_H", body)


def settings_c(path):
    lines = ["/* Generated; edit the .dat file instead. */", '#include "base/settings.h"', ""]
    table = []
    for name, kind, context, unit, default, low, high, options, reported, category, what in settings(path):
        field = c_name(name)
        choice = "NULL"
        if kind == "enum":
            choice = f"options_{field}"
            items = ", ".join(f"STR({quote(o.strip())})" for o in options.split(","))
            lines.append(f"static const Str {choice}[] = {{{items}, {{0}}}};")
        table.append(
            f"    [SETTING_{field.upper()}] = {{STR({quote(name)}), SETTING_{KINDS[kind]}, CONTEXT_{CONTEXTS[context]}, "
            f"STR({quote(unit)}), STR({quote(default)}), {low or 0}, {high or 0}, {choice}, STR({quote(category)}), "
            f"STR({quote(what)}), {'true' if reported else 'false'}, offsetof(SettingValues, {field})}},")
    lines += ["", "const SettingInfo setting_infos[SETTING_COUNT] = {"] + table + ["};", ""]
    return "\n".join(lines)


def main():
    kind, source, target = sys.argv[1:4]
    text = {"sqlstates": sqlstates, "wait_events": wait_events, "locks": locks, "metrics": metrics,
            "settings_h": settings_h, "settings_c": settings_c}[kind](source)
    with open(target, "w", encoding="utf-8") as out:
        out.write(text)


main()
