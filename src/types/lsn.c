/* pg_lsn's arithmetic, in numeric: positions have 64 bits without a sign, distances one more. */
#include "types/function.h"
#include "types/numeric_internal.h"
#include "types/types_internal.h"

static Value as_numeric(Arena *arena, const Value *lsn)
{
    return numeric_from_int128(arena, (int128)(uint64_t)lsn->int64, 0);
}

static bool from_numeric(Arena *arena, const Value *number, Value *ret)
{
    BIG(rounded);
    Value whole;
    int128 mantissa;
    int scale;
    big_load(&rounded, number);
    big_round(&rounded, 0);
    TRY(big_store(arena, &rounded, &whole));
    if (!numeric_small(&whole, &mantissa, &scale) || mantissa < 0 || mantissa > (int128)UINT64_MAX)
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("pg_lsn out of range"));
    ret->int64 = (int64_t)(uint64_t)mantissa;
    return true;
}

FUNCTION(numeric_pg_lsn)
{
    const NumericKind kind = numeric_kind(&args[0]);
    if (kind != NUMERIC_FINITE)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = fmt("cannot convert %s to pg_lsn",
                                                       kind == NUMERIC_NAN ? "NaN" : "infinity"));
    return from_numeric(call->arena, &args[0], ret);
}

FUNCTION(pg_lsn_mi)
{
    *ret = numeric_from_int128(
        call->arena, (int128)(uint64_t)args[0].int64 - (int128)(uint64_t)args[1].int64, 0);
    return true;
}

FUNCTION(pg_wal_lsn_diff)
{
    return fn_pg_lsn_mi(call, args, nulls, ret, ret_null);
}

static bool move_by(FunctionCall *call, const Value *lsn, const Value *bytes, bool back, Value *ret)
{
    const Value from = as_numeric(call->arena, lsn);
    Value sum;
    if (numeric_kind(bytes) == NUMERIC_NAN)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("cannot %s", back ? "subtract NaN from pg_lsn" : "add NaN to pg_lsn"));
    TRY(numeric_add(call->arena, &from, bytes, back, &sum));
    if (numeric_kind(&sum) != NUMERIC_FINITE)
        FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = STR("cannot convert infinity to pg_lsn"));
    return from_numeric(call->arena, &sum, ret);
}

FUNCTION(pg_lsn_pli)
{
    return move_by(call, &args[0], &args[1], false, ret);
}

FUNCTION(pg_lsn_mii)
{
    return move_by(call, &args[0], &args[1], true, ret);
}

/* numeric + pg_lsn */
FUNCTION(sql_5023)
{
    return move_by(call, &args[1], &args[0], false, ret);
}
