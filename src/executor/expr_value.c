#include "executor/expr.h"

#include "catalog/lookup.h"
#include "executor/sequences.h"

/* CURRENT_DATE and its kin, CURRENT_USER and its kin, nextval of identity columns. */

enum {
    FUNCTION_TIMESTAMPTZ_DATE = 1178,
    FUNCTION_TIMESTAMPTZ_TIME = 2019,
    FUNCTION_TIMESTAMPTZ_TIMESTAMP = 2027,
    FUNCTION_TIMESTAMPTZ_TIMETZ = 1388,
    FUNCTION_CURRENT_SCHEMA = 1402,
};

static Oid time_conversion(SqlValueKind kind)
{
    switch (kind) {
    case SQL_CURRENT_DATE:
        return FUNCTION_TIMESTAMPTZ_DATE;
    case SQL_CURRENT_TIME:
        return FUNCTION_TIMESTAMPTZ_TIMETZ;
    case SQL_LOCALTIME:
        return FUNCTION_TIMESTAMPTZ_TIME;
    case SQL_LOCALTIMESTAMP:
        return FUNCTION_TIMESTAMPTZ_TIMESTAMP;
    case SQL_CURRENT_SCHEMA:
        return FUNCTION_CURRENT_SCHEMA;
    default:
        return OID_NONE;
    }
}

static bool sql_value_name(ExprProgram *p, SqlValueKind kind, Value *ret, bool *ret_null)
{
    CatalogSession *catalog = &p->exec->session->catalog;
    Str name;
    if (kind == SQL_CURRENT_CATALOG) {
        const DatabaseDesc *database = database_find(catalog, catalog->database_oid);
        name = database ? database->name : STR_NONE;
    } else {
        name = role_name(catalog,
                         kind == SQL_SESSION_USER ? catalog->session_user : catalog->current_user);
    }
    *ret_null = str_is_none(name);
    if (!*ret_null)
        *ret = (Value){.var = var_from_str(str_copy(p->scratch, name))};
    return true;
}

static bool step_sql_value(ExprProgram *p, ExprStep *step, Selection selection)
{
    const ExprSqlValue *expr = EXPR_AS(const ExprSqlValue, step->expr);
    Vector *to = p->registers[step->result];
    Value value = {.int64 = p->exec->session->transaction_start};
    bool is_null = false, no_null = false;
    vector_begin(to, p->row_count);
    if (step->call) {
        Value arg = value;
        TRY(function_call(step->call, &arg, &no_null, &value, &is_null));
    } else if (expr->value != SQL_CURRENT_TIMESTAMP) {
        TRY(sql_value_name(p, expr->value, &value, &is_null));
    }
    if (expr->base.typmod >= 0 && !is_null)
        TRY(type_apply_typmod(p->scratch, expr->base.type, expr->base.typmod, true, &value));
    vector_set(to, 0, &value, is_null);
    return true;
}

bool expr_build_sql_value(ExprBuilder *builder, ExprSqlValue *expr, uint32_t *ret_register)
{
    ExprProgram *p = builder->program;
    uint32_t result = expr_new_flat(builder, type_phys(expr->base.type));
    ExprStep *step = expr_add_step(builder, step_sql_value, &expr->base, result);
    Oid function = time_conversion(expr->value);
    if (function != OID_NONE) {
        Oid type = TYPE_TIMESTAMPTZ;
        step->call = expr_new_call(
            p->exec, &(CallSite){.function = function,
                                 .arg_types = &type,
                                 .arg_count = expr->value == SQL_CURRENT_SCHEMA ? 0 : 1,
                                 .result_type = expr->base.type,
                                 .collation = expr->base.collation});
        TRY(step->call);
        step->call->arena = p->scratch;
    }
    step->is_constant = true;
    p->registers[result]->constant = true;
    *ret_register = result;
    return true;
}

static bool step_next_value(ExprProgram *p, ExprStep *step, Selection selection)
{
    const ExprNextValue *expr = EXPR_AS(const ExprNextValue, step->expr);
    Vector *to = p->registers[step->result];
    vector_begin(to, p->row_count);
    FOR_SELECTED (selection, row) {
        int64_t next;
        TRY(sequence_memory_next(p->exec->session, expr->sequence, false, &next));
        Value value = {0};
        switch (to->type) {
        case PHYS_INT16:
            value.int16 = (int16_t)next;
            break;
        case PHYS_INT32:
            value.int32 = (int32_t)next;
            break;
        default:
            value.int64 = next;
            break;
        }
        vector_set(to, row, &value, false);
    }
    return true;
}

bool expr_build_next_value(ExprBuilder *builder, ExprNextValue *expr, uint32_t *ret_register)
{
    uint32_t result = expr_new_flat(builder, type_phys(expr->base.type));
    builder->program->exec->has_effects = true;
    expr_add_step(builder, step_next_value, &expr->base, result);
    *ret_register = result;
    return true;
}
