#!/usr/bin/env python3
"""What a machine can check of how the code reads. Prints `file:line: what` and ends with 1 if there was any.

usage: tidy.py [--fix] [--analyze] [FILE…]

- layout: clang-format (with --fix, formats)
- layers: a room includes only itself and what tools/layers.txt allows; `x_internal.h` stays in its folder
- sizes: files, headers, functions, parameters, nesting, columns
- banned calls, trailing blanks, missing header essays
- each header compiles alone
- docs: the files, folders, names of code and subcommands of tools/dev that a page names exist
- clang-tidy's checks (.clang-tidy) over all of that; its analyzer, which takes seconds a file, over the files named, else over
  what differs from HEAD, with --analyze over the whole tree (what it found clean is not looked at again)
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = TOP / "build/sanitize"
FILE_LINES, HEADER_LINES, FUNCTION_LINES, PARAMETERS, NESTING, COLUMNS = 1200, 250, 100, 10, 4, 100
# STYLE's own ceiling of parameters, and how many functions are above it: a debt, which may shrink only.
STYLE_PARAMETERS, WIDE_FUNCTIONS = 5, 181
ANALYZER = "clang-analyzer-*"
CLEAN = TOP / "build/tidy-clean"  # one empty file for each text that the analyzer found nothing in

BANNED = {
    r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca|atol|atoll|strncpy|strncat)\s*\(": "banned call",
    r"\bgoto\b": "goto",
    r"\b(setjmp|longjmp)\s*\(": "longjmp",
    r"\b(TODO|FIXME|XXX)\b": "an unfinished mark",
    r"\b(system|popen|signal|rand|srand|localtime|gmtime|ctime)\s*\(": "a call that is not safe among threads",
}
# Where the operating system is the subject.
ALLOWED = {"signal": ("src/server/", "src/base/")}


class Findings:
    """What is wrong, in the order of files."""

    def __init__(self):
        self.lines = []
        self.wide_functions = 0

    def add(self, path, line, what):
        self.lines.append(f"{path.relative_to(TOP)}:{line}: {what}")

    def check_debts(self):
        """Whether what is above STYLE's ceiling has become more. For the whole tree."""
        if self.wide_functions > WIDE_FUNCTIONS:
            self.lines.append(f"{self.wide_functions} functions have more than {STYLE_PARAMETERS} parameters; {WIDE_FUNCTIONS} had")


def read_layers():
    """room -> rooms and single headers it may include."""
    layers = {}
    for line in (TOP / "tools/layers.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            room, _, allowed = line.partition(":")
            layers[room] = set(allowed.split()) | {room}
    return layers


def code_only(text):
    """Text with comments and literals blanked out, line for line."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def check_includes(path, text, layers, findings):
    parts = path.relative_to(TOP).parts
    room = parts[1] if parts[0] == "src" and len(parts) > 2 else None
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'#include "([^"]+)"', line)
        if not match:
            continue
        header = match.group(1)
        other = header.split("/")[0]
        if room and "/" in header and other in layers and other not in layers[room] and header not in layers[room]:
            findings.add(path, number, f"layer: {room} may not include {header}")
        if room and header.endswith("_internal.h") and "/" in header and other != room:
            findings.add(path, number, f"{header} is {other}'s own")


def check_text(path, text, findings):
    lines = text.splitlines()
    ceiling = HEADER_LINES if path.suffix == ".h" else FILE_LINES
    if len(lines) > ceiling:
        findings.add(path, 1, f"{len(lines)} lines; at most {ceiling}")
    if path.suffix == ".h" and "/*" not in text[:200]:
        findings.add(path, 1, "no essay at its head")
    for number, line in enumerate(lines, 1):
        if len(line.expandtabs(4)) > COLUMNS:
            findings.add(path, number, f"{len(line)} columns")
        if line != line.rstrip():
            findings.add(path, number, "trailing blanks")
    if text and not text.endswith("\n"):
        findings.add(path, len(lines), "no newline at its end")


def check_banned(path, code, findings):
    name = str(path.relative_to(TOP))
    for number, line in enumerate(code.splitlines(), 1):
        for pattern, what in BANNED.items():
            match = re.search(pattern, line)
            if not match or name.startswith("regress/"):
                continue
            word = re.match(r"\w+", match.group(0)).group(0)
            if not name.startswith(ALLOWED.get(word, ("\0",))):
                findings.add(path, number, f"{what}: {word}")


def check_functions(path, code, findings):
    """Definitions begin at the margin and have their braces there."""
    start, depth, deepest = None, 0, 0
    lines = code.splitlines()
    for number, line in enumerate(lines, 1):
        if line == "{" and start is None and number > 1 and lines[number - 2].rstrip().endswith(")"):
            start, deepest = number, 0
            head = number - 2
            while head > 0 and lines[head].startswith((" ", "\t")):
                head -= 1
            parameters = " ".join(lines[head:number - 1])
            findings.wide_functions += parameters.count(",") >= STYLE_PARAMETERS
            if parameters.count(",") >= PARAMETERS:
                findings.add(path, number, f"{parameters.count(',') + 1} parameters; at most {PARAMETERS}")
        elif line == "}" and start is not None:
            if number - start - 1 > FUNCTION_LINES:
                findings.add(path, start, f"a function of {number - start - 1} lines; at most {FUNCTION_LINES}")
            if deepest > NESTING:
                findings.add(path, start, f"{deepest} levels of nesting; at most {NESTING}")
            start, depth = None, 0
        if start is not None:
            depth += line.count("{") - line.count("}")
            deepest = max(deepest, depth - 1)


def named_files(span):
    """The paths in a piece of code in a page: with a known ending, or below a folder of the tree. What has capitals or stars is a pattern."""
    endings = r"\.(c|h|py|dat|txt|md|sql|spec|y|re|sh|build)"
    for word in re.findall(r"[\w./*<>{},-]+", span):
        word = word.rstrip(".,;:/")
        if re.search(r"[*<{A-Z]", word) and not word.endswith(".md"):
            continue
        if re.fullmatch(rf"[\w./-]+{endings}", word) or re.match(r"(src|regress|tools|docs|grammar)/", word):
            yield word


def check_docs(findings):
    """Pages speak of what is there."""
    tracked = subprocess.run(["git", "ls-files"], cwd=TOP, check=True, capture_output=True, text=True).stdout.split()
    tracked += [str(path.relative_to(BUILD)) for path in BUILD.glob("src/**/*.[ch]")]
    known = set(tracked) | {str(folder) for name in tracked for folder in pathlib.PurePath(name).parents}
    basenames = {pathlib.PurePath(name).name for name in tracked}
    words = set()
    for name in tracked:
        if name.endswith((".c", ".h", ".py", ".y", ".re", ".dat", ".txt", ".build", ".sql", "tools/dev")) and "/expected/" not in name and (TOP / name).is_file():
            words.update(re.findall(r"\w+", (TOP / name).read_text(encoding="utf-8", errors="replace")))
            words.add(pathlib.PurePath(name).stem)
    for path in [TOP / name for name in tracked if name.endswith(".md")]:
        folder = path.parent.relative_to(TOP)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for command in re.findall(r"tools/dev ([a-z]+)", line):
                if f"cmd_{command}" not in words:
                    findings.add(path, number, f"tools/dev has no command {command}")
            for span in re.findall(r"`([^`]+)`", line):
                for name in named_files(span):
                    near = {name, f"src/{name}", str(folder / name)}
                    if not near & known and not ("/" not in name and any(base.endswith(name) for base in basenames)):
                        findings.add(path, number, f"there is no {name}")
                for word in re.findall(r"\b[a-z][a-z0-9]*_[a-z0-9_]*[a-z0-9]\b(?![/*.…])", span):
                    if word not in words and f"/{word}" not in span:
                        findings.add(path, number, f"nothing is called {word}")


def compile_alone(header):
    """The compiler's complaint about a header on its own, or ''."""
    flags = ["-std=gnu17", "-D_GNU_SOURCE", "-msse4.2", "-mcx16", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-missing-field-initializers",
             f"-I{TOP / 'src'}", f"-I{BUILD / 'src'}", f"-I{BUILD / 'src/base'}"]
    source = f'#include "{header.relative_to(TOP / "src")}"\n'
    result = subprocess.run(["gcc", *flags, "-fsyntax-only", "-x", "c", "-"], input=source, capture_output=True, text=True)
    return "" if result.returncode == 0 and not result.stderr else result.stderr.strip().splitlines()[0]


def check_format(path, fix):
    """Is the layout clang-format's?"""
    if fix:
        subprocess.run(["clang-format", "-i", str(path)], check=True)
        return True
    return subprocess.run(["clang-format", "--dry-run", "-Werror", str(path)], capture_output=True).returncode == 0


def run_clang_tidy(paths, checks):
    """Findings of clang-tidy in some files; each once, though many files include a header."""
    result = subprocess.run(["clang-tidy", f"--checks={checks}", "-p", str(BUILD), "--quiet", "--extra-arg=-Wno-unknown-warning-option",
                             *map(str, paths)], capture_output=True, text=True, cwd=TOP)
    lines = [line for line in result.stdout.splitlines() if re.search(r": (warning|error): ", line)]
    return [os.path.relpath(os.path.normpath(BUILD / line.split(":", 1)[0]), TOP) + ":" + line.split(":", 1)[1] for line in lines]


def expanded_hash(command):
    """Of everything that the compiler sees of a file."""
    words = [word for word in shlex.split(command["command"]) if word != "ccache"]
    if "-o" in words:
        del words[words.index("-o"):words.index("-o") + 2]
    words = [word for word in words if word not in ("-c", "-MD")]
    text = subprocess.run([*words, "-E", "-P"], capture_output=True, cwd=command["directory"]).stdout
    return hashlib.sha256(text + (TOP / ".clang-tidy").read_bytes()).hexdigest() if text else None


def analyze(path, commands):
    """The analyzer's findings in one file, unless the very same text was clean before."""
    command = commands.get(path)
    seen = expanded_hash(command) if command else None
    if seen and (CLEAN / seen).exists():
        return []
    found = run_clang_tidy([path], f"-*,{ANALYZER},-clang-analyzer-optin.performance.Padding,"
                           "-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,-clang-analyzer-valist.Uninitialized")
    if seen and not found:
        CLEAN.mkdir(parents=True, exist_ok=True)
        (CLEAN / seen).touch()
    return found


def clang_tidy(paths, to_analyze, pool):
    """All findings: the quick checks in handfuls of files, the analyzer file by file."""
    commands = {pathlib.Path(os.path.normpath(os.path.join(entry["directory"], entry["file"]))): entry
                for entry in json.loads((BUILD / "compile_commands.json").read_text())}
    built = [path for path in paths if path in commands]
    handfuls = [built[i:i + 8] for i in range(0, len(built), 8)]
    quick = [pool.submit(run_clang_tidy, handful, f"-{ANALYZER}") for handful in handfuls]
    slow = [pool.submit(analyze, path, commands) for path in to_analyze if path in commands]
    return sorted({line for future in quick + slow for line in future.result()})


def changed():
    """The files that differ from HEAD, or that git does not know yet."""
    listing = subprocess.run(["git", "status", "--porcelain", "src", "regress"], cwd=TOP, check=True, capture_output=True, text=True)
    return [TOP / line[3:] for line in listing.stdout.splitlines() if line.endswith(".c") and (TOP / line[3:]).exists()]


def sources(names):
    """The files named, or all that git knows."""
    for name in names:
        if not name.endswith((".c", ".h")):
            sys.exit(f"tidy: {name} is neither a .c nor a .h file")
    if names:
        return [pathlib.Path(name).resolve() for name in names]
    listing = subprocess.run(["git", "ls-files", "src", "regress", "grammar"], cwd=TOP, check=True, capture_output=True, text=True)
    return [TOP / name for name in listing.stdout.split() if name.endswith((".c", ".h")) and (TOP / name).exists()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fix", action="store_true")
    parser.add_argument("--analyze", action="store_true")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    findings, layers, paths = Findings(), read_layers(), sources(options.files)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        formatted = list(pool.map(lambda path: check_format(path, options.fix), paths))
        for path, is_formatted in zip(paths, formatted):
            if not is_formatted:
                findings.add(path, 1, "layout: run tools/dev tidy --fix")
            text = path.read_text(encoding="utf-8")
            code = code_only(text)
            check_includes(path, text, layers, findings)
            check_text(path, text, findings)
            check_banned(path, code, findings)
            check_functions(path, code, findings)
        # grammar_run.h is a part of the generated parser, which it is included in.
        headers = [path for path in paths if path.suffix == ".h" and path.is_relative_to(TOP / "src") and path.name != "grammar_run.h"]
        for path, complaint in zip(headers, pool.map(compile_alone, headers)):
            if complaint:
                findings.add(path, 1, f"does not compile alone: {complaint}")
        if not options.files:
            findings.check_debts()
            check_docs(findings)
        to_analyze = paths if options.files or options.analyze else changed()
        findings.lines += clang_tidy(paths, [path for path in to_analyze if path.suffix == ".c"], pool)
    print("\n".join(findings.lines))
    print(f"{len(paths)} files, {len(findings.lines)} findings")
    sys.exit(1 if findings.lines else 0)


main()
