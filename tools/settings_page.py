#!/usr/bin/env python3
"""Makes docs/settings.md from src/base/data/settings.dat: every setting and what becomes of its value.

usage: settings_page.py [--check]     --check: fails where the page is not what it would make
"""
import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tools"))
from generate_base import settings

TABLE = TOP / "src/base/data/settings.dat"
PAGE = TOP / "docs/settings.md"
HEAD = """# Settings

Made by tools/settings_page.py from src/base/data/settings.dat; not to be edited.

No setting is accepted and ignored. Names, types, ranges and defaults are PostgreSQL 15's but where the table says otherwise, and each is one of:

- **used**: the server does what the setting says;
- **any**: nothing reads the value, because what it promises is kept whatever it is; the reason is given;
- **only …**: other values are refused with SQLSTATE 0A000 wherever they are given: SET, ALTER SYSTEM, ALTER ROLE, ALTER DATABASE, a
  connection's options, the command line, the configuration file;
- **shown**: it cannot be set.

| setting | default | set | use |
|-|-|-|-|
"""
WHEN = {"internal": "never", "postmaster": "at start", "sighup": "by reload", "superuser-backend": "connection, superuser",
        "backend": "connection", "superuser": "superuser", "user": "anyone"}


def shown(text):
    """Text in a cell of the table."""
    return "`" + text.replace("|", "\\|") + "`" if text else ""


def use(setting):
    """What becomes of the value, in words."""
    if setting.use == "read":
        return "used"
    if setting.use == "preset":
        return "shown"
    if setting.only is None:
        return "any: " + setting.why
    return "only " + ", ".join(shown(value) or "empty" for value in setting.only) + ": " + setting.why


def page():
    """The whole page."""
    rows = [f"| {setting.name} | {shown(setting.default)} | {WHEN[setting.context]} | {use(setting)} |" for setting in settings(TABLE)]
    return HEAD + "\n".join(rows) + "\n"


def main():
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        sys.exit("docs/settings.md is not what settings.dat says: run tools/settings_page.py")


if __name__ == "__main__":
    main()
