/* Sequences: pg_class, pg_sequence, pg_depend and the states in the sequence tree, compared. */
#include "server/verify_sequences.h"

#include "base/error.h"
#include "base/vec.h"
#include "catalog/define.h"
#include "catalog/system_row.h"
#include "txn/sequence.h"

typedef VEC(StoredSequence) StoredSequenceVec;

typedef struct SequenceCheck {
    CatalogSession *session;
    Arena *arena;
    StoredSequenceVec stored; /* taken out of the list as their sequences are met: id 0 */
    VerifyTell *tell;
    void *context;
} SequenceCheck;

static bool note_stored(void *context, const StoredSequence *sequence)
{
    SequenceCheck *check = context;

    VEC_PUSH(check->arena, &check->stored, *sequence);
    return true;
}

static StoredSequence *find_stored(SequenceCheck *check, TreeId id)
{
    for (size_t i = 0; i < check->stored.length; i++)
        if (check->stored.items[i].id == id)
            return &check->stored.items[i];
    return NULL;
}

static void check_state(SequenceCheck *check, Str name, Oid relation, const StoredSequence *stored)
{
    SequenceDefinition definition;
    Oid type;

    if (!sequence_definition(check->session, relation, &type, &definition)) {
        check->tell(check->context, name, error_fields()->message);
        error_clear();
        return;
    }
    if (!stored)
        check->tell(check->context, name, STR("its state does not exist"));
    else if (!stored->is_sound)
        check->tell(check->context, name, STR("its state is damaged"));
    else if (stored->last_value < definition.minimum || stored->last_value > definition.maximum)
        check->tell(check->context, name,
                    fmt("its last value %lld is not between %lld and %lld",
                        (long long)stored->last_value, (long long)definition.minimum,
                        (long long)definition.maximum));
}

static bool column_exists(CatalogSession *session, Oid relation, int32_t column, bool *ret_exists)
{
    const Value keys[2] = {{.oid = relation}, {.int16 = (int16_t)column}};
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    const RowFound found =
        system_row_find(session, INDEX_PG_ATTRIBUTE_RELID_ATTNUM_INDEX, keys, 2, row);

    TRY(found);
    *ret_exists = found == ROW_FOUND && !row->values[PG_ATTRIBUTE_ATTISDROPPED].boolean;
    return true;
}

/* OWNED BY and identity: an automatic or internal dependency on a column. */
static bool check_owner(SequenceCheck *check, Str name, Oid relation)
{
    const Value keys[2] = {{.oid = RELATION_PG_CLASS}, {.oid = relation}};
    CatalogRowVec rows = {0};

    TRY(system_rows_find(check->session, INDEX_PG_DEPEND_DEPENDER_INDEX, keys, 2, &rows));
    for (size_t i = 0; i < rows.length; i++) {
        const CatalogRow *row = rows.items[i];
        const char kind = row_char(row, PG_DEPEND_DEPTYPE);
        const Oid table = row_oid(row, PG_DEPEND_REFOBJID);
        const int32_t column = row->values[PG_DEPEND_REFOBJSUBID].int32;
        bool exists;
        if ((kind != DEPENDENCY_AUTO && kind != DEPENDENCY_INTERNAL) || column == 0 ||
            row_oid(row, PG_DEPEND_REFCLASSID) != RELATION_PG_CLASS)
            continue;
        TRY(column_exists(check->session, table, column, &exists));
        if (!exists)
            check->tell(check->context, name,
                        fmt("it is owned by column %d of relation %u, which does not exist", column,
                            table));
    }
    return true;
}

static bool check_sequences(SequenceCheck *check)
{
    CatalogRowVec rows = {0};

    TRY(system_rows_all(check->session, CAT_PG_CLASS, &rows));
    for (size_t i = 0; i < rows.length; i++) {
        const CatalogRow *row = rows.items[i];
        if (row_char(row, PG_CLASS_RELKIND) != RELKIND_SEQUENCE)
            continue;
        const Oid oid = row_oid(row, PG_CLASS_OID);
        const RelationDesc *relation = relation_find(check->session, oid);
        if (!relation) {
            check->tell(check->context, fmt("sequence with OID %u", oid),
                        error_is_set() ? error_fields()->message : STR("it cannot be read"));
            error_clear();
            continue;
        }
        Str name = str_format(check->arena, "sequence %.*s.%.*s",
                              STR_ARGS(relation->namespace_name), STR_ARGS(relation->name));
        StoredSequence *stored = find_stored(check, relation->tree);
        check_state(check, name, oid, stored);
        TRY(check_owner(check, name, oid));
        if (stored)
            stored->id = 0;
    }
    return true;
}

bool verify_sequences(CatalogSession *session, TxnManager *manager, DatabaseId database,
                      VerifyTell *tell, void *context)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("sequences");
    SequenceCheck check = {.session = session, .arena = arena, .tell = tell, .context = context};

    TRY(sequence_list(manager, database, note_stored, &check));
    TRY(check_sequences(&check));
    for (size_t i = 0; i < check.stored.length; i++) {
        if (check.stored.items[i].id != 0)
            tell(context,
                 fmt("sequence state %u of database %u", check.stored.items[i].id, database),
                 STR("it belongs to no sequence"));
    }
    return true;
}
