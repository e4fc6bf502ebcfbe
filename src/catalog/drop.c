/* Dropping objects with what depends on them. */
#include "base/error.h"
#include "base/scheduler.h"
#include "catalog/catalog_internal.h"
#include "catalog/define.h"
#include "catalog/define_internal.h"
#include "catalog/lookup.h"
#include "catalog/object.h"
#include "storage/row.h"

#define REPORT_LIMIT                                                                               \
    100 /* dependent objects named in a message, as PostgreSQL's MAX_REPORTED_DEPS */

typedef enum Reason {
    REASON_ORIGINAL,
    REASON_AUTO, /* part of something dropped, or belongs to it */
    REASON_INTERNAL,
    REASON_NORMAL,
} Reason;

typedef struct Doomed {
    ObjectAddress object;
    ObjectAddress because; /* which it depends on */
    Reason reason;
} Doomed;

typedef struct Drop {
    CatalogSession *session;
    DropOptions options;
    VEC(Doomed) doomed; /* dependents before what they depend on */
    VEC(ObjectAddress) visiting;
    const ObjectAddress *targets;
    size_t target_count;
} Drop;

static bool same(ObjectAddress a, ObjectAddress b)
{
    return a.class_oid == b.class_oid && a.oid == b.oid && a.column == b.column;
}

/* The whole covers its columns. */
static bool covers(ObjectAddress a, ObjectAddress b)
{
    return a.class_oid == b.class_oid && a.oid == b.oid && (a.column == 0 || a.column == b.column);
}

static bool is_visited(const Drop *drop, ObjectAddress object)
{
    for (size_t i = 0; i < drop->visiting.length; i++)
        if (covers(drop->visiting.items[i], object))
            return true;
    return false;
}

static bool is_target(const Drop *drop, ObjectAddress object)
{
    for (size_t i = 0; i < drop->target_count; i++)
        if (covers(drop->targets[i], object))
            return true;
    return false;
}

static bool collect(Drop *drop, ObjectAddress object, Reason reason, ObjectAddress because);

/* An object that is internal to another goes only with its owner: dropping it means dropping the
 * owner, which must be asked for. */
static bool collect_owner(Drop *drop, ObjectAddress object, Reason reason, ObjectAddress because,
                          bool *ret_redirected)
{
    DependencyVec owners = {0};

    *ret_redirected = false;
    TRY(depend_of(drop->session, object, drop->session->arena, &owners));
    for (size_t i = 0; i < owners.length; i++) {
        if (owners.items[i].kind != DEPENDENCY_INTERNAL ||
            owners.items[i].dependent.column != object.column)
            continue;
        const ObjectAddress owner = owners.items[i].referenced;
        if (is_visited(drop, owner) || is_target(drop, owner))
            return true;
        if (reason == REASON_ORIGINAL) {
            Arena *arena = drop->session->arena;
            const Str what = object_describe(drop->session, object, arena);
            const Str who = object_describe(drop->session, owner, arena);
            FAIL(ERR_DEPENDENT_OBJECTS_STILL_EXIST,
                 .message = fmt("cannot drop %.*s because %.*s requires it", STR_ARGS(what),
                                STR_ARGS(who)),
                 .hint = fmt("You can drop %.*s instead.", STR_ARGS(who)));
        }
        /* Reached through something else: the owner falls, and takes this along. */
        *ret_redirected = true;
        return collect(drop, owner, reason, because);
    }
    return true;
}

static Reason reason_of(DependencyKind kind)
{
    switch (kind) {
    case DEPENDENCY_AUTO:
        return REASON_AUTO;
    case DEPENDENCY_INTERNAL:
        return REASON_INTERNAL;
    default:
        return REASON_NORMAL;
    }
}

/* Newest objects first, as PostgreSQL: what was made last goes first. */
static void dependents_sort(DependencyVec *rows)
{
    for (size_t i = 1; i < rows->length; i++)
        for (size_t j = i; j > 0; j--) {
            const ObjectAddress a = rows->items[j - 1].dependent, b = rows->items[j].dependent;
            if (a.oid > b.oid || (a.oid == b.oid && a.column <= b.column))
                break;
            const Dependency swap = rows->items[j];
            rows->items[j] = rows->items[j - 1];
            rows->items[j - 1] = swap;
        }
}

static bool collect(Drop *drop, ObjectAddress object, Reason reason, ObjectAddress because)
{
    CatalogSession *session = drop->session;
    DependencyVec dependents = {0};
    bool redirected;

    if (task_stack_left() < 32 * 1024)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    if (is_visited(drop, object)) {
        /* A softer way in makes it less of a surprise: AUTO beats NORMAL. */
        for (size_t i = 0; i < drop->doomed.length; i++)
            if (same(drop->doomed.items[i].object, object))
                drop->doomed.items[i].reason = MIN(drop->doomed.items[i].reason, reason);
        return true;
    }
    TRY(collect_owner(drop, object, reason, because, &redirected));
    if (redirected)
        return true;
    const ObjectLocked outcome = object_lock(session, object, LOCK_ACCESS_EXCLUSIVE);
    TRY(outcome);
    if (outcome == OBJECT_GONE)
        return true;
    VEC_PUSH(session->arena, &drop->visiting, object);
    TRY(depend_on(session, object, session->arena, &dependents));
    dependents_sort(&dependents);
    for (size_t i = 0; i < dependents.length; i++) {
        const Dependency *dependency = &dependents.items[i];
        if (!same(dependency->dependent, object))
            TRY(collect(drop, dependency->dependent, reason_of(dependency->kind), object));
    }
    VEC_PUSH(session->arena, &drop->doomed, ((Doomed){object, because, reason}));
    return true;
}

/* ---- telling ---- */

/* The thing a user knows: a rule stands for its view, a type for its table. */
static ObjectAddress known_as(CatalogSession *session, ObjectAddress object)
{
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);

    if (object.class_oid == RELATION_PG_REWRITE &&
        object_row_find(session, RELATION_PG_REWRITE, object.oid, row) == ROW_FOUND)
        return (ObjectAddress){RELATION_PG_CLASS, row_oid(row, PG_REWRITE_EV_CLASS), 0};
    if (object.class_oid == RELATION_PG_TYPE) {
        const TypeDesc *type = type_find(session, object.oid);
        if (type && type->relation)
            return (ObjectAddress){RELATION_PG_CLASS, type->relation, 0};
    }
    return object;
}

/* A column of a table that goes as a whole. */
static bool is_covered(const Drop *drop, ObjectAddress object)
{
    for (size_t i = 0; i < drop->doomed.length && object.column; i++)
        if (drop->doomed.items[i].object.column == 0 &&
            covers(drop->doomed.items[i].object, object))
            return true;
    return false;
}

static bool report(Drop *drop)
{
    CatalogSession *session = drop->session;
    StrBuf detail = strbuf_in(session->arena);
    uint32_t count = 0, unnamed = 0;
    Str only = STR_NONE;

    for (size_t i = drop->doomed.length; i-- > 0;) {
        const Doomed *doomed = &drop->doomed.items[i];
        if (doomed->reason != REASON_NORMAL || is_covered(drop, doomed->object))
            continue;
        const ObjectAddress object = known_as(session, doomed->object);
        const Str what = object_describe(session, object, session->arena);
        if (is_target(drop, object))
            continue;
        only = what;
        count++;
        if (count > REPORT_LIMIT) {
            unnamed++;
            continue;
        }
        if (count > 1)
            strbuf_append_char(&detail, '\n');
        if (drop->options.cascade)
            strbuf_format(&detail, "drop cascades to %.*s", STR_ARGS(what));
        else
            strbuf_format(&detail, "%.*s depends on %.*s", STR_ARGS(what),
                          STR_ARGS(object_describe(session, known_as(session, doomed->because),
                                                   session->arena)));
    }
    if (count == 0)
        return true;
    if (unnamed)
        strbuf_format(&detail, "\nand %u other object%s (see server log for list)", unnamed,
                      unnamed == 1 ? "" : "s");
    if (!drop->options.cascade) {
        const Str what = object_describe(session, drop->targets[0], session->arena);
        if (drop->target_count == 1)
            FAIL(ERR_DEPENDENT_OBJECTS_STILL_EXIST,
                 .message =
                     fmt("cannot drop %.*s because other objects depend on it", STR_ARGS(what)),
                 .detail = strbuf_view(&detail),
                 .hint = STR("Use DROP ... CASCADE to drop the dependent objects too."));
        FAIL(ERR_DEPENDENT_OBJECTS_STILL_EXIST,
             .message = STR("cannot drop desired object(s) because other objects depend on them"),
             .detail = strbuf_view(&detail),
             .hint = STR("Use DROP ... CASCADE to drop the dependent objects too."));
    }
    if (drop->options.quiet)
        return true;
    if (count == 1)
        NOTICE(SEVERITY_NOTICE, ERR_SUCCESSFUL_COMPLETION,
               .message = str_format(session->arena, "drop cascades to %.*s", STR_ARGS(only)));
    else
        NOTICE(SEVERITY_NOTICE, ERR_SUCCESSFUL_COMPLETION,
               .message = str_format(session->arena, "drop cascades to %u other objects", count),
               .detail = strbuf_view(&detail));
    return true;
}

/* ---- doing ---- */

static bool rows_delete(CatalogSession *session, CatalogIndexId index, const Value *keys,
                        uint32_t count)
{
    CatalogRowVec rows = {0};

    TRY(system_rows_find(session, index, keys, count, &rows));
    for (size_t i = 0; i < rows.length; i++)
        TRY(system_row_delete(session, rows.items[i]));
    return true;
}

bool drop_storage(CatalogSession *session, RelationKind kind, Oid database, Oid tree)
{
    if (!tree)
        return true;
    if (kind == RELKIND_SEQUENCE)
        return sequence_drop(session->txn, database, tree);
    return txn_tree_drop(session->txn, database, tree);
}

static bool drop_index_row(CatalogSession *session, Oid index)
{
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    const Value key = {.oid = index};
    const RowFound found = system_row_find(session, INDEX_PG_INDEX_INDEXRELID_INDEX, &key, 1, row);

    TRY(found);
    return found == ROW_MISSING || system_row_delete(session, row);
}

static bool drop_relation(CatalogSession *session, Oid oid)
{
    const Value key = {.oid = oid};
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    const RowFound found = object_row_find(session, RELATION_PG_CLASS, oid, row);

    TRY(found);
    if (found == ROW_MISSING)
        return true;
    const RelationKind kind = (RelationKind)row_char(row, PG_CLASS_RELKIND);
    TRY(drop_storage(session, kind, session->database_oid, row_oid(row, PG_CLASS_RELFILENODE)));
    if (kind == RELKIND_INDEX)
        TRY(drop_index_row(session, oid));
    if (kind == RELKIND_SEQUENCE)
        TRY(rows_delete(session, INDEX_PG_SEQUENCE_SEQRELID_INDEX, &key, 1));
    TRY(rows_delete(session, INDEX_PG_ATTRIBUTE_RELID_ATTNUM_INDEX, &key, 1));
    TRY(rows_delete(session, INDEX_PG_STATISTIC_RELID_ATT_INH_INDEX, &key, 1));
    return system_row_delete(session, row);
}

static bool drop_column(CatalogSession *session, Oid relation_oid_, int column)
{
    const Value keys[] = {{.oid = relation_oid_}, {.int16 = (int16_t)column}};
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    const RelationDesc *relation = relation_get(session, relation_oid_);

    TRY(relation);
    const RowFound found =
        system_row_find(session, INDEX_PG_ATTRIBUTE_RELID_ATTNUM_INDEX, keys, 2, row);
    TRY(found);
    if (found == ROW_MISSING)
        return true;
    row_set_text(row, PG_ATTRIBUTE_ATTNAME,
                 str_format(session->arena, "........pg.dropped.%d........", column));
    row_set_oid(row, PG_ATTRIBUTE_ATTTYPID, OID_NONE);
    row_set_bool(row, PG_ATTRIBUTE_ATTISDROPPED, true);
    row_set_bool(row, PG_ATTRIBUTE_ATTNOTNULL, false);
    row_set_bool(row, PG_ATTRIBUTE_ATTHASMISSING, false);
    row_set_char(row, PG_ATTRIBUTE_ATTGENERATED, 0);
    row_set_char(row, PG_ATTRIBUTE_ATTIDENTITY, 0);
    row_set_int32(row, PG_ATTRIBUTE_ATTSTATTARGET, 0);
    row_set_null(row, PG_ATTRIBUTE_ATTACL);
    TRY(system_row_update(session, row));
    TRY(rows_delete(session, INDEX_PG_STATISTIC_RELID_ATT_INH_INDEX, keys, 2));
    if (!relation->storage)
        return true;
    const Layout *old = txn_tree_layout(session->txn, relation->storage);
    LayoutColumn *columns = ARENA_ARRAY(session->arena, LayoutColumn, old->column_count);
    memcpy(columns, old->columns, old->column_count * sizeof(*columns));
    columns[column - 1] = (LayoutColumn){.type = PHYS_NONE};
    return txn_tree_set_layout(
        session->txn, relation->storage,
        layout_new(session->arena, old->version + 1, columns, old->column_count));
}

static bool drop_default(CatalogSession *session, Oid oid)
{
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);
    CatalogRow *attribute = ARENA_NEW(session->arena, CatalogRow);
    RowFound found = object_row_find(session, RELATION_PG_ATTRDEF, oid, row);

    TRY(found);
    if (found == ROW_MISSING)
        return true;
    const Value keys[] = {{.oid = row_oid(row, PG_ATTRDEF_ADRELID)}, row->values[PG_ATTRDEF_ADNUM]};
    found = system_row_find(session, INDEX_PG_ATTRIBUTE_RELID_ATTNUM_INDEX, keys, 2, attribute);
    TRY(found);
    if (found == ROW_FOUND) {
        row_set_bool(attribute, PG_ATTRIBUTE_ATTHASDEF, false);
        row_set_char(attribute, PG_ATTRIBUTE_ATTGENERATED, 0);
        TRY(system_row_update(session, attribute));
    }
    return system_row_delete(session, row);
}

/* Both ends of a constraint change: nobody may be checking rows by it. */
static bool drop_constraint(CatalogSession *session, const CatalogRow *row)
{
    const Oid ends[] = {row_oid(row, PG_CONSTRAINT_CONFRELID),
                        row_oid(row, PG_CONSTRAINT_CONRELID)};

    for (size_t i = 0; i < ARRAY_LENGTH(ends); i++)
        if (ends[i])
            TRY(object_lock(session, (ObjectAddress){RELATION_PG_CLASS, ends[i], 0},
                            LOCK_ACCESS_EXCLUSIVE));
    if (row_char(row, PG_CONSTRAINT_CONTYPE) == CONTYPE_CHECK && ends[1])
        return define_check_count(session, ends[1], -1);
    return true;
}

static bool drop_one(CatalogSession *session, ObjectAddress object)
{
    CatalogRow *row = ARENA_NEW(session->arena, CatalogRow);

    if (object.class_oid == RELATION_PG_CLASS)
        return object.column ? drop_column(session, object.oid, object.column)
                             : drop_relation(session, object.oid);
    if (object.class_oid == RELATION_PG_ATTRDEF)
        return drop_default(session, object.oid);
    const RowFound found = object_row_find(session, object.class_oid, object.oid, row);
    TRY(found);
    if (found == ROW_MISSING)
        return true;
    if (object.class_oid == RELATION_PG_CONSTRAINT)
        TRY(drop_constraint(session, row));
    return system_row_delete(session, row);
}

static bool drop_comments(CatalogSession *session, ObjectAddress object)
{
    const Value keys[] = {{.oid = object.oid}, {.oid = object.class_oid}, {.int32 = object.column}};

    return rows_delete(session, INDEX_PG_DESCRIPTION_O_C_O_INDEX, keys, object.column ? 3 : 2);
}

static bool drop_doomed(CatalogSession *session, ObjectAddress object)
{
    TRY(drop_one(session, object));
    TRY(drop_comments(session, object));
    TRY(depend_forget(session, object, 0));
    if (object.column == 0)
        TRY(depend_forget_shared(session, object));
    return true;
}

bool drop_objects(CatalogSession *session, const ObjectAddress *targets, size_t count,
                  DropOptions options)
{
    Drop drop = {.session = session, .options = options, .targets = targets, .target_count = count};

    for (size_t i = 0; i < count; i++)
        TRY(collect(&drop, targets[i], REASON_ORIGINAL, targets[i]));
    TRY(report(&drop));
    for (size_t i = 0; i < drop.doomed.length; i++) {
        const ObjectAddress object = drop.doomed.items[i].object;
        if (!is_covered(&drop, object))
            TRY(drop_doomed(session, object));
        CHECK_INTERRUPTS();
    }
    return true;
}
