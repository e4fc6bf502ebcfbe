#include "types/function.h"

#include "base/task.h"

extern const BuiltinFunction types_functions[];
extern const size_t types_function_count;

#define MAX_TABLES 8
#define MAX_ARGUMENTS 100

typedef struct FunctionTable {
    const BuiltinFunction *functions;
    size_t count;
} FunctionTable;

/* Filled at start, before any session; read-only afterwards. */
static FunctionTable tables[MAX_TABLES];
static size_t table_count;

static const BuiltinFunction *table_find(const BuiltinFunction *table, size_t count, Oid oid)
{
    size_t low = 0;
    while (low < count) {
        const size_t middle = (low + count) / 2;
        if (table[middle].oid < oid)
            low = middle + 1;
        else
            count = middle;
    }
    return table[low].oid == oid ? &table[low] : NULL;
}

const BuiltinFunction *builtin_function(Oid oid)
{
    if (types_function_count > 0 && oid <= types_functions[types_function_count - 1].oid) {
        const BuiltinFunction *found = table_find(types_functions, types_function_count, oid);
        if (found)
            return found;
    }
    for (size_t i = 0; i < table_count; i++) {
        const FunctionTable *table = &tables[i];
        if (table->count > 0 && oid <= table->functions[table->count - 1].oid) {
            const BuiltinFunction *found = table_find(table->functions, table->count, oid);
            if (found)
                return found;
        }
    }
    return NULL;
}

void builtin_functions_register(const BuiltinFunction *table, size_t count)
{
    for (size_t i = 0; i < table_count; i++)
        if (tables[i].functions == table)
            return;
    assert(table_count < MAX_TABLES);
    tables[table_count++] = (FunctionTable){.functions = table, .count = count};
}

bool function_call(FunctionCall *call, const Value *args, const bool *nulls, Value *ret,
                   bool *ret_null)
{
    *ret_null = false;
    if (call->function->is_strict)
        for (int i = 0; i < call->arg_count; i++)
            if (nulls[i]) {
                *ret_null = true;
                return true;
            }
    return call->function->scalar(call, args, nulls, ret, ret_null);
}

/* A strict function's result is null where any argument is. */
static void nulls_merge(const FunctionCall *call, const Vector *const *args, Selection selection,
                        Vector *ret)
{
    bool any = false;
    for (int i = 0; i < call->arg_count; i++)
        any |= args[i]->has_nulls;
    ret->has_nulls = any;
    if (!any)
        return;
    FOR_SELECTED (selection, row) {
        bool is_null = false;
        for (int i = 0; i < call->arg_count; i++)
            is_null |= vector_is_null(args[i], row);
        ret->nulls[row] = is_null;
    }
}

/* Loops the scalar function over a batch. */
static bool function_loop(FunctionCall *call, const Vector *const *args, Selection selection,
                          Vector *ret)
{
    Value values[MAX_ARGUMENTS];
    bool nulls[MAX_ARGUMENTS];
    const bool strict = call->function->is_strict;
    ScalarFunction *scalar = call->function->scalar;

    FOR_SELECTED (selection, row) {
        bool is_null = false;
        Value result = {0};
        bool any_null = false;
        for (int i = 0; i < call->arg_count; i++) {
            vector_get(args[i], row, &values[i], &nulls[i]);
            any_null |= nulls[i];
        }
        if (strict && any_null)
            is_null = true;
        else
            TRY(scalar(call, values, nulls, &result, &is_null));
        vector_set(ret, row, &result, is_null);
        CHECK_INTERRUPTS(); /* each call may take long */
    }
    return true;
}

bool function_call_batch(FunctionCall *call, const Vector *const *args, Selection selection,
                         Vector *ret)
{
    assert(call->function != NULL);
    assert(call->arg_count <= MAX_ARGUMENTS);
    if (!call->function->vector) {
        /* A vector may be shorter than VECTOR_SIZE: only the rows asked for exist for sure. */
        ret->has_nulls = false;
        if (selection.count > 0)
            memset(ret->nulls, 0, selection_row(selection, selection.count - 1) + 1);
        return function_loop(call, args, selection, ret);
    }
    if (call->function->is_strict)
        nulls_merge(call, args, selection, ret);
    return call->function->vector(call, args, selection, ret);
}
