#include "catalog/trigger.h"

#include "base/error.h"
#include "catalog/builtin.h"
#include "catalog/define_internal.h"
#include "catalog/function_session.h"
#include "catalog/names.h"
#include "catalog/role.h"
#include "types/identifier.h"

/* PostgreSQL's functions, by OID: they are in pg_proc. */
enum {
    UNIQUE_KEY_RECHECK = 1250,
    CHECK_INSERT = 1644,
    CHECK_UPDATE = 1645,
    CASCADE_DELETE = 1646, /* and for UPDATE the next number, here and below */
    RESTRICT_DELETE = 1648,
    SET_NULL_DELETE = 1650,
    SET_DEFAULT_DELETE = 1652,
    NO_ACTION_DELETE = 1654,
    NO_ACTION_UPDATE = 1655,
};

/* ---- rows ---- */

typedef struct TriggerRow {
    const char *prefix;
    Oid relation, other; /* the table that fires it; the other end, of a foreign key */
    Oid function;
    int16_t type;
    bool deferrable, initially_deferred;
} TriggerRow;

static bool row_insert(CatalogSession *session, Oid constraint, Oid index, const TriggerRow *t)
{
    const Oid oid = catalog_new_oid(session);
    CatalogRow row;

    TRY(oid);
    system_row_init(&row, CAT_PG_TRIGGER);
    row_set_oid(&row, PG_TRIGGER_OID, oid);
    row_set_oid(&row, PG_TRIGGER_TGRELID, t->relation);
    row_set_oid(&row, PG_TRIGGER_TGPARENTID, OID_NONE);
    row_set_text(&row, PG_TRIGGER_TGNAME,
                 str_format(session->arena, "%s_%u", t->prefix, (unsigned)oid));
    row_set_oid(&row, PG_TRIGGER_TGFOID, t->function);
    row_set_int16(&row, PG_TRIGGER_TGTYPE, t->type);
    row_set_char(&row, PG_TRIGGER_TGENABLED, TRIGGER_ENABLED_ORIGIN);
    row_set_bool(&row, PG_TRIGGER_TGISINTERNAL, true);
    row_set_oid(&row, PG_TRIGGER_TGCONSTRRELID, t->other);
    row_set_oid(&row, PG_TRIGGER_TGCONSTRINDID, index);
    row_set_oid(&row, PG_TRIGGER_TGCONSTRAINT, constraint);
    row_set_bool(&row, PG_TRIGGER_TGDEFERRABLE, t->deferrable);
    row_set_bool(&row, PG_TRIGGER_TGINITDEFERRED, t->initially_deferred);
    row_set_int16(&row, PG_TRIGGER_TGNARGS, 0);
    TRY(row_set_int16s(session, &row, PG_TRIGGER_TGATTR, NULL, 0));
    row_set_text(&row, PG_TRIGGER_TGARGS, STR(""));
    TRY(system_row_insert(session, &row));
    return depend_record(session, (ObjectAddress){RELATION_PG_TRIGGER, oid, 0},
                         (ObjectAddress){RELATION_PG_CONSTRAINT, constraint, 0},
                         DEPENDENCY_INTERNAL);
}

static Oid action_function(ForeignAction action, bool is_update)
{
    const Oid of_delete = action == REFERENCE_CASCADE       ? CASCADE_DELETE
                          : action == REFERENCE_RESTRICT    ? RESTRICT_DELETE
                          : action == REFERENCE_SET_NULL    ? SET_NULL_DELETE
                          : action == REFERENCE_SET_DEFAULT ? SET_DEFAULT_DELETE
                                                            : NO_ACTION_DELETE;
    return of_delete + (is_update ? 1 : 0);
}

/* What is done when a referenced row changes; only NO ACTION may wait. */
static TriggerRow action_trigger(const ConstraintDefinition *c, bool is_update)
{
    const ForeignAction action = is_update ? c->on_update : c->on_delete;
    const bool may_wait = action == REFERENCE_NO_ACTION;

    return (TriggerRow){.prefix = "RI_ConstraintTrigger_a",
                        .relation = c->foreign_table,
                        .other = c->table,
                        .function = action_function(action, is_update),
                        .type = TRIGGER_ROW | (is_update ? TRIGGER_UPDATE : TRIGGER_DELETE),
                        .deferrable = c->deferrable && may_wait,
                        .initially_deferred = c->initially_deferred && may_wait};
}

static TriggerRow check_trigger(const ConstraintDefinition *c, bool is_update)
{
    return (TriggerRow){.prefix = "RI_ConstraintTrigger_c",
                        .relation = c->table,
                        .other = c->foreign_table,
                        .function = is_update ? CHECK_UPDATE : CHECK_INSERT,
                        .type = TRIGGER_ROW | (is_update ? TRIGGER_UPDATE : TRIGGER_INSERT),
                        .deferrable = c->deferrable,
                        .initially_deferred = c->initially_deferred};
}

bool trigger_define(CatalogSession *session, Oid constraint, const ConstraintDefinition *definition)
{
    const ConstraintDefinition *c = definition;

    if (c->kind == CONTYPE_FOREIGN) {
        const TriggerRow rows[] = {action_trigger(c, false), action_trigger(c, true),
                                   check_trigger(c, false), check_trigger(c, true)};
        for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
            TRY(row_insert(session, constraint, c->index, &rows[i]));
        return true;
    }
    if (!c->deferrable || (c->kind != CONTYPE_PRIMARY && c->kind != CONTYPE_UNIQUE))
        return true;
    return row_insert(session, constraint, c->index,
                      &(TriggerRow){.prefix = c->kind == CONTYPE_PRIMARY
                                                  ? "PK_ConstraintTrigger"
                                                  : "Unique_ConstraintTrigger",
                                    .relation = c->table,
                                    .function = UNIQUE_KEY_RECHECK,
                                    .type = TRIGGER_ROW | TRIGGER_INSERT | TRIGGER_UPDATE,
                                    .deferrable = true,
                                    .initially_deferred = c->initially_deferred});
}

static bool rows_of(CatalogSession *session, Oid constraint, CatalogRowVec *ret_rows)
{
    return system_rows_find(session, INDEX_PG_TRIGGER_TGCONSTRAINT_INDEX,
                            &(Value){.oid = constraint}, 1, ret_rows);
}

bool trigger_set_deferrable(CatalogSession *session, Oid constraint, bool deferrable,
                            bool initially_deferred)
{
    CatalogRowVec rows = {0};

    TRY(rows_of(session, constraint, &rows));
    for (size_t i = 0; i < rows.length; i++) {
        CatalogRow *row = rows.items[i];
        const Oid function = row_oid(row, PG_TRIGGER_TGFOID);
        if (function != NO_ACTION_DELETE && function != NO_ACTION_UPDATE &&
            function != CHECK_INSERT && function != CHECK_UPDATE)
            continue;
        row_set_bool(row, PG_TRIGGER_TGDEFERRABLE, deferrable);
        row_set_bool(row, PG_TRIGGER_TGINITDEFERRED, initially_deferred);
        TRY(system_row_update(session, row));
    }
    return true;
}

static ConstraintTrigger trigger_of_function(Oid function)
{
    if (function == UNIQUE_KEY_RECHECK || function == CHECK_INSERT)
        return TRIGGER_CHECK_INSERT;
    if (function == CHECK_UPDATE)
        return TRIGGER_CHECK_UPDATE;
    return (function - CASCADE_DELETE) % 2 == 0 ? TRIGGER_ACTION_DELETE : TRIGGER_ACTION_UPDATE;
}

bool trigger_load(CatalogSession *session, ConstraintDesc *constraint)
{
    CatalogRowVec rows = {0};

    for (size_t i = 0; i < CONSTRAINT_TRIGGER_COUNT; i++)
        constraint->triggers[i] = TRIGGER_ENABLED_ORIGIN;
    if (constraint->kind != CONTYPE_FOREIGN &&
        !(constraint->deferrable &&
          (constraint->kind == CONTYPE_UNIQUE || constraint->kind == CONTYPE_PRIMARY)))
        return true;
    TRY(rows_of(session, constraint->oid, &rows));
    for (size_t i = 0; i < rows.length; i++)
        constraint->triggers[trigger_of_function(row_oid(rows.items[i], PG_TRIGGER_TGFOID))] =
            row_char(rows.items[i], PG_TRIGGER_TGENABLED);
    return true;
}

/* ---- ALTER TABLE ---- */

bool trigger_change(CatalogSession *session, const RelationDesc *table, const TriggerChange *change)
{
    const Value keys[] = {{.oid = table->oid}, {.var = var_from_str(change->name)}};
    const bool by_name = !str_is_none(change->name);
    CatalogRowVec rows = {0};

    TRY(system_rows_find(session, INDEX_PG_TRIGGER_TGRELID_TGNAME_INDEX, keys, by_name ? 2 : 1,
                         &rows));
    if (by_name && rows.length == 0)
        FAIL(ERR_UNDEFINED_OBJECT,
             .message = fmt("trigger \"%.*s\" for table \"%.*s\" does not exist",
                            STR_ARGS(change->name), STR_ARGS(table->name)));
    for (size_t i = 0; i < rows.length; i++) {
        CatalogRow *row = rows.items[i];
        const bool is_system = row->values[PG_TRIGGER_TGISINTERNAL].boolean;
        if (is_system && change->spares_system)
            continue;
        if (is_system && !role_is_superuser(session, session->current_user))
            FAIL(ERR_INSUFFICIENT_PRIVILEGE,
                 .message = fmt("permission denied: \"%.*s\" is a system trigger",
                                STR_ARGS(row_text(row, PG_TRIGGER_TGNAME))));
        if (row_char(row, PG_TRIGGER_TGENABLED) == change->enabled)
            continue;
        row_set_char(row, PG_TRIGGER_TGENABLED, change->enabled);
        TRY(system_row_update(session, row));
    }
    return true;
}

/* ---- functions ---- */

static Str events_text(int16_t type, Arena *arena)
{
    static const struct {
        int bit;
        const char *name;
    } events[] = {
        {TRIGGER_INSERT, "INSERT"}, {TRIGGER_DELETE, "DELETE"}, {TRIGGER_UPDATE, "UPDATE"}};
    StrBuf text = strbuf_in(arena);

    for (size_t i = 0; i < ARRAY_LENGTH(events); i++)
        if (type & events[i].bit)
            strbuf_format(&text, "%s%s", strbuf_view(&text).length ? " OR " : "", events[i].name);
    return strbuf_view(&text);
}

static bool definition_text(CatalogSession *session, const CatalogRow *row, bool is_pretty,
                            StrBuf *text)
{
    Arena *arena = session->arena;
    const RelationDesc *table = relation_get(session, row_oid(row, PG_TRIGGER_TGRELID));
    TRY(table);
    const FunctionDesc *function = function_find(session, row_oid(row, PG_TRIGGER_TGFOID));
    if (!function)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("cache lookup failed for function %u",
                                                row_oid(row, PG_TRIGGER_TGFOID)));
    const Oid other = row_oid(row, PG_TRIGGER_TGCONSTRRELID);
    const RelationDesc *from = other ? relation_get(session, other) : NULL;
    TRY(from || !other);
    const Str name = identifier_quote(arena, row_text(row, PG_TRIGGER_TGNAME));
    const Str where = is_pretty ? relation_display_name(session, table)
                                : identifier_qualify(arena, table->namespace_name, table->name);
    const Str events = events_text(row->values[PG_TRIGGER_TGTYPE].int16, arena);

    strbuf_format(text, "CREATE CONSTRAINT TRIGGER %.*s AFTER %.*s ON %.*s ", STR_ARGS(name),
                  STR_ARGS(events), STR_ARGS(where));
    if (from)
        strbuf_format(text, "FROM %.*s ", STR_ARGS(relation_display_name(session, from)));
    strbuf_format(text, "%sDEFERRABLE INITIALLY %s FOR EACH ROW EXECUTE FUNCTION %.*s()",
                  row->values[PG_TRIGGER_TGDEFERRABLE].boolean ? "" : "NOT ",
                  row->values[PG_TRIGGER_TGINITDEFERRED].boolean ? "DEFERRED" : "IMMEDIATE",
                  STR_ARGS(identifier_quote(arena, function->name)));
    return true;
}

static bool give_definition(FunctionCall *call, Oid oid, bool is_pretty, Value *ret, bool *ret_null)
{
    CatalogSession *session = function_session(call);
    StrBuf text = strbuf_in(call->arena);
    CatalogRow row;
    const RowFound found =
        system_row_find(session, INDEX_PG_TRIGGER_OID_INDEX, &(Value){.oid = oid}, 1, &row);

    TRY(found);
    *ret_null = found == ROW_MISSING;
    if (*ret_null)
        return true;
    TRY(definition_text(session, &row, is_pretty, &text));
    *ret = text_value(strbuf_view(&text));
    return true;
}

FUNCTION(pg_get_triggerdef)
{
    return give_definition(call, args[0].oid, false, ret, ret_null);
}

FUNCTION(pg_get_triggerdef_ext)
{
    return give_definition(call, args[0].oid, args[1].boolean, ret, ret_null);
}

/* The executor does what they are there for; nobody calls them. */
static bool fail_not_called(const char *name)
{
    FAIL(ERR_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
         .message = fmt("function \"%s\" was not called by trigger manager", name));
}

#define TRIGGER_FUNCTION(name)                                                                     \
    FUNCTION(name)                                                                                 \
    {                                                                                              \
        (void)call;                                                                                \
        (void)args;                                                                                \
        (void)ret;                                                                                 \
        (void)ret_null;                                                                            \
        return fail_not_called(#name);                                                             \
    }

TRIGGER_FUNCTION(unique_key_recheck)
TRIGGER_FUNCTION(RI_FKey_check_ins)
TRIGGER_FUNCTION(RI_FKey_check_upd)
TRIGGER_FUNCTION(RI_FKey_cascade_del)
TRIGGER_FUNCTION(RI_FKey_cascade_upd)
TRIGGER_FUNCTION(RI_FKey_restrict_del)
TRIGGER_FUNCTION(RI_FKey_restrict_upd)
TRIGGER_FUNCTION(RI_FKey_setnull_del)
TRIGGER_FUNCTION(RI_FKey_setnull_upd)
TRIGGER_FUNCTION(RI_FKey_setdefault_del)
TRIGGER_FUNCTION(RI_FKey_setdefault_upd)
TRIGGER_FUNCTION(RI_FKey_noaction_del)
TRIGGER_FUNCTION(RI_FKey_noaction_upd)
