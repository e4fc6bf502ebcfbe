/*
 * Operators, casts, access methods and operator classes, by OID and by name (lookup.h's rules).
 */
#ifndef CATALOG_OPERATOR_H
#define CATALOG_OPERATOR_H

#include "catalog/catalog.h"

/* ---- operators ---- */

typedef struct OperatorDesc {
    Oid oid;
    Str name;
    Oid namespace_oid;
    Oid owner;
    char kind; /* b infix, l prefix */
    bool can_merge, can_hash;
    Oid left, right, result;
    Oid commutator, negator;
    Oid function;
    Str restrict_estimator, join_estimator; /* oprrest, oprjoin: names */
} OperatorDesc;

typedef struct OperatorCandidates {
    const OperatorDesc *const *items;
    uint32_t count;
} OperatorCandidates;

const OperatorDesc *operator_find(CatalogSession *session, Oid oid);
OperatorCandidates operator_candidates(CatalogSession *session, Str schema, Str name, char kind);
/* Exact types; left = 0 for prefix operators. */
const OperatorDesc *operator_find_exact(CatalogSession *session, Str schema, Str name, Oid left,
                                        Oid right);
/* The operators and support functions by which a type is sorted, compared for equality and hashed,
 * from its default btree and hash operator classes (arrays: of arrays in general). */
typedef struct TypeOperators {
    Oid less, equal, greater; /* operators; 0 = the type has none */
    Oid compare;              /* btree support function 1 */
    Oid hash;                 /* hash support function 1 */
    Oid btree_opclass, btree_family, hash_family;
    Oid opclass_input; /* the class's type: text for varchar, anyarray for arrays */
} TypeOperators;
const TypeOperators *type_operators(CatalogSession *session, Oid type);

/* ---- casts ---- */

typedef struct CastDesc {
    Oid oid;
    Oid source, target;
    Oid function; /* 0: binary-coercible or through text */
    char context; /* i implicit, a assignment, e explicit */
    char method;  /* f function, b binary, i in/out */
} CastDesc;
const CastDesc *cast_find(CatalogSession *session, Oid source, Oid target);

/* ---- access methods, operator classes ---- */

typedef struct OpclassDesc {
    Oid oid;
    Str name;
    Oid namespace_oid;
    Oid access_method;
    Oid family;
    Oid input_type;
    bool is_default;
    Oid key_type;
} OpclassDesc;
const OpclassDesc *opclass_find(CatalogSession *session, Oid oid);
const OpclassDesc *opclass_find_name(CatalogSession *session, Oid access_method, Str schema,
                                     Str name);
const OpclassDesc *opclass_default(CatalogSession *session, Oid access_method, Oid type);
/* The operator of a family for a strategy (btree 1 < 2 <= 3 = 4 >= 5 >; hash 1 =). */
Oid opfamily_operator(CatalogSession *session, Oid family, Oid left, Oid right, int strategy);
/* The strategy of an operator in a family; 0: not a member. */
int opfamily_strategy(CatalogSession *session, Oid family, Oid operator_oid);
/* The support function n (btree 1 compare; hash 1 hash). */
Oid opfamily_function(CatalogSession *session, Oid family, Oid left, Oid right, int number);
/* Btree families in which the operator is a member, with its strategy; fills up to `room`. */
typedef struct OpfamilyMember {
    Oid family;
    int strategy;
    Oid left, right;
} OpfamilyMember;
uint32_t operator_btree_families(CatalogSession *session, Oid operator_oid, OpfamilyMember *ret,
                                 uint32_t room);
Str access_method_name(CatalogSession *session, Oid oid);

#endif
