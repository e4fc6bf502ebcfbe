"""Random values of the types, as SQL text. Each pool mixes chosen edges with made-up values."""
import random

EDGES = {
    "bool": ["true", "false"],
    "int2": ["0", "1", "-1", "32767", "-32768", "7", "100"],
    "int4": ["0", "1", "-1", "2", "5", "2147483647", "-2147483648", "1000000", "12345"],
    "int8": ["0", "1", "-1", "9223372036854775807", "-9223372036854775808", "4294967296", "10", "123456789012"],
    "float4": ["0", "-0", "1", "1.5", "-2.25", "NaN", "Infinity", "-Infinity", "3.4028235e38", "1e-45", "1e-37", "0.1", "16777217", "1e10"],
    "float8": ["0", "-0", "1", "0.5", "-2.5", "NaN", "Infinity", "-Infinity", "1.7976931348623157e308", "5e-324", "1e-300", "0.1",
               "3.141592653589793", "1e15", "1e16", "123456789.125", "-1", "2", "90", "45.5"],
    "numeric": ["0", "1", "-1", "0.0", "1.50", "-0.005", "NaN", "Infinity", "-Infinity", "12345678901234567890.123456789", "1e30", "1e-30",
                "99999999999999999999999999999999999999", "0.00000000000000000001", "100", "2", "10", "0.5", "3.14159", "-7.5", "65536.00"],
    "text": ["", " ", "a", "abc", "ABC", "Hello World", "ünïcödé", "日本語テキスト", "a\\b", "100%", "under_score", "  padded  ", "x,y,z", "it''s",
             "line\nbreak", "tab\there", "😀 emoji", "aaaa", "abcabc", "12345", "-1.5", "{1,2}", "ß", "İstanbul", "NULL", "\"quoted\""],
    "bytea": ["\\\\x", "\\\\x00", "\\\\xff00ff", "\\\\x616263", "\\\\xdeadbeef", "\\\\x00010203040506070809"],
    "date": ["2000-01-01", "1999-12-31", "2024-02-29", "0044-03-15 BC", "4714-11-24 BC", "5874897-12-31", "infinity", "-infinity", "1970-01-01",
             "2026-03-29", "0001-01-01", "1582-10-15", "2020-12-31", "2021-01-03"],
    "time": ["00:00:00", "24:00:00", "23:59:59.999999", "12:34:56.789", "01:02:03", "00:00:00.000001", "13:00"],
    "timetz": ["00:00:00+00", "24:00:00-08", "12:34:56.789+05:30", "23:59:59.999999-15:59", "01:02:03+15:59:59", "12:00:00+02"],
    "timestamp": ["2000-01-01 00:00:00", "1999-12-31 23:59:59.999999", "infinity", "-infinity", "4714-11-24 00:00:00 BC",
                  "294276-12-31 23:59:59.999999", "2026-03-29 02:30:00", "2026-10-25 02:30:00", "2016-12-31 23:59:59", "0001-01-01 00:00:00 BC",
                  "2024-02-29 12:34:56.5", "1970-01-01 00:00:00", "2001-09-09 01:46:40", "1900-06-15 12:00:00"],
    "timestamptz": ["2000-01-01 00:00:00+00", "infinity", "-infinity", "4714-11-24 00:00:00+00 BC", "294276-12-31 23:59:59.999999+00",
                    "2026-03-29 00:59:59+00", "2026-03-29 01:00:00+00", "2026-10-25 00:30:00+00", "1883-11-18 12:03:58-07", "2024-02-29 12:34:56.5+05:30",
                    "1970-01-01 00:00:00+00", "0044-03-15 12:00:00+00 BC", "2038-01-19 03:14:08+00"],
    "interval": ["0", "1 day", "-1 day", "1 mon", "1 year 2 mons 3 days 04:05:06.789", "-1 year -2 mons +3 days -04:05:06", "00:00:00.000001",
                 "178000000 years", "-178000000 years", "100 days 25:00:00", "1 mon -1 day", "30 days", "12:00:00", "15 minutes", "1 week", "-00:00:01",
                 "2147483647 days", "99 years 11 mons 29 days 23:59:59.999999"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "oid": ["0", "1", "23", "25", "4294967295", "16384"],
    "char": ["", "a", "Z", "\\\\001", "é"],
    "json": ["null", "1", "\"a\"", "[]", "{}", "[1, 2, \"x\", null, true]", "{\"a\": 1, \"b\": [1, {\"c\": null}], \"a\": 2}", "-1.50e3", "  [1 ,2]  ",
             "{\"k\": {\"k\": {\"k\": []}}}", "\"\\\\u00e9\\\\n\"", "true", "{\"\": 0, \"long key\": \"v\"}"],
}
EDGES["jsonb"] = EDGES["json"]
EDGES["varchar"] = EDGES["bpchar"] = EDGES["name"] = EDGES["text"]
TYPES = sorted(EDGES)
ARRAYS = ["int4", "int8", "text", "float8", "numeric", "bool", "timestamp", "varchar", "int2", "date", "json", "jsonb", "interval", "bytea"]

UNITS = ["microseconds", "milliseconds", "second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade", "century", "millennium",
         "dow", "isodow", "doy", "isoyear", "julian", "epoch", "timezone", "timezone_hour", "timezone_minute", "bogus", "WEEK", "mins"]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "EST", "PST8PDT", "CET", "+03", "-05:30", "Nowhere/City", "Australia/Lord_Howe",
         "<+07>-07", "america/new_york", "Pacific/Apia"]
DATE_FORMATS = ["YYYY-MM-DD", "YYYY-MM-DD HH24:MI:SS", "DD Mon YYYY", "Day, DD Month YYYY", "FMDay, FMDD FMMonth YYYY", "HH12:MI:SS AM", "YYYYMMDD",
                "IYYY-IW-ID", "IYYY-IDDD", "YYYY-DDD", "Q", "J", "CC YY", "Y,YYY", "RM", "rm", "TZ OF", "TZH:TZM", "SSSSS", "MS US FF3 FF6", "DDth", "FMDDTH",
                "\"text\" YYYY \\\"q\\\"", "W WW D", "YYYY BC", "A.D. a.m. P.M.", "YYY YY Y I IY IYY", "FXYYYY MM DD", "month MON mon", "DY dy Dy", "HH24MISS",
                "YYYY/MM/DD", "ééé YYYY", "TMMonth", "SSSS", "MonthMon", "DAYday", "FMHH24:FMMI:FMSS", "YYYYth", ""]
NUMBER_FORMATS = ["9999", "0000", "9,999.99", "FM9999.00", "S999", "999S", "999PR", "MI999", "999MI", "PL99", "SG999", "L999", "99V99", "9.99EEEE", "RN", "FMRN",
                  "99D99", "99G999", "999th", "FM999TH", "B999", "009", "90.09", "FM0.999", "\"x\"99", "9999999999999999", ".9", "FM.99", "$999", "999.999999", "0", "9", ""]
PATTERNS = ["a", "a.*", "^a", "b$", "(a)(b)?", "[a-c]+", "\\\\d+", "\\\\w", "(", "[", "a{2}", "a|b", "", ".", "(?i)HELLO", "x*", "\\\\s+", "[[:alpha:]]+",
            "(?:ab)+", "^$", "\\\\mW", "o\\\\M", "***=a.c", "[^a]", "(l+)o", "é", "*", "a**", "\\\\1", "(.)\\\\1"]
FLAGS = ["", "g", "i", "gi", "n", "x", "s", "z", "q", "c", "m", "w", "p"]
LIKES = ["%", "a%", "%b%", "_", "a_c", "", "\\\\%", "100\\\\%", "%é%", "\\\\", "%%", "_%_", "H%d"]
PATHS = ["{}", "{a}", "{b,1}", "{b,1,c}", "{0}", "{-1}", "{x,y}", "{k,k,k}", "{1,2}", "{NULL}", "{\"\"}"]


def quote(text):
    """A literal of already doubled quotes; backslashes and control characters through E''."""
    return ("E'" if "\\" in text or "\n" in text or "\t" in text else "'") + text.replace("\n", "\\n").replace("\t", "\\t") + "'"


class Values:
    """Makes values from one seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, items):
        return self.random.choice(items)

    def made(self, name):
        """A made-up value's text, or None: edges only."""
        r = self.random
        if name == "int2":
            return str(r.randint(-32768, 32767) >> r.choice([0, 8, 12]))
        if name == "int4":
            return str(r.randint(-2**31, 2**31 - 1) >> r.choice([0, 16, 28]))
        if name == "int8":
            return str(r.randint(-2**63, 2**63 - 1) >> r.choice([0, 32, 60]))
        if name in ("float4", "float8"):
            return r.choice([f"{r.uniform(-10, 10):.3f}", f"{r.uniform(-1, 1)!r}", f"{r.uniform(-1e3, 1e3)}e{r.randint(-30, 30)}", str(r.randint(-100, 100))])
        if name == "numeric":
            digits = "".join(r.choice("0123456789") for _ in range(r.choice([1, 2, 3, 8, 20, 40])))
            point = r.randint(0, len(digits))
            return r.choice(["", "-"]) + (digits[:point] or "0") + ("." + digits[point:] if point < len(digits) else "")
        if name in ("text", "varchar", "bpchar", "name"):
            return "".join(r.choice("aAbB cxyz019._%-é日,") for _ in range(r.choice([1, 3, 6, 12])))
        if name == "bytea":
            return "\\\\x" + "".join(f"{r.randint(0, 255):02x}" for _ in range(r.randint(1, 9)))
        if name == "date":
            return f"{r.randint(1, 3000):04d}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}"
        if name in ("time", "timetz"):
            zone = r.choice(["+00", "-03:30", "+12"]) if name == "timetz" else ""
            return f"{r.randint(0, 23):02d}:{r.randint(0, 59):02d}:{r.randint(0, 59):02d}.{r.randint(0, 999999):06d}{zone}"
        if name in ("timestamp", "timestamptz"):
            zone = r.choice(["+00", "-03:30", "+12"]) if name == "timestamptz" else ""
            return (f"{r.randint(1, 3000):04d}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d} "
                    f"{r.randint(0, 23):02d}:{r.randint(0, 59):02d}:{r.randint(0, 59):02d}.{r.randint(0, 999999):06d}{zone}")
        if name == "interval":
            return f"{r.randint(-50, 50)} mons {r.randint(-400, 400)} days {r.choice(['', '-'])}{r.randint(0, 90):02d}:{r.randint(0, 59):02d}:{r.uniform(0, 59):09.6f}"
        if name == "uuid":
            return "%032x" % r.getrandbits(128)
        if name == "oid":
            return str(r.randint(0, 2**32 - 1))
        return None

    def text(self, name):
        made = self.made(name) if self.random.random() < 0.5 else None
        return self.pick(EDGES[name]) if made is None else made

    def value(self, name):
        """An expression of the type."""
        if self.random.random() < 0.03:
            return f"NULL::{sql_name(name)}"
        if name.startswith("_"):
            return self.array(name[1:])
        return f"{quote(self.text(name))}::{sql_name(name)}"

    def array(self, name):
        shape = self.random.random()
        items = [self.value(name) for _ in range(self.random.choice([0, 1, 2, 3, 4]))]
        if not items or shape < 0.05:
            return f"'{{}}'::{sql_name(name)}[]"
        if shape < 0.2:
            return f"ARRAY[[{', '.join(items)}], [{', '.join(self.value(name) for _ in items)}]]"
        return f"ARRAY[{', '.join(items)}]"


def sql_name(name):
    """How the type is written; _x is an array of x."""
    element = name.lstrip("_")
    return {"char": '"char"'}.get(element, element) + ("[]" if name.startswith("_") else "")
