/* Objects in words: functions' signatures and definitions, properties of indexes, descriptions. */
#include "base/error.h"
#include "catalog/builtin.h"
#include "catalog/define.h"
#include "catalog/function_session.h"
#include "catalog/lookup.h"
#include "catalog/names.h"
#include "catalog/relation.h"
#include "storage/page.h"
#include "storage/store.h"
#include "txn/txn.h"
#include "types/array.h"
#include "types/identifier.h"

#define SESSION CatalogSession *session = function_session(call)

static bool give_text(FunctionCall *call, Str text, Value *ret, bool *ret_null)
{
    if (str_is_none(text))
        *ret_null = true;
    else
        *ret = text_value(str_copy(call->arena, text));
    return !error_is_set();
}

/* ---- functions about functions ---- */

static Str argument_list(FunctionCall *call, const FunctionDesc *f, bool with_defaults)
{
    SESSION;
    StrBuf text = strbuf_in(call->arena);
    const uint32_t count = f->all_count ? f->all_count : f->argument_count;
    const Oid *types = f->all_count ? f->all_types : f->argument_types;
    int input = 0, printed = 0;

    for (uint32_t i = 0; i < count; i++) {
        const char mode = f->all_count ? f->all_modes[i] : 'i';
        const bool is_input = mode == 'i' || mode == 'b' || mode == 'v';
        input += is_input;
        if (mode == 't' || (!with_defaults && mode == 'o'))
            continue;
        if (printed++ > 0)
            strbuf_append_c(&text, ", ");
        if (mode == 'o' || mode == 'b')
            strbuf_append_c(&text, mode == 'o' ? "OUT " : "INOUT ");
        if (mode == 'v' || (!f->all_count && f->variadic && i + 1 == count))
            strbuf_append_c(&text, "VARIADIC ");
        if (f->names && f->names[i].length) {
            strbuf_append(&text, identifier_quote(call->arena, f->names[i]));
            strbuf_append_char(&text, ' ');
        }
        strbuf_append(&text, type_sql_name(session, types[i], TYPMOD_UNASKED, call->arena));
        if (with_defaults && is_input && f->default_count &&
            input > f->argument_count - f->default_count) {
            Str rest = f->defaults;
            for (int skip = input - 1 - (f->argument_count - f->default_count); skip > 0; skip--) {
                const size_t comma = str_find(rest, STR(", "), 0);
                rest = comma == SIZE_MAX ? rest : str_slice(rest, comma + 2, SIZE_MAX);
            }
            const size_t end = str_find(rest, STR(", "), 0);
            strbuf_format(&text, " DEFAULT %.*s",
                          STR_ARGS(end == SIZE_MAX ? rest : str_slice(rest, 0, end)));
        }
    }
    return strbuf_view(&text);
}

FUNCTION(pg_get_function_arguments)
{
    SESSION;
    const FunctionDesc *f = function_find(session, args[0].oid);
    return give_text(call, f ? argument_list(call, f, true) : STR_NONE, ret, ret_null);
}

FUNCTION(pg_get_function_identity_arguments)
{
    SESSION;
    const FunctionDesc *f = function_find(session, args[0].oid);
    return give_text(call, f ? argument_list(call, f, false) : STR_NONE, ret, ret_null);
}

FUNCTION(pg_get_function_result)
{
    SESSION;
    const FunctionDesc *f = function_find(session, args[0].oid);
    StrBuf text = strbuf_in(call->arena);
    int columns = 0;

    if (!f || f->kind == PROKIND_PROCEDURE) {
        *ret_null = true;
        return true;
    }
    for (int i = 0; i < f->all_count; i++) {
        if (f->all_modes[i] != 't')
            continue;
        strbuf_append_c(&text, columns++ == 0 ? "TABLE(" : ", ");
        if (f->names && f->names[i].length)
            strbuf_format(&text, "%.*s ", STR_ARGS(identifier_quote(call->arena, f->names[i])));
        strbuf_append(&text, type_sql_name(session, f->all_types[i], TYPMOD_UNASKED, call->arena));
    }
    if (columns > 0)
        strbuf_append_char(&text, ')');
    else
        strbuf_format(
            &text, "%s%.*s", f->returns_set ? "SETOF " : "",
            STR_ARGS(type_sql_name(session, f->return_type, TYPMOD_UNASKED, call->arena)));
    return give_text(call, strbuf_view(&text), ret, ret_null);
}

/* The default of the n-th input argument, as SQL. */
FUNCTION(pg_get_function_arg_default)
{
    SESSION;
    const FunctionDesc *f = function_find(session, args[0].oid);
    const int first = f ? f->argument_count - f->default_count : 0, at = args[1].int32 - 1;

    if (!f || at < first || at >= f->argument_count) {
        *ret_null = true;
        return true;
    }
    Str rest = f->defaults;
    for (int skip = at - first; skip > 0; skip--) {
        const size_t comma = str_find(rest, STR(", "), 0);
        rest = comma == SIZE_MAX ? rest : str_slice(rest, comma + 2, SIZE_MAX);
    }
    const size_t end = MIN(str_find(rest, STR(", "), 0), rest.length);
    return give_text(call, str_slice(rest, 0, end), ret, ret_null);
}

/* No function has a body in SQL-standard form. */
FUNCTION(pg_get_function_sqlbody)
{
    *ret_null = true;
    return true;
}

static void put_attributes(const FunctionDesc *f, StrBuf *text)
{
    strbuf_append_c(text, "\n");
    const size_t start = text->length;
    if (f->kind == PROKIND_WINDOW)
        strbuf_append_c(text, " WINDOW");
    if (f->volatility != 'v')
        strbuf_append_c(text, f->volatility == 'i' ? " IMMUTABLE" : " STABLE");
    if (f->parallel != 'u')
        strbuf_append_c(text, f->parallel == 's' ? " PARALLEL SAFE" : " PARALLEL RESTRICTED");
    if (f->strict)
        strbuf_append_c(text, " STRICT");
    if (f->security_definer)
        strbuf_append_c(text, " SECURITY DEFINER");
    if (f->leakproof)
        strbuf_append_c(text, " LEAKPROOF");
    if (f->cost != (f->language == LANGUAGE_INTERNAL || f->language == LANGUAGE_C ? 1 : 100))
        strbuf_format(text, " COST %g", (double)f->cost);
    if (f->rows > 0 && f->rows != 1000)
        strbuf_format(text, " ROWS %g", (double)f->rows);
    if (text->length > start)
        strbuf_append_c(text, "\n");
}

/* CREATE OR REPLACE FUNCTION … of a function, as \sf shows it. */
FUNCTION(pg_get_functiondef)
{
    SESSION;
    const FunctionDesc *f = function_find(session, args[0].oid);
    StrBuf text = strbuf_in(call->arena);
    Value result;
    bool is_null = false;

    if (!f) {
        *ret_null = true;
        return true;
    }
    if (f->kind == PROKIND_AGGREGATE)
        FAIL(ERR_WRONG_OBJECT_TYPE,
             .message = fmt("\"%.*s\" is an aggregate function", STR_ARGS(f->name)));
    strbuf_format(&text, "CREATE OR REPLACE FUNCTION %.*s(",
                  STR_ARGS(identifier_qualify(call->arena,
                                              namespace_name(session, f->namespace_oid), f->name)));
    strbuf_append(&text, argument_list(call, f, true));
    TRY(fn_pg_get_function_result(call, args, nulls, &result, &is_null));
    strbuf_format(&text, ")\n RETURNS %.*s\n LANGUAGE %s", STR_ARGS(var_str(result.var)),
                  f->language == LANGUAGE_SQL ? "sql"
                  : f->language == LANGUAGE_C ? "c"
                                              : "internal");
    put_attributes(f, &text);
    strbuf_format(&text, "AS $function$%.*s$function$\n", STR_ARGS(f->source));
    return give_text(call, strbuf_view(&text), ret, ret_null);
}

/* ---- any object ---- */

FUNCTION(pg_describe_object)
{
    SESSION;
    const ObjectAddress object = {args[0].oid, args[1].oid, args[2].int32};

    if (object.class_oid == OID_NONE && object.oid == OID_NONE) {
        *ret_null = true;
        return true;
    }
    return give_text(call, object_describe(session, object, call->arena), ret, ret_null);
}

/* ---- properties of indexes; B+trees are the only kind ---- */

static bool give_bool(bool value, Value *ret)
{
    ret->boolean = value;
    return true;
}

static bool is_word(const Value *text, const char *word)
{
    return str_equal_nocase(var_str(text->var), str_from_c(word));
}

FUNCTION(pg_indexam_has_property)
{
    *ret_null = args[0].oid != ACCESS_METHOD_BTREE;
    if (*ret_null)
        return true;
    if (is_word(&args[1], "can_order") || is_word(&args[1], "can_unique") ||
        is_word(&args[1], "can_multi_col"))
        return give_bool(true, ret);
    /* Neither exclusion constraints nor INCLUDE columns are to be had. */
    if (is_word(&args[1], "can_exclude") || is_word(&args[1], "can_include"))
        return give_bool(false, ret);
    *ret_null = true;
    return true;
}

static const IndexDesc *index_of(CatalogSession *session, Oid oid)
{
    const RelationDesc *relation = relation_find(session, oid);
    return relation && relation->kind == RELKIND_INDEX && relation->index_count > 0
               ? &relation->indexes[0]
               : NULL;
}

FUNCTION(pg_index_has_property)
{
    SESSION;
    const IndexDesc *index = index_of(session, args[0].oid);

    *ret_null = !index;
    TRY(index || !error_is_set());
    if (!index)
        return true;
    if (is_word(&args[1], "clusterable") || is_word(&args[1], "index_scan") ||
        is_word(&args[1], "backward_scan"))
        return give_bool(true, ret);
    if (is_word(&args[1], "bitmap_scan"))
        return give_bool(false, ret);
    *ret_null = true;
    return true;
}

FUNCTION(pg_index_column_has_property)
{
    SESSION;
    const IndexDesc *index = index_of(session, args[0].oid);
    const int at = args[1].int32 - 1;

    *ret_null = true;
    TRY(index || !error_is_set());
    if (!index || at < 0 || at >= index->column_count)
        return true;
    *ret_null = false;
    if (at >= index->key_count) {
        *ret_null = !is_word(&args[2], "returnable");
        return give_bool(true, ret);
    }
    const IndexColumn *column = &index->columns[at];
    if (is_word(&args[2], "asc"))
        return give_bool(!column->descending, ret);
    if (is_word(&args[2], "desc"))
        return give_bool(column->descending, ret);
    if (is_word(&args[2], "nulls_first"))
        return give_bool(column->nulls_first, ret);
    if (is_word(&args[2], "nulls_last"))
        return give_bool(!column->nulls_first, ret);
    if (is_word(&args[2], "orderable") || is_word(&args[2], "search_array") ||
        is_word(&args[2], "search_nulls") || is_word(&args[2], "returnable"))
        return give_bool(true, ret);
    if (is_word(&args[2], "distance_orderable"))
        return give_bool(false, ret);
    *ret_null = true;
    return true;
}

/* ---- options, encodings, sizes ---- */

typedef struct Options {
    ArrayView array;
    int next;
} Options;

/* {a=1,b} as rows (a, 1), (b, null). */
SET_FUNCTION(pg_options_to_table)
{
    Options *options = *cursor;
    Value option;
    bool is_null;

    if (!options) {
        *cursor = options = ARENA_NEW(call->site_arena, Options);
        TRY(array_open(&args[0], &options->array));
    }
    *ret_done = options->next >= options->array.count;
    if (*ret_done)
        return true;
    array_element(&options->array, options->next++, &option, &is_null);
    const Str text = is_null ? STR("") : var_str(option.var);
    const size_t equals = str_find_char(text, '=', 0);
    ret[0] = text_value(str_slice(text, 0, MIN(equals, text.length)));
    ret_nulls[1] = equals == SIZE_MAX;
    if (!ret_nulls[1])
        ret[1] = text_value(str_slice(text, equals + 1, SIZE_MAX));
    return true;
}

FUNCTION(getdatabaseencoding)
{
    *ret = text_value(STR("UTF8"));
    return true;
}

typedef struct SizeSum {
    const Database *shared; /* what pg_global holds */
    uint64_t shared_pages, pages;
} SizeSum;

static bool add_size(void *context, Database *database)
{
    SizeSum *sum = context;
    *(database == sum->shared ? &sum->shared_pages : &sum->pages) += database_page_count(database);
    return true;
}

static bool tablespace_size(CatalogSession *session, Oid tablespace, Value *ret, bool *ret_null)
{
    Store *store = txn_manager_store(catalog_manager(session->catalog));
    SizeSum sum = {.shared = store_database(store, SHARED_DATABASE)};

    *ret_null = tablespace != TABLESPACE_GLOBAL && tablespace != TABLESPACE_DEFAULT;
    if (!*ret_null)
        store_databases(store, add_size, &sum);
    ret->int64 =
        (int64_t)((tablespace == TABLESPACE_GLOBAL ? sum.shared_pages : sum.pages) * PAGE_SIZE);
    return true;
}

FUNCTION(pg_tablespace_size_oid)
{
    SESSION;
    return tablespace_size(session, args[0].oid, ret, ret_null);
}

FUNCTION(pg_tablespace_size_name)
{
    SESSION;
    const Str name = var_str(args[0].var);

    if (str_equal(name, STR("pg_default")))
        return tablespace_size(session, TABLESPACE_DEFAULT, ret, ret_null);
    if (str_equal(name, STR("pg_global")))
        return tablespace_size(session, TABLESPACE_GLOBAL, ret, ret_null);
    FAIL(ERR_UNDEFINED_OBJECT,
         .message = fmt("tablespace \"%.*s\" does not exist", STR_ARGS(name)));
}

/* ---- partitions: no table has any ---- */

SET_FUNCTION(pg_partition_tree)
{
    *ret_done = true;
    return true;
}

FUNCTION(pg_partition_root)
{
    *ret_null = true;
    return true;
}

FUNCTION(pg_get_partition_constraintdef)
{
    *ret_null = true;
    return true;
}

/* ---- transaction ids ---- */

/* How many ids ago; they do not wrap around. */
FUNCTION(xid_age)
{
    SESSION;
    const uint64_t next = txn_id_next(catalog_manager(session->catalog));

    ret->int32 = (int32_t)((uint32_t)next - args[0].oid);
    return true;
}

/* There are no multi-transaction ids: the next is the first, 1. */
FUNCTION(mxid_age)
{
    ret->int32 = 1 - (int32_t)args[0].oid;
    return true;
}
