#include "executor/sort_key.h"

static SortKeys *keys_new(ExecState *exec, Arena *scratch, uint32_t count)
{
    SortKeys *keys = ARENA_NEW(exec->arena, SortKeys);
    keys->count = count;
    keys->columns = ARENA_ARRAY(exec->arena, KeyColumn, count + 1);
    keys->buffer = strbuf_in(exec->arena);
    return keys;
}

SortKeys *sort_keys_new(ExecState *exec, Arena *scratch, const SortKeyVec *list)
{
    SortKeys *keys = keys_new(exec, scratch, (uint32_t)list->length);
    Expr **exprs = ARENA_ARRAY(exec->arena, Expr *, list->length + 1);
    for (size_t i = 0; i < list->length; i++) {
        const SortKey *key = &list->items[i];
        exprs[i] = key->expr;
        keys->columns[i] = (KeyColumn){.type = key->expr->type,
                                       .descending = key->is_descending,
                                       .nulls_first = key->nulls_first};
    }
    TRY(keys->program = expr_compile(exec, scratch, exprs, keys->count));
    key_batch_init(&keys->batch, exec->arena, keys->columns, keys->count);
    return keys;
}

bool sort_keys_run(SortKeys *keys, const Batch *batch)
{
    ExprInput input = {.slots = {batch->columns, NULL}, .row_count = batch->row_count};
    return expr_run(keys->program, &input, batch->selection);
}

bool sort_keys_encode(SortKeys *keys, uint32_t row, Str *ret_key)
{
    strbuf_truncate(&keys->buffer, 0);
    for (uint32_t i = 0; i < keys->count; i++) {
        Value value;
        bool is_null;
        vector_get(keys->program->results[i], row, &value, &is_null);
        TRY(key_append(&keys->buffer, &keys->columns[i], &value, is_null));
    }
    *ret_key = strbuf_view(&keys->buffer);
    return true;
}
