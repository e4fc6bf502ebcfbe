/*
 * How SQL functions and aggregates are called, and the registry of those written in C.
 *
 * A scalar function sees one row's Values; a vector kernel sees a batch. Strictness is the
 * caller's business: a strict function is never called with a null argument. What every function
 * gets beside its arguments is the FunctionCall of its call site.
 *
 *   const BuiltinFunction *function = builtin_function(proc_oid);
 *   FunctionCall call = {.arena = scratch, .site_arena = query_arena, .function = function,
 *                        .arg_types = types, .arg_count = 2, .result_type = TYPE_INT4, ...};
 *   TRY(function_call(&call, args, nulls, &value, &is_null));              one row
 *   TRY(function_call_batch(&call, vectors, batch->selection, result));    a batch
 *
 * Writing one: `FUNCTION(int4pl) { ret->int32 = …; return true; }`. The name is
 * PostgreSQL's pg_proc.prosrc; tools/record_catalog.py finds the symbol in the built library and
 * adds the line to catalog/data/functions.dat. A vector kernel of the same function is
 * VECTOR_FUNCTION(int4pl), a set-returning one SET_FUNCTION(generate_series_int4). Functions that
 * PostgreSQL writes in SQL are FUNCTION(sql_<oid>).
 *
 * Kernels: `ret` is flat, of the result's PhysType; they write values for selected rows (others
 * are undefined) and, when the function is strict, need not read nulls: function_call_batch
 * has set the result's nulls from the arguments'. A kernel must not fail on, nor follow pointers
 * of, a row whose argument is null: kernels that can fail or read variable data test ret->has_nulls
 * && ret->nulls[row]. A kernel of a non-strict function sets nulls itself.
 */
#ifndef TYPES_FUNCTION_H
#define TYPES_FUNCTION_H

#include "types/type.h"

typedef struct BuiltinFunction BuiltinFunction;
typedef struct AggregateFunction AggregateFunction;

/* The columns that a call in FROM gives, for functions that return just any record. */
typedef struct RowShape {
    uint32_t count;
    const Str *names;
    const Oid *types;
    const int32_t *typmods;
} RowShape;

typedef struct FunctionCall {
    Arena *arena;      /* results live here */
    Arena *site_arena; /* lives as long as `state`: compiled patterns, prepared formats */
    const BuiltinFunction *function;
    const Oid *arg_types; /* resolved: never polymorphic */
    int arg_count;
    Oid result_type;
    int32_t result_typmod;
    Oid collation;
    bool is_variadic;          /* VARIADIC was written: the last argument is an array */
    const RowShape *row_shape; /* NULL: not in FROM, or a single column */
    void *state;               /* the call site's own, NULL at first */
    void *session;             /* the executor's context, for functions of the rooms above */
    int64_t transaction_time;  /* timestamptz of now(); 0: the wall clock is read */
    int64_t statement_time;
    Arena *state_arena; /* aggregates: lives as long as the groups' states */
} FunctionCall;

/* *ret_null is false on entry. */
typedef bool ScalarFunction(FunctionCall *call, const Value *args, const bool *nulls, Value *ret,
                            bool *ret_null);
typedef bool VectorFunction(FunctionCall *call, const Vector *const *args, Selection selection,
                            Vector *ret);

/*
 * One row of the set a call: `*cursor` is NULL at the first call and the function's own later
 * (allocated in site_arena). Sets *ret_done, or fills ret[0…] and ret_nulls[0…] (one for a
 * plain type, one a column for records).
 */
typedef bool SetFunction(FunctionCall *call, const Value *args, const bool *nulls, void **cursor,
                         Value *ret, bool *ret_nulls, bool *ret_done);

/*
 * Aggregates keep a fixed-size state per group, zeroed by the caller (zero is the empty state).
 * States hold pointers into call->state_arena; an executor that spills, spills input rows.
 * Updates skip null inputs themselves where the aggregate ignores nulls.
 */
typedef struct AggregateTarget {
    void *single;        /* not NULL: every row belongs to this state */
    void *const *states; /* else: the state of the i-th selected row */
} AggregateTarget;
static inline void *aggregate_state(AggregateTarget target, uint32_t i)
{
    return target.single ? target.single : target.states[i];
}

struct AggregateFunction {
    size_t state_size;
    bool (*update)(FunctionCall *call, const Vector *const *args, Selection selection,
                   AggregateTarget target);
    /* Adds `other` to `state`; NULL where partial results cannot be combined in any order. */
    bool (*combine)(FunctionCall *call, void *state, const void *other);
    /* Does not change the state: window frames ask again and again. */
    bool (*final)(FunctionCall *call, const void *state, Value *ret, bool *ret_null);
};

typedef enum FunctionKind {
    FUNCTION_SCALAR = 0,
    FUNCTION_SET,
    FUNCTION_AGGREGATE,
    FUNCTION_WINDOW, /* executor's own */
} FunctionKind;

struct BuiltinFunction {
    Oid oid;
    const char *name; /* proname */
    FunctionKind kind;
    bool is_strict;
    char volatility; /* i s v */
    ScalarFunction *scalar;
    VectorFunction *vector; /* NULL: function_call_batch loops */
    SetFunction *set;
    const AggregateFunction *aggregate;
    const void *window; /* the executor's */
};

/* NULL (no error set): no C function has this OID. */
const BuiltinFunction *builtin_function(Oid oid);
/* The generated table of a room above, at start. Tables are sorted by OID and borrowed for ever. */
void builtin_functions_register(const BuiltinFunction *table, size_t count);

/* One row, strictness included. */
MUST_CHECK bool function_call(FunctionCall *call, const Value *args, const bool *nulls, Value *ret,
                              bool *ret_null);
/* A batch, strictness and constant arguments included; `ret` is a flat vector. */
MUST_CHECK bool function_call_batch(FunctionCall *call, const Vector *const *args,
                                    Selection selection, Vector *ret);

#define FUNCTION(symbol)                                                                           \
    ScalarFunction fn_##symbol;                                                                    \
    bool fn_##symbol(FunctionCall *call, const Value *args, const bool *nulls, Value *ret,         \
                     bool *ret_null)
#define VECTOR_FUNCTION(symbol)                                                                    \
    VectorFunction vk_##symbol;                                                                    \
    bool vk_##symbol(FunctionCall *call, const Vector *const *args, Selection selection,           \
                     Vector *ret)
#define SET_FUNCTION(symbol)                                                                       \
    SetFunction srf_##symbol;                                                                      \
    bool srf_##symbol(FunctionCall *call, const Value *args, const bool *nulls, void **cursor,     \
                      Value *ret, bool *ret_nulls, bool *ret_done)
/* `AGGREGATE(sum_int4) = {…};` aggregate name, then its argument types joined by _ */
#define AGGREGATE(symbol)                                                                          \
    extern const AggregateFunction agg_##symbol;                                                   \
    const AggregateFunction agg_##symbol

/* Gives a text result from a growing buffer. */
static inline Value value_from_buf(const StrBuf *buf)
{
    return (Value){.var = var_from_str(strbuf_view(buf))};
}

#endif
