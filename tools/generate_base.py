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
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


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
            "superuser-backend": "SUPERUSER_BACKEND", "backend": "BACKEND", "superuser": "SUPERUSER", "user": "USER"}


FLAGS = {"reported": "REPORTED", "hidden": "HIDDEN", "not_reset": "NOT_RESET", "not_in_sample": "NOT_IN_SAMPLE",
         "explain": "EXPLAIN", "computed": "COMPUTED", "private": "PRIVATE", "not_in_file": "NOT_IN_FILE", "not_in_auto": "NOT_IN_AUTO",
         "list": "LIST", "name_list": "NAME_LIST"}


class Setting:
    """One line of settings.dat."""

    def __init__(self, path, line):
        parts = [part.strip() for part in line.split("|")]
        if len(parts) != 13:
            sys.exit(f"{path}: thirteen fields wanted: {line}")
        (self.name, self.kind, self.context, self.unit, self.default, self.low, self.high, options, flags, self.category,
         self.what, self.more, use) = parts
        if self.default.startswith("'"):
            self.default = self.default[1:-1]  # blanks at its end count
        self.options = [option.strip() for option in options.split(",")]
        self.flags = flags.split()
        self.use, _, self.why = use.partition(";")
        self.why = self.why.strip()
        self.more = self.more.replace("\\n", "\n")
        self.field = c_name(self.name)
        self.only = [value.strip() for value in self.use[4:].split(",")] if self.use.startswith("only") else None
        if self.use not in ("read", "preset", "any") and self.only is None:
            sys.exit(f"{path}: what use is {self.use}? {line}")
        if bool(self.why) != (self.use == "any" or self.only is not None):
            sys.exit(f"{path}: a reason belongs to any and only, and to them alone: {line}")
        if self.only and self.default not in self.only:
            sys.exit(f"{path}: the built-in value is not among those allowed: {line}")

    def has_field(self):
        """A setting with one possible value is not stored in each session."""
        return self.use != "preset" and (self.only is None or len(self.only) > 1)


def settings(path):
    for line in rows(path):
        yield Setting(path, line)


def settings_h(path):
    ids, fields, enums = [], [], []
    for setting in settings(path):
        ids.append(f"    SETTING_{setting.field.upper()},")
        if not setting.has_field():
            continue
        fields.append(f"    {C_TYPES[setting.kind]} {setting.field};")
        if setting.kind == "enum":
            for value, option in enumerate(setting.options):
                enums.append(f"    {setting.field.upper()}_{c_name(option).upper()} = {value},")
    body = ('#include "base/str.h"\n\ntypedef enum SettingId {\n' + "\n".join(ids) + "\n    SETTING_COUNT,\n} SettingId;\n\n"
            "/* Values of enum settings: the index of the option's name. */\nenum {\n" + "\n".join(enums) + "\n};\n\n"
            "typedef struct SettingValues {\n" + "\n".join(fields) + "\n} SettingValues;\n")
    return header("BASE_SETTING_VALUES_H", body)


def str_list(name, texts):
    return f"static const Str {name}[] = {{{', '.join(f'STR({quote(text)})' for text in texts)}, {{0}}}};"


def settings_c(path):
    lines = ["/* Generated; edit the .dat file instead. */", '#include "base/settings.h"', ""]
    table = []
    for s in settings(path):
        options = only = "NULL"
        if s.kind == "enum":
            options = f"options_{s.field}"
            lines.append(str_list(options, s.options))
        if s.only:
            only = f"only_{s.field}"
            lines.append(str_list(only, s.only))
        flags = " | ".join(f"SETTING_IS_{FLAGS[flag]}" for flag in s.flags) or "0"
        place = f"offsetof(SettingValues, {s.field}), sizeof({C_TYPES[s.kind]})" if s.has_field() else "0, 0"
        table.append(
            f"    [SETTING_{s.field.upper()}] = {{STR({quote(s.name)}), SETTING_{KINDS[s.kind]}, CONTEXT_{CONTEXTS[s.context]}, "
            f"STR({quote(s.unit)}), STR({quote(s.default)}), {s.low or 0}, {s.high or 0}, {options}, {flags}, "
            f"STR({quote(s.category)}), STR({quote(s.what)}), STR({quote(s.more)}), {only}, STR({quote(s.why)}), {place}}},")
    lines += ["", "const SettingInfo setting_infos[SETTING_COUNT] = {"] + table + ["};", ""]
    return "\n".join(lines)


def main():
    kind, source, target = sys.argv[1:4]
    text = {"sqlstates": sqlstates, "wait_events": wait_events, "locks": locks, "metrics": metrics,
            "settings_h": settings_h, "settings_c": settings_c}[kind](source)
    with open(target, "w", encoding="utf-8") as out:
        out.write(text)


if __name__ == "__main__":
    main()
