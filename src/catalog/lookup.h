/*
 * Looking objects up by OID and by name through the search path: types, functions, aggregates,
 * collations, namespaces; operators, casts and operator classes (operator.h); roles and databases
 * (role.h).
 *
 *   const TypeDesc *type = type_find(session, oid);            NULL: none
 *   TRY(type = type_get_name(session, schema, name, position)); 42704 where missing
 *   FunctionCandidates found = function_candidates(session, schema, name);
 *
 * `_find` returns NULL (or 0) without an error where there is none; `_get` fails with PostgreSQL's
 * message. Descriptions are borrowed: built-in ones live for ever, others until the end of the
 * transaction. `schema` is STR_NONE for unqualified names.
 *
 * Choosing among candidates by argument types is the planner's (PostgreSQL manual, chapter 10);
 * here are the facts it decides by.
 */
#ifndef CATALOG_LOOKUP_H
#define CATALOG_LOOKUP_H

#include "base/vector.h"
#include "catalog/catalog.h"
#include "catalog/operator.h"
#include "catalog/role.h"
#include "types/type.h"

/* ---- types ---- */

typedef struct TypeDesc {
    Oid oid;
    Str name;
    Oid namespace_oid;
    Oid owner;
    int16_t length; /* typlen: -1 variable, -2 C string */
    bool by_value;
    char kind;     /* typtype: b c d e p r m */
    char category; /* typcategory */
    bool preferred;
    bool defined;
    char delimiter;
    Oid relation;  /* typrelid of a row type */
    Oid subscript; /* typsubscript: 0 = not an array */
    Oid element;   /* typelem */
    Oid array;     /* typarray */
    char align;
    char storage;
    bool not_null;                                           /* domains */
    Oid base_type;                                           /* domains */
    int32_t typmod;                                          /* domains */
    Oid collation;                                           /* typcollation: 0 = not collatable */
    Oid input, output, receive, send, typmod_in, typmod_out; /* pg_proc OIDs */
    PhysType phys;
} TypeDesc;

const TypeDesc *type_find(CatalogSession *session, Oid oid);
MUST_CHECK const TypeDesc *type_get(CatalogSession *session,
                                    Oid oid); /* XX000 cache lookup failed */
Oid type_oid(CatalogSession *session, Str schema, Str name);
/* 42704 `type "x" does not exist` (3F000 for an unknown schema). */
MUST_CHECK const TypeDesc *type_get_name(CatalogSession *session, Str schema, Str name,
                                         int position);
/* A true array type (int4[]), not a fixed one such as name or oidvector. */
bool type_is_array(const TypeDesc *type);
/* "integer", "character varying(10)", "timestamp(3) with time zone", "public.point3[]": SQL's
 * names, in `arena`. typmod as type_format has it; and format_type's rule of qualification by the
 * search path. */
Str type_sql_name(CatalogSession *session, Oid oid, int32_t typmod, Arena *arena);
/* As error messages want it: type_sql_name(oid, TYPMOD_UNASKED) in the session's arena. */
Str type_name(CatalogSession *session, Oid oid);

/* ---- functions ---- */

/* pg_proc.prokind */
typedef enum ProKind {
    PROKIND_NORMAL = 'f',
    PROKIND_AGGREGATE = 'a',
    PROKIND_WINDOW = 'w',
    PROKIND_PROCEDURE = 'p',
} ProKind;

typedef struct FunctionDesc {
    Oid oid;
    Str name;
    Oid namespace_oid;
    Oid owner;
    Oid language;
    ProKind kind;
    bool strict;
    bool returns_set;
    bool leakproof;
    bool security_definer;
    char volatility; /* i s v */
    char parallel;
    float cost, rows;
    Oid variadic; /* element type of a VARIADIC array parameter, or "any"; 0 */
    Oid return_type;
    uint16_t argument_count; /* inputs */
    uint16_t default_count;
    const Oid *argument_types;
    /* with OUT parameters: all of them, in order; NULL otherwise */
    uint16_t all_count;
    const Oid *all_types;
    const char *all_modes; /* i o b v t */
    const Str *names;      /* of all arguments, or of the inputs; NULL: unnamed */
    Str defaults;          /* SQL text of the last default_count inputs' defaults: "1, NULL" */
    Str source;            /* prosrc: the symbol of a built-in one (types/function.h) */
    const struct Acl *acl; /* NULL: the default */
} FunctionDesc;

typedef struct FunctionCandidates {
    const FunctionDesc *const *items;
    uint32_t count;
} FunctionCandidates;

const FunctionDesc *function_find(CatalogSession *session, Oid oid);
/*
 * All functions of the name that the path sees (or of the one schema), earlier schemas first and
 * without those hidden by an equal signature in an earlier schema. `argument_count` -1: any.
 */
FunctionCandidates function_candidates(CatalogSession *session, Str schema, Str name,
                                       int argument_count);
/* The exact signature; 0 where there is none. */
const FunctionDesc *function_find_exact(CatalogSession *session, Str schema, Str name,
                                        const Oid *types, uint32_t count);
/* "name(integer, text)", for messages. */
Str function_signature(CatalogSession *session, const FunctionDesc *function);

/* ---- aggregates ---- */

typedef struct AggregateDesc {
    Oid function; /* pg_proc.oid */
    char kind;    /* n o h */
    int16_t direct_count;
    Str implementation; /* symbol of the accumulator (types/aggregate registry) */
    Oid sort_operator;  /* min, max: the operator that an index answers them by */
    Oid transition_type;
} AggregateDesc;
const AggregateDesc *aggregate_find(CatalogSession *session, Oid function);

/* ---- collations, languages ---- */

typedef struct CollationDesc {
    Oid oid;
    Str name;
    Oid namespace_oid;
    char provider; /* d default, c libc, i icu */
    bool deterministic;
    Str collate, ctype;
} CollationDesc;
const CollationDesc *collation_find(CatalogSession *session, Oid oid);
Oid collation_oid(CatalogSession *session, Str schema, Str name);
MUST_CHECK Oid collation_get_name(CatalogSession *session, Str schema, Str name, int position);
Oid language_oid(CatalogSession *session, Str name);
Str language_name(CatalogSession *session, Oid oid);

/* ---- namespaces ---- */

/*
 * May what has just failed (the error is set) or found nothing come from a schema of which only a
 * part was there: a commit that changes it was being applied? `version` is txn_schema_version
 * before. Then the error is dropped, the rest is waited for, and looking again tells the truth.
 * Interrupts stay what they are.
 */
MUST_CHECK bool catalog_was_moving(const CatalogSession *session, uint64_t version);

Oid namespace_oid(CatalogSession *session, Str name); /* "pg_temp" is the session's own */
MUST_CHECK Oid namespace_get(CatalogSession *session, Str name, int position); /* 3F000 */
Str namespace_name(CatalogSession *session, Oid oid);          /* STR_NONE: no such */
bool namespace_is_temporary(CatalogSession *session, Oid oid); /* anyone's pg_temp_N */

/* Whether the unqualified name finds this very object. */
bool relation_is_visible(CatalogSession *session, Oid oid, bool *ret_exists);
bool type_is_visible(CatalogSession *session, Oid oid, bool *ret_exists);
bool function_is_visible(CatalogSession *session, Oid oid, bool *ret_exists);
bool operator_is_visible(CatalogSession *session, Oid oid, bool *ret_exists);
bool collation_is_visible(CatalogSession *session, Oid oid, bool *ret_exists);
bool opclass_is_visible(CatalogSession *session, Oid oid, bool *ret_exists);

#endif
