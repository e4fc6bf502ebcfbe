/*
 * Built-in types by OID: physical form, text and binary forms, order, equality and hash.
 *
 *   const BuiltinType *type = builtin_type(TYPE_INT4);
 *   Value value;
 *   TRY(type_input(arena, TYPE_INT4, -1, STR("42"), &value));
 *   StrBuf out = strbuf_in(arena);
 *   TRY(type_output(TYPE_INT4, &value, &out));
 *
 * Values are never SQL NULL here: callers keep nulls apart. type_input parses what PostgreSQL's
 * input function parses and applies the typmod as the input function does; type_apply_typmod is
 * the length coercion of an assignment or explicit cast. Output reads settings() (DateStyle,
 * IntervalStyle, TimeZone, bytea_output, extra_float_digits).
 *
 * Physical forms, beyond what their names say:
 *   oid, xid, cid, reg*   int32 (read as Oid)          "char"          int8
 *   date                  int32 days since 2000-01-01  time            int64 microseconds
 *   timestamp(tz)         int64 microseconds since 2000-01-01 (UTC); INT64_MIN/MAX are ±infinity
 *   tid                   int64 (block << 16 | offset) xid8, pg_lsn    int64 (unsigned)
 *   text, name, json …    their bytes, no NUL          numeric         types/numeric.h
 *   arrays                types/array.h                void            empty var
 *   interval, timetz      base/vector.h                uuid            fixed16
 *
 * Types made by users (domains, enums, row types) are unknown here; catalog gives what they need
 * through TypesHooks. A domain has its base type's form; an array of any type can be read and
 * written when the hook answers with the element's BuiltinType.
 */
#ifndef TYPES_TYPE_H
#define TYPES_TYPE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "base/vector.h"

enum {
    TYPE_BOOL = 16,
    TYPE_BYTEA = 17,
    TYPE_CHAR = 18,
    TYPE_NAME = 19,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT2VECTOR = 22,
    TYPE_INT4 = 23,
    TYPE_REGPROC = 24,
    TYPE_TEXT = 25,
    TYPE_OID = 26,
    TYPE_TID = 27,
    TYPE_XID = 28,
    TYPE_CID = 29,
    TYPE_OIDVECTOR = 30,
    TYPE_JSON = 114,
    TYPE_PG_NODE_TREE = 194,
    TYPE_XID8 = 5069,
    TYPE_FLOAT4 = 700,
    TYPE_FLOAT8 = 701,
    TYPE_UNKNOWN = 705,
    TYPE_INET = 869,
    TYPE_ACLITEM = 1033,
    TYPE_BPCHAR = 1042,
    TYPE_VARCHAR = 1043,
    TYPE_DATE = 1082,
    TYPE_TIME = 1083,
    TYPE_TIMESTAMP = 1114,
    TYPE_TIMESTAMPTZ = 1184,
    TYPE_INTERVAL = 1186,
    TYPE_TIMETZ = 1266,
    TYPE_NUMERIC = 1700,
    TYPE_REFCURSOR = 1790,
    TYPE_REGPROCEDURE = 2202,
    TYPE_REGOPER = 2203,
    TYPE_REGOPERATOR = 2204,
    TYPE_REGCLASS = 2205,
    TYPE_REGTYPE = 2206,
    TYPE_RECORD = 2249,
    TYPE_CSTRING = 2275,
    TYPE_ANY = 2276,
    TYPE_ANYARRAY = 2277,
    TYPE_VOID = 2278,
    TYPE_TRIGGER = 2279,
    TYPE_LANGUAGE_HANDLER = 2280,
    TYPE_INTERNAL = 2281,
    TYPE_ANYELEMENT = 2283,
    TYPE_RECORD_ARRAY = 2287,
    TYPE_ANYNONARRAY = 2776,
    TYPE_UUID = 2950,
    TYPE_PG_LSN = 3220,
    TYPE_ANYENUM = 3500,
    TYPE_REGCONFIG = 3734,
    TYPE_REGDICTIONARY = 3769,
    TYPE_ANYRANGE = 3831,
    TYPE_REGNAMESPACE = 4089,
    TYPE_REGROLE = 4096,
    TYPE_REGCOLLATION = 4191,
    TYPE_ANYMULTIRANGE = 4537,
    TYPE_ANYCOMPATIBLEMULTIRANGE = 4538,
    TYPE_ANYCOMPATIBLE = 5077,
    TYPE_ANYCOMPATIBLEARRAY = 5078,
    TYPE_ANYCOMPATIBLENONARRAY = 5079,
    TYPE_ANYCOMPATIBLERANGE = 5080,
    TYPE_BOOL_ARRAY = 1000,
    TYPE_INT2_ARRAY = 1005,
    TYPE_INT4_ARRAY = 1007,
    TYPE_TEXT_ARRAY = 1009,
    TYPE_INT8_ARRAY = 1016,
    TYPE_FLOAT4_ARRAY = 1021,
    TYPE_FLOAT8_ARRAY = 1022,
    TYPE_OID_ARRAY = 1028,
    TYPE_NAME_ARRAY = 1003,
    TYPE_CHAR_ARRAY = 1002,
    TYPE_NUMERIC_ARRAY = 1231,
    TYPE_ACLITEM_ARRAY = 1034,
    TYPE_CSTRING_ARRAY = 1263,
};

enum { COLLATION_DEFAULT = 100, COLLATION_C = 950, COLLATION_POSIX = 951 };

/* Text from a client is well-formed UTF-8 without NUL, or refused with 22021. */
MUST_CHECK bool utf8_check(Str text);

typedef struct BuiltinType BuiltinType;

/* What the text and binary functions are given beside the value. */
typedef struct TypeIo {
    Arena *arena;            /* results of input live here */
    const BuiltinType *type; /* what is read or written */
    Oid type_oid;            /* the type asked for: its array of a user's type, a domain's base */
    int32_t typmod;          /* -1: none */
} TypeIo;

typedef bool TypeInput(const TypeIo *io, Str text, Value *ret);
typedef bool TypeOutput(const TypeIo *io, const Value *value, StrBuf *out);
typedef bool TypeReceive(const TypeIo *io, Str bytes, Value *ret);
typedef bool TypeSend(const TypeIo *io, const Value *value, StrBuf *out);
/* "(10,2)" as its integer arguments → typmod; and the typmod as text, "(10,2)". */
typedef bool TypmodInput(const int64_t *arguments, int count, int32_t *ret_typmod);
typedef void TypmodOutput(int32_t typmod, StrBuf *out);
typedef int TypeCompare(const BuiltinType *type, const Value *a, const Value *b);
typedef uint64_t TypeHash(const BuiltinType *type, const Value *value);

struct BuiltinType {
    Oid oid;
    const char *name;     /* pg_type.typname: "int4" */
    const char *sql_name; /* format_type without typmod: "integer" */
    int16_t length;       /* pg_type.typlen: -1 variable, -2 cstring */
    bool by_value;
    char alignment; /* c s i d */
    char storage;   /* p e m x */
    char kind;      /* pg_type.typtype: b p c d e */
    char category;  /* pg_type.typcategory */
    bool is_preferred;
    PhysType phys;
    Oid element;   /* arrays and vectors: what they hold */
    Oid array;     /* the array of this type */
    Oid collation; /* COLLATION_DEFAULT where collatable */
    TypeInput *input;
    TypeOutput *output;
    TypeReceive *receive;
    TypeSend *send;
    TypmodInput *typmod_in; /* NULL: the type takes no modifier */
    TypmodOutput *typmod_out;
    TypeCompare *compare; /* NULL: the type has no order (json, xid's order …) */
    TypeHash *hash;       /* NULL: not hashable; equal values hash equally */
};

/* NULL (no error set) when it is not built in and the hook knows it not. */
const BuiltinType *builtin_type(Oid oid);
const BuiltinType *builtin_type_by_name(Str typname);

MUST_CHECK bool type_input(Arena *arena, Oid type, int32_t typmod, Str text, Value *ret);
MUST_CHECK bool type_output(Oid type, const Value *value, StrBuf *out);
MUST_CHECK bool type_receive(Arena *arena, Oid type, int32_t typmod, Str bytes, Value *ret);
MUST_CHECK bool type_send(Oid type, const Value *value, StrBuf *out);
/* The physical form of a type; arrays and unknown user types are PHYS_VAR. */
PhysType type_phys(Oid type);
int type_compare(Oid type, const Value *a, const Value *b);
bool type_equal(Oid type, const Value *a, const Value *b);
/* Cuts, pads or rounds to the typmod (char(n), varchar(n), numeric(p,s), timestamp(p) …): what
 * PostgreSQL's cast from a type to itself does. `is_explicit` cuts silently. */
MUST_CHECK bool type_apply_typmod(Arena *arena, Oid type, int32_t typmod, bool is_explicit,
                                  Value *value);
/* "integer", "numeric(10,2)", "timestamp(3) without time zone", "text[]"; false (no error) for
 * types not built in. typmod -1: none; TYPMOD_UNASKED: nobody wants to know. char(n) without its n
 * is "bpchar" in the first case and "character" in the second, since that means character(1). */
#define TYPMOD_UNASKED (-2)
bool type_format(Oid type, int32_t typmod, StrBuf *out);

/*
 * What only the catalog can answer. NULL members: names are refused, numbers still work, and OIDs
 * print as numbers.
 */
typedef struct TypesHooks {
    /* Resolves the text of a reg* type; `type` is TYPE_REGCLASS, TYPE_REGTYPE, … */
    bool (*reg_input)(Oid type, Str text, Oid *ret_oid);
    /* Appends the name as the reg* type prints it; appends nothing and returns true when gone. */
    bool (*reg_output)(Oid type, Oid oid, StrBuf *out);
    /* A description for a type that is not built in: a domain's base, an enum, an array. */
    const BuiltinType *(*type_find)(Oid oid);
    /* aclitem: the stored form names roles by OID. NULL: kept as text. */
    bool (*acl_input)(Arena *arena, Str text, Value *ret);
    bool (*acl_output)(const Value *value, StrBuf *out);
    /* Row values: their form is the executor's (executor/record.h). */
    bool (*record_output)(const Value *record, StrBuf *out);
    bool (*record_send)(const Value *record, StrBuf *out);
    int (*record_compare)(const Value *a, const Value *b);
    /* The running transaction's timestamptz, for 'now' in text; NULL: the wall clock. */
    int64_t (*transaction_time)(void);
} TypesHooks;
void types_set_hooks(const TypesHooks *hooks); /* once, before sessions run; borrowed for ever */
const TypesHooks *types_hooks(void);

/* Installs the validity checks of DateStyle, TimeZone and their kin (base/settings.h). Once. */
void types_init(void);

#endif
