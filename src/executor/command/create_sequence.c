/* CREATE SEQUENCE, ALTER SEQUENCE, and the sequences behind serial and identity columns. */
#include "catalog/system_row.h"
#include "executor/command/ddl_internal.h"
#include "txn/ddl.h"
#include "txn/sequence.h"
#include "types/type.h"

typedef struct SequenceOptions {
    Oid type;
    SequenceDefinition definition;
    bool type_given;
    bool restart;
    bool restart_given; /* RESTART WITH n */
    int64_t restart_value;
    const ObjectName *owned_by;
} SequenceOptions;

static int64_t type_maximum(Oid type)
{
    return type == TYPE_INT2 ? INT16_MAX : type == TYPE_INT4 ? INT32_MAX : INT64_MAX;
}

static int64_t type_minimum(Oid type)
{
    return type == TYPE_INT2 ? INT16_MIN : type == TYPE_INT4 ? INT32_MIN : INT64_MIN;
}

static const DefElem *option_find(const DefElemVec *options, Str name, bool *ret_ok)
{
    const DefElem *found = NULL;

    for (size_t i = 0; i < options->length; i++) {
        if (!str_equal(options->items[i]->name, name))
            continue;
        if (found) {
            ERROR_SET(ERR_SYNTAX_ERROR, .message = STR("conflicting or redundant options"),
                      .position = options->items[i]->node.position);
            *ret_ok = false;
            return NULL;
        }
        found = options->items[i];
    }
    return found;
}

static bool read_type(CommandContext *context, const DefElem *option, SequenceOptions *ret)
{
    AnalyzeContext analyze = {
        .arena = context->arena, .session = ddl_catalog(context), .source = context->source};
    int32_t typmod;

    TRY(analyze_type_name(&analyze, option->arg, &ret->type, &typmod));
    if (ret->type != TYPE_INT2 && ret->type != TYPE_INT4 && ret->type != TYPE_INT8)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = STR("sequence type must be smallint, integer, or bigint"));
    ret->type_given = true;
    return true;
}

static bool read_bounds(const DefElemVec *options, SequenceOptions *ret, Oid old_type, bool is_new)
{
    SequenceDefinition *d = &ret->definition;
    bool ok = true;
    const DefElem *maximum = option_find(options, STR("maxvalue"), &ok);
    const DefElem *minimum = option_find(options, STR("minvalue"), &ok);
    TRY(ok);
    /* Bounds that were the old type's become the new type's, whichever way it counts. */
    const bool retypes = ret->type_given && !is_new;
    const bool retypes_maximum = retypes && d->maximum == type_maximum(old_type);
    const bool retypes_minimum = retypes && d->minimum == type_minimum(old_type);

    if (maximum && maximum->arg)
        TRY(ddl_int_option(maximum, &d->maximum));
    else if (is_new || maximum || retypes_maximum)
        d->maximum = d->increment > 0 || retypes_maximum ? type_maximum(ret->type) : -1;
    if (minimum && minimum->arg)
        TRY(ddl_int_option(minimum, &d->minimum));
    else if (is_new || minimum || retypes_minimum)
        d->minimum = d->increment < 0 || retypes_minimum ? type_minimum(ret->type) : 1;
    if (d->maximum > type_maximum(ret->type) || d->maximum < type_minimum(ret->type))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("MAXVALUE (%ld) is out of range for sequence data type %s", d->maximum,
                            builtin_type(ret->type)->sql_name));
    if (d->minimum < type_minimum(ret->type) || d->minimum > type_maximum(ret->type))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("MINVALUE (%ld) is out of range for sequence data type %s", d->minimum,
                            builtin_type(ret->type)->sql_name));
    if (d->minimum >= d->maximum)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message =
                 fmt("MINVALUE (%ld) must be less than MAXVALUE (%ld)", d->minimum, d->maximum));
    return true;
}

static bool read_start(const DefElemVec *options, SequenceOptions *ret, bool is_new)
{
    SequenceDefinition *d = &ret->definition;
    bool ok = true;
    const DefElem *start = option_find(options, STR("start"), &ok);
    const DefElem *restart = option_find(options, STR("restart"), &ok);
    const DefElem *cache = option_find(options, STR("cache"), &ok);
    const DefElem *cycle = option_find(options, STR("cycle"), &ok);
    TRY(ok);

    if (start)
        TRY(ddl_int_option(start, &d->start));
    else if (is_new)
        d->start = d->increment > 0 ? d->minimum : d->maximum;
    if (d->start < d->minimum)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message =
                 fmt("START value (%ld) cannot be less than MINVALUE (%ld)", d->start, d->minimum));
    if (d->start > d->maximum)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("START value (%ld) cannot be greater than MAXVALUE (%ld)", d->start,
                            d->maximum));
    if (restart) {
        ret->restart = true;
        ret->restart_given = restart->arg != NULL;
        ret->restart_value = d->start;
        if (restart->arg)
            TRY(ddl_int_option(restart, &ret->restart_value));
        if (ret->restart_value < d->minimum)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("RESTART value (%ld) cannot be less than MINVALUE (%ld)",
                                ret->restart_value, d->minimum));
        if (ret->restart_value > d->maximum)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("RESTART value (%ld) cannot be greater than MAXVALUE (%ld)",
                                ret->restart_value, d->maximum));
    }
    if (cache) {
        TRY(ddl_int_option(cache, &d->cache));
        if (d->cache <= 0)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("CACHE (%ld) must be greater than zero", d->cache));
    }
    return !cycle || ddl_bool_option(cycle, &d->cycle);
}

/* Reads options over what `ret` holds already. */
static bool options_read(CommandContext *context, const DefElemVec *options, bool is_new,
                         SequenceOptions *ret)
{
    bool ok = true;
    const Oid old_type = ret->type;
    const DefElem *type = option_find(options, STR("as"), &ok);
    const DefElem *increment = option_find(options, STR("increment"), &ok);
    const DefElem *owned_by = option_find(options, STR("owned_by"), &ok);

    TRY(ok);
    if (type)
        TRY(read_type(context, type, ret));
    if (increment)
        TRY(ddl_int_option(increment, &ret->definition.increment));
    if (ret->definition.increment == 0)
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("INCREMENT must not be zero"));
    TRY(read_bounds(options, ret, old_type, is_new));
    TRY(read_start(options, ret, is_new));
    if (owned_by)
        ret->owned_by = NODE_CAST(ObjectName, owned_by->arg);
    return true;
}

/* ---- OWNED BY ---- */

static bool forget_owner(CommandContext *context, Oid sequence)
{
    return depend_forget(ddl_catalog(context), address_of_relation(sequence), 'a');
}

/* An identity column keeps its sequence. */
static bool check_not_identity(CommandContext *context, const RelationDesc *sequence)
{
    CatalogSession *session = ddl_catalog(context);
    DependencyVec owners = {0};

    TRY(depend_of(session, address_of_relation(sequence->oid), context->arena, &owners));
    for (size_t i = 0; i < owners.length; i++) {
        if (owners.items[i].kind != DEPENDENCY_INTERNAL)
            continue;
        const RelationDesc *table = relation_get(session, owners.items[i].referenced.oid);
        TRY(table);
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("cannot change ownership of identity sequence"),
             .detail = fmt("Sequence \"%.*s\" is linked to table \"%.*s\".",
                           STR_ARGS(sequence->name), STR_ARGS(table->name)));
    }
    return true;
}

static bool set_owner_column(CommandContext *context, const RelationDesc *sequence,
                             const ObjectName *owned_by)
{
    CatalogSession *session = ddl_catalog(context);
    const StrVec *names = &owned_by->names;
    RangeVar owner = {0};

    if (names->length == 1) {
        if (!str_equal_nocase(names->items[0], STR("none")))
            FAIL(ERR_SYNTAX_ERROR, .message = STR("invalid OWNED BY option"),
                 .hint = STR("Specify OWNED BY table.column or OWNED BY NONE."));
        TRY(check_not_identity(context, sequence));
        return forget_owner(context, sequence->oid);
    }
    const Str column_name = names->items[names->length - 1];
    owner.relation = names->items[names->length - 2];
    if (names->length >= 3)
        owner.schema = names->items[names->length - 3];
    const RelationDesc *table = ddl_open_relation(context, &owner, LOCK_ACCESS_SHARE, false, false);
    TRY(table);
    if (table->kind != RELKIND_TABLE && table->kind != RELKIND_VIEW)
        FAIL(ERR_WRONG_OBJECT_TYPE, .message = fmt("sequence cannot be owned by relation \"%.*s\"",
                                                   STR_ARGS(table->name)));
    if (table->owner != sequence->owner)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = STR("sequence must have same owner as table it is linked to"));
    if (table->namespace_oid != sequence->namespace_oid)
        FAIL(ERR_OBJECT_NOT_IN_PREREQUISITE_STATE,
             .message = STR("sequence must be in same schema as table it is linked to"));
    const ColumnDesc *column = relation_column(table, column_name);
    if (!column)
        FAIL(ERR_UNDEFINED_COLUMN,
             .message = fmt("column \"%.*s\" of relation \"%.*s\" does not exist",
                            STR_ARGS(column_name), STR_ARGS(table->name)));
    TRY(check_not_identity(context, sequence));
    TRY(forget_owner(context, sequence->oid));
    return depend_record(session, address_of_relation(sequence->oid),
                         (ObjectAddress){RELATION_PG_CLASS, table->oid, column->attnum},
                         DEPENDENCY_AUTO);
}

/* ---- creation ---- */

static bool sequence_make(CommandContext *context, Str name, CreationPlace place, Oid owner,
                          const SequenceOptions *options, Oid *ret_oid)
{
    CatalogSession *session = ddl_catalog(context);
    const ColumnDefinition columns[] = {
        {.name = STR("last_value"), .type = TYPE_INT8, .typmod = -1, .not_null = true},
        {.name = STR("log_cnt"), .type = TYPE_INT8, .typmod = -1, .not_null = true},
        {.name = STR("is_called"), .type = TYPE_BOOL, .typmod = -1, .not_null = true},
    };
    const RelationDefinition definition = {.name = name,
                                           .namespace_oid = place.namespace_oid,
                                           .kind = RELKIND_SEQUENCE,
                                           .persistence = place.persistence,
                                           .owner = owner,
                                           .columns = columns,
                                           .column_count = 3};
    Oid oid;

    TRY(define_relation(session, &definition, &oid));
    TRY(sequence_create(session->txn, session->database_oid, oid, options->definition.start));
    TRY(define_sequence(session, oid, options->type, &options->definition));
    *ret_oid = oid;
    return true;
}

bool ddl_create_sequence(CommandContext *context, const Node *statement, Str *ret_tag)
{
    CatalogSession *session = ddl_catalog(context);
    const CreateSeqStmt *create = NODE_CAST(CreateSeqStmt, statement);
    SequenceOptions options = {.type = TYPE_INT8, .definition = {.increment = 1, .cache = 1}};
    CreationPlace place;
    Oid oid;

    *ret_tag = STR("CREATE SEQUENCE");
    RangeVar name = *create->sequence;
    name.node.position = 0; /* as PostgreSQL's, errors of the place have none */
    TRY(ddl_creation_place(context, &name, &place));
    if (create->if_not_exists &&
        relation_oid_in(session, place.namespace_oid, create->sequence->relation)) {
        DDL_NOTICE(ERR_DUPLICATE_TABLE, fmt("relation \"%.*s\" already exists, skipping",
                                            STR_ARGS(create->sequence->relation)));
        return true;
    }
    TRY(!error_is_set());
    TRY(options_read(context, &create->options, true, &options));
    TRY(sequence_make(context, create->sequence->relation, place, session->current_user, &options,
                      &oid));
    if (!options.owned_by)
        return true;
    const RelationDesc *sequence = relation_get(session, oid);
    TRY(sequence);
    return set_owner_column(context, sequence, options.owned_by);
}

bool ddl_sequence_for_column(CommandContext *context, const RelationDesc *table,
                             const ColumnDesc *column, Oid type, bool internal,
                             const DefElemVec *given, Oid *ret_sequence)
{
    CatalogSession *session = ddl_catalog(context);
    SequenceOptions options = {.type = type, .definition = {.increment = 1, .cache = 1}};
    const CreationPlace place = {table->namespace_oid, table->persistence};
    const DefElemVec none = {0};
    Str name = STR_NONE;

    TRY(options_read(context, given ? given : &none, true, &options));
    for (size_t i = 0; given && i < given->length; i++)
        if (str_equal(given->items[i]->name, STR("sequence_name"))) {
            const StrVec *names = &NODE_CAST(ObjectName, given->items[i]->arg)->names;
            name = names->items[names->length - 1];
        }
    if (str_is_none(name))
        name = define_choose_name(session, table->name, column->name, STR("seq"),
                                  table->namespace_oid, false, OID_NONE, context->arena);
    TRY(sequence_make(context, name, place, table->owner, &options, ret_sequence));
    return depend_record(session, address_of_relation(*ret_sequence),
                         (ObjectAddress){RELATION_PG_CLASS, table->oid, column->attnum},
                         internal ? DEPENDENCY_INTERNAL : DEPENDENCY_AUTO);
}

/* ---- changes ---- */

/* RESTART takes a new state under a new id, so that ROLLBACK finds the old one untouched. */
static bool state_replace(CommandContext *context, Oid sequence, int64_t value, bool is_called)
{
    CatalogSession *session = ddl_catalog(context);
    CatalogRow row;
    const RowFound found =
        system_row_find(session, INDEX_PG_CLASS_OID_INDEX, &(Value){.oid = sequence}, 1, &row);
    TRY(found);
    if (found == ROW_MISSING)
        FAIL(ERR_UNDEFINED_TABLE, .message = fmt("relation with OID %u does not exist", sequence));
    const Oid id = catalog_new_oid(session);
    TRY(id);
    TRY(sequence_drop(session->txn, session->database_oid, row_oid(&row, PG_CLASS_RELFILENODE)));
    TRY(sequence_create_state(session->txn, session->database_oid, id, value, is_called));
    row_set_oid(&row, PG_CLASS_RELFILENODE, id);
    return system_row_update(session, &row);
}

bool ddl_sequence_restart(CommandContext *context, Oid sequence)
{
    SequenceDefinition definition;
    Oid type;

    TRY(sequence_definition(ddl_catalog(context), sequence, &type, &definition));
    return state_replace(context, sequence, definition.start, false);
}

static bool check_last_value(CommandContext *context, const RelationDesc *sequence,
                             const SequenceDefinition *d)
{
    CatalogSession *session = ddl_catalog(context);
    SequenceState state;

    TRY(sequence_read(session->txn, session->database_oid, sequence->tree, &state));
    if (state.last_value < d->minimum)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("RESTART value (%ld) cannot be less than MINVALUE (%ld)",
                            state.last_value, d->minimum));
    if (state.last_value > d->maximum)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("RESTART value (%ld) cannot be greater than MAXVALUE (%ld)",
                            state.last_value, d->maximum));
    return true;
}

bool ddl_sequence_set_options(CommandContext *context, Oid oid, const DefElemVec *given)
{
    CatalogSession *session = ddl_catalog(context);
    SequenceOptions options = {0};
    const RelationDesc *sequence = relation_get(session, oid);

    TRY(sequence);
    TRY(sequence_definition(session, oid, &options.type, &options.definition));
    TRY(options_read(context, given, false, &options));
    TRY(define_sequence(session, oid, options.type, &options.definition));
    if (options.restart)
        TRY(state_replace(context, oid, options.restart_value, false));
    else
        TRY(check_last_value(context, sequence, &options.definition));
    return !options.owned_by || set_owner_column(context, sequence, options.owned_by);
}

bool ddl_alter_sequence(CommandContext *context, const Node *statement, Str *ret_tag)
{
    const AlterSeqStmt *alter = NODE_CAST(AlterSeqStmt, statement);
    const RelationDesc *sequence = ddl_open_checked(
        context, alter->sequence, LOCK_SHARE_ROW_EXCLUSIVE, alter->missing_ok, ddl_may_owner, NULL);

    *ret_tag = STR("ALTER SEQUENCE");
    if (!sequence) {
        TRY(!error_is_set());
        DDL_NOTICE(ERR_SUCCESSFUL_COMPLETION, fmt("relation \"%.*s\" does not exist, skipping",
                                                  STR_ARGS(alter->sequence->relation)));
        return true;
    }
    if (sequence->kind != RELKIND_SEQUENCE)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("\"%.*s\" is not a sequence", STR_ARGS(sequence->name)));
    return ddl_sequence_set_options(context, sequence->oid, &alter->options);
}
