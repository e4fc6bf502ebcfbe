#include "executor/index_key.h"

#include "executor/executor.h"
#include "planner/deparse.h"
#include "types/identifier.h"

bool index_key_init(IndexKeyBuilder *builder, ExecState *exec, Arena *scratch, Oid table,
                    const IndexMaintain *plan)
{
    *builder =
        (IndexKeyBuilder){.session = exec->session, .plan = plan, .buffer = strbuf_in(exec->arena)};
    TRY(builder->index = exec_index(exec, table, plan->index));
    const IndexDesc *desc = builder->index->desc;
    builder->columns = ARENA_ARRAY(exec->arena, KeyColumn, plan->key_count + 1);
    for (int i = 0; i < plan->key_count; i++)
        builder->columns[i] = (KeyColumn){.type = desc->columns[i].type,
                                          .descending = desc->columns[i].descending,
                                          .nulls_first = desc->columns[i].nulls_first};
    if (plan->expressions.length > 0)
        TRY(builder->expressions = expr_compile(exec, scratch, plan->expressions.items,
                                                (uint32_t)plan->expressions.length));
    if (plan->predicate)
        TRY(builder->predicate = expr_compile(exec, scratch, (Expr *const[]){plan->predicate}, 1));
    return true;
}

/* Where a column's values are; expressions are taken in their order. */
static const Vector *key_vector(const IndexKeyBuilder *builder, const ExprInput *row, int column,
                                uint32_t *expression)
{
    int attnum = builder->plan->columns[column];
    assert(attnum > 0 || builder->expressions);
    return attnum > 0 ? row->slots[0][attnum - 1] : builder->expressions->results[(*expression)++];
}

bool index_key_make(IndexKeyBuilder *builder, const ExprInput *row, uint32_t at, Str *ret_key,
                    bool *ret_skip, bool *ret_null)
{
    uint16_t one = (uint16_t)at, kept;
    Selection selection = {.rows = &one, .count = 1}, passed;
    *ret_skip = *ret_null = builder->is_left_out = false;
    if (builder->predicate) {
        uint16_t *rows = &kept;
        TRY(expr_filter(builder->predicate, row, selection, rows, &passed));
        *ret_skip = builder->is_left_out = passed.count == 0;
        if (*ret_skip)
            return true;
    }
    if (builder->expressions)
        TRY(expr_run(builder->expressions, row, selection));
    strbuf_truncate(&builder->buffer, 0);
    uint32_t expression = 0;
    for (int i = 0; i < builder->plan->key_count; i++) {
        Value value;
        bool is_null;
        vector_get(key_vector(builder, row, i, &expression), at, &value, &is_null);
        *ret_null |= is_null;
        TRY(key_append(&builder->buffer, &builder->columns[i], &value, is_null));
    }
    *ret_key = strbuf_view(&builder->buffer);
    return true;
}

bool index_key_select(IndexKeyBuilder *builder, const ExprInput *input, Selection selection,
                      uint16_t *rows, Selection *ret_selection)
{
    uint32_t expression = 0;

    if (!builder->vectors) {
        Arena *arena = builder->buffer.arena;
        builder->vectors = ARENA_ARRAY(arena, Vector *, builder->plan->key_count + 1);
        key_batch_init(&builder->batch, arena, builder->columns,
                       (uint32_t)builder->plan->key_count);
    }
    if (builder->predicate)
        TRY(expr_filter(builder->predicate, input, selection, rows, &selection));
    *ret_selection = selection;
    if (selection.count == 0)
        return true;
    if (builder->expressions)
        TRY(expr_run(builder->expressions, input, selection));
    for (int i = 0; i < builder->plan->key_count; i++) {
        const int attnum = builder->plan->columns[i];
        assert(attnum > 0 || builder->expressions);
        builder->vectors[i] =
            attnum > 0 ? input->slots[0][attnum - 1] : builder->expressions->results[expression++];
    }
    return key_batch_begin(&builder->batch, builder->vectors, selection);
}

/* As PostgreSQL's own error says it; the text that is kept where that cannot be told. */
static Str key_name(const IndexKeyBuilder *builder, int column, Arena *arena)
{
    const IndexDesc *desc = builder->index->desc;
    const int attnum = builder->plan->columns[column];
    Str text;

    if (attnum > 0)
        return identifier_quote(arena, builder->index->table->columns[attnum - 1].name);
    if (deparse_index(arena, &builder->session->catalog, desc->oid, column + 1, true, &text) &&
        text.length)
        return text;
    error_clear();
    return desc->columns[column].expression;
}

Str index_key_describe(IndexKeyBuilder *builder, const ExprInput *row, uint32_t at, Arena *arena)
{
    const IndexDesc *desc = builder->index->desc;
    StrBuf names = strbuf_in(arena), values = strbuf_in(arena);
    uint32_t expression = 0;
    for (int i = 0; i < builder->plan->key_count; i++) {
        Value value;
        bool is_null;
        if (i > 0) {
            strbuf_append_c(&names, ", ");
            strbuf_append_c(&values, ", ");
        }
        strbuf_append(&names, key_name(builder, i, arena));
        vector_get(key_vector(builder, row, i, &expression), at, &value, &is_null);
        if (is_null)
            strbuf_append_c(&values, "null");
        else if (!type_output(desc->columns[i].type, &value, &values))
            error_clear();
    }
    return str_format(arena, "Key (%.*s)=(%.*s)", STR_ARGS(strbuf_view(&names)),
                      STR_ARGS(strbuf_view(&values)));
}
