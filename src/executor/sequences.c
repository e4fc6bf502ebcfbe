#include "executor/sequences.h"

#include "base/hash.h"
#include "catalog/define.h"
#include "catalog/privilege.h"
#include "catalog/relation.h"
#include "txn/lock.h"
#include "txn/sequence.h"

/* Per sequence: the last value this session was given. Keyed by OID, on the heap. */
typedef struct LastValue {
    Oid sequence;
    int64_t value;
} LastValue;

struct SequenceMemory {
    Arena *arena;
    HashMap values; /* OID → LastValue */
    Oid last;       /* of lastval(); 0: none */
};

static SequenceMemory *memory_of(ExecSession *session)
{
    if (!session->sequences) {
        Arena *arena = arena_new("sequences");
        session->sequences = ARENA_NEW(arena, SequenceMemory);
        session->sequences->arena = arena;
        session->sequences->values.arena = arena;
    }
    return session->sequences;
}

static void remember(ExecSession *session, Oid sequence, int64_t value)
{
    SequenceMemory *memory = memory_of(session);
    LastValue *last = hashmap_get(&memory->values, sequence);
    if (!last) {
        last = ARENA_NEW(memory->arena, LastValue);
        last->sequence = sequence;
        hashmap_put(&memory->values, sequence, last);
    }
    last->value = value;
    memory->last = sequence;
}

static const RelationDesc *sequence_relation(ExecSession *session, Oid sequence)
{
    CatalogSession *catalog = &session->catalog;

    /* Until the transaction's end it is neither altered nor dropped. */
    TRY(lock_relation(catalog->txn, catalog->database_oid, sequence, LOCK_ROW_EXCLUSIVE, LOCK_WAIT,
                      STR_NONE));
    const RelationDesc *relation = relation_get(catalog, sequence);
    TRY(relation);
    if (relation->kind != RELKIND_SEQUENCE)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("\"%.*s\" is not a sequence", STR_ARGS(relation->name)));
    return relation;
}

static bool check_right(ExecSession *session, const RelationDesc *relation, AclRights any)
{
    CatalogSession *catalog = &session->catalog;
    if (privilege_rights(catalog, ON_SEQUENCE, relation->oid, catalog->current_user, any) != 0)
        return true;
    FAIL(ERR_INSUFFICIENT_PRIVILEGE,
         .message = fmt("permission denied for sequence %.*s", STR_ARGS(relation->name)));
}

static bool check_writable(ExecSession *session, const RelationDesc *relation, const char *what)
{
    if (!txn_is_read_only(session->catalog.txn) ||
        relation->persistence == RELPERSISTENCE_TEMPORARY)
        return true;
    FAIL(ERR_READ_ONLY_SQL_TRANSACTION,
         .message = fmt("cannot execute %s in a read-only transaction", what));
}

bool sequence_memory_next(ExecSession *session, Oid sequence, bool check_privilege,
                          int64_t *ret_value)
{
    const RelationDesc *relation = sequence_relation(session, sequence);
    SequenceDefinition definition;
    Oid type;
    TRY(relation);
    if (check_privilege)
        TRY(check_right(session, relation, ACL_USAGE | ACL_UPDATE));
    TRY(check_writable(session, relation, "nextval()"));
    TRY(sequence_definition(&session->catalog, sequence, &type, &definition));
    TRY(sequence_next(session->catalog.txn, relation->database, relation->tree, &definition,
                      relation->name, ret_value));
    remember(session, sequence, *ret_value);
    return true;
}

bool sequence_memory_current(ExecSession *session, Oid sequence, int64_t *ret_value)
{
    const RelationDesc *relation = sequence_relation(session, sequence);
    TRY(relation);
    TRY(check_right(session, relation, ACL_SELECT | ACL_USAGE));
    LastValue *last = hashmap_get(&memory_of(session)->values, sequence);
    if (!last)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = fmt("currval of sequence \"%.*s\" is not yet defined in this session",
                            STR_ARGS(relation->name)));
    *ret_value = last->value;
    return true;
}

bool sequence_memory_last(ExecSession *session, int64_t *ret_value)
{
    SequenceMemory *memory = memory_of(session);
    LastValue *last = memory->last ? hashmap_get(&memory->values, memory->last) : NULL;
    const RelationDesc *relation = last ? relation_find(&session->catalog, memory->last) : NULL;
    TRY(relation || !error_is_set());
    if (!relation)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = STR("lastval is not yet defined in this session"));
    TRY(check_right(session, relation, ACL_SELECT | ACL_USAGE));
    *ret_value = last->value;
    return true;
}

bool sequence_memory_set(ExecSession *session, Oid sequence, int64_t value, bool is_called)
{
    const RelationDesc *relation = sequence_relation(session, sequence);
    SequenceDefinition definition;
    Oid type;
    TRY(relation);
    TRY(check_right(session, relation, ACL_UPDATE));
    TRY(check_writable(session, relation, "setval()"));
    TRY(sequence_definition(&session->catalog, sequence, &type, &definition));
    if (value < definition.minimum || value > definition.maximum)
        FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE,
             .message = fmt("setval: value %lld is out of bounds for sequence \"%.*s\" "
                            "(%lld..%lld)",
                            (long long)value, STR_ARGS(relation->name),
                            (long long)definition.minimum, (long long)definition.maximum));
    TRY(sequence_set(session->catalog.txn, relation->database, relation->tree, value, is_called));
    if (is_called)
        remember(session, sequence, value);
    return true;
}

void sequence_memory_clear(ExecSession *session)
{
    sequence_memory_free(session);
}

void sequence_memory_free(ExecSession *session)
{
    if (session->sequences)
        arena_free(session->sequences->arena);
    session->sequences = NULL;
}
