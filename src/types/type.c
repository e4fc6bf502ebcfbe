#include "types/types_internal.h"

#include "types/array.h"
#include "types/datetime_internal.h"
#include "types/numeric_internal.h"

static const TypesHooks no_hooks;
/* Set once at start. */
static const TypesHooks *hooks = &no_hooks;

void types_set_hooks(const TypesHooks *new_hooks)
{
    hooks = new_hooks;
}

const TypesHooks *types_hooks(void)
{
    return hooks;
}

const BuiltinType *builtin_type(Oid oid)
{
    size_t low = 0, high = type_table_count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (type_table[middle].oid < oid)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < type_table_count && type_table[low].oid == oid)
        return &type_table[low];
    return hooks->type_find && oid != OID_NONE ? hooks->type_find(oid) : NULL;
}

const BuiltinType *builtin_type_by_name(Str typname)
{
    for (size_t i = 0; i < type_table_count; i++)
        if (str_equal(str_from_c(type_table[i].name), typname))
            return &type_table[i];
    return NULL;
}

const BuiltinType *type_require(Oid oid)
{
    const BuiltinType *type = builtin_type(oid);
    if (!type)
        FAIL(ERR_UNDEFINED_OBJECT, .message = fmt("type with OID %u does not exist", oid));
    return type;
}

bool type_input(Arena *arena, Oid oid, int32_t typmod, Str text, Value *ret)
{
    const BuiltinType *type = type_require(oid);
    TRY(type);
    const TypeIo io = {.arena = arena, .type = type, .type_oid = oid, .typmod = typmod};
    return type->input(&io, text, ret);
}

bool type_output(Oid oid, const Value *value, StrBuf *out)
{
    const BuiltinType *type = type_require(oid);
    TRY(type);
    const TypeIo io = {.arena = out->arena, .type = type, .type_oid = oid, .typmod = -1};
    return type->output(&io, value, out);
}

bool type_receive(Arena *arena, Oid oid, int32_t typmod, Str bytes, Value *ret)
{
    const BuiltinType *type = type_require(oid);
    TRY(type);
    const TypeIo io = {.arena = arena, .type = type, .type_oid = oid, .typmod = typmod};
    return type->receive(&io, bytes, ret);
}

bool type_send(Oid oid, const Value *value, StrBuf *out)
{
    const BuiltinType *type = type_require(oid);
    TRY(type);
    const TypeIo io = {.arena = out->arena, .type = type, .type_oid = oid, .typmod = -1};
    return type->send(&io, value, out);
}

PhysType type_phys(Oid type)
{
    const BuiltinType *found = builtin_type(type);
    return found ? found->phys : PHYS_VAR;
}

int type_compare(Oid type, const Value *a, const Value *b)
{
    const BuiltinType *found = builtin_type(type);
    if (found && found->compare)
        return found->compare(found, a, b);
    return found && found->phys != PHYS_VAR ? memcmp(a, b, phys_width(found->phys))
                                            : var_compare(&a->var, &b->var);
}

bool type_equal(Oid oid, const Value *a, const Value *b)
{
    return type_compare(oid, a, b) == 0;
}

/* Names as format_type prints them where a modifier changes more than the end. */
bool type_format(Oid oid, int32_t typmod, StrBuf *out)
{
    const BuiltinType *type = builtin_type(oid);
    if (!type)
        return false;
    if (type->element != OID_NONE && type->category == 'A' && oid != TYPE_OIDVECTOR &&
        oid != TYPE_INT2VECTOR) {
        if (!type_format(type->element, typmod, out))
            return false;
        strbuf_append_c(out, "[]");
        return true;
    }
    if (oid == TYPE_BPCHAR && typmod == -1) {
        strbuf_append_c(out, "bpchar");
        return true;
    }
    const char *suffix = oid == TYPE_TIME || oid == TYPE_TIMESTAMP       ? " without time zone"
                         : oid == TYPE_TIMETZ || oid == TYPE_TIMESTAMPTZ ? " with time zone"
                                                                         : NULL;
    if (suffix) {
        const Str name = str_from_c(type->sql_name);
        strbuf_append(out, str_slice(name, 0, name.length - strlen(suffix)));
        if (typmod >= 0 && type->typmod_out)
            type->typmod_out(typmod, out);
        strbuf_append_c(out, suffix);
        return true;
    }
    strbuf_append_c(out, type->sql_name);
    if (typmod >= 0 && type->typmod_out)
        type->typmod_out(typmod, out);
    return true;
}

static bool array_apply_typmod(Arena *arena, Oid element, int32_t typmod, bool is_explicit,
                               Value *array)
{
    ArrayView view;
    ArrayBuilder builder;
    TRY(array_open(array, &view));
    array_builder_init(&builder, arena, element);
    for (int i = 0; i < view.count; i++) {
        Value value;
        bool is_null;
        array_element(&view, i, &value, &is_null);
        if (!is_null)
            TRY(type_apply_typmod(arena, element, typmod, is_explicit, &value));
        array_builder_add(&builder, &value, is_null);
    }
    return array_builder_finish_shape(&builder, view.dimension_count, view.lengths, view.lowers,
                                      array);
}

bool type_apply_typmod(Arena *arena, Oid oid, int32_t typmod, bool is_explicit, Value *value)
{
    const BuiltinType *type = type_require(oid);
    TRY(type);
    if (typmod < 0)
        return true;
    if (type->element != OID_NONE && type->input == array_input)
        return array_apply_typmod(arena, type->element, typmod, is_explicit, value);
    switch (type->oid) {
    case TYPE_NUMERIC:
        return numeric_apply_typmod(arena, typmod, value);
    case TYPE_BPCHAR:
        return bpchar_coerce(arena, var_str(value->var), typmod, is_explicit, value);
    case TYPE_VARCHAR:
        return varchar_coerce(arena, var_str(value->var), typmod, is_explicit, value);
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        if (value->int64 != TIMESTAMP_INFINITY && value->int64 != TIMESTAMP_MINUS_INFINITY)
            value->int64 = timestamp_round(value->int64, typmod);
        return true;
    case TYPE_TIME:
        value->int64 = timestamp_round(value->int64, typmod);
        return true;
    case TYPE_TIMETZ:
        value->timetz.microseconds = timestamp_round(value->timetz.microseconds, typmod);
        return true;
    case TYPE_INTERVAL:
        return interval_apply_typmod(typmod, &value->interval);
    default:
        return true;
    }
}

/* Functions of pg_type's columns, one C function each for every type. */

/* The result or argument type tells which type's function was meant. */
FUNCTION(io_input)
{
    const BuiltinType *type = type_require(call->result_type);
    TRY(type);
    const bool has_typmod = call->arg_count >= 3 && !nulls[2];
    const TypeIo io = {.arena = call->arena,
                       .type = type,
                       .type_oid = call->result_type,
                       .typmod = has_typmod ? args[2].int32 : -1};
    return type->input(&io, var_str(args[0].var), ret);
}

FUNCTION(io_output)
{
    StrBuf out = strbuf_in(call->arena);
    TRY(type_output(call->arg_types[0], &args[0], &out));
    *ret = value_from_buf(&out);
    return true;
}

FUNCTION(io_send)
{
    StrBuf out = strbuf_in(call->arena);
    TRY(type_send(call->arg_types[0], &args[0], &out));
    *ret = value_from_buf(&out);
    return true;
}

static const BuiltinType *call_type(FunctionCall *call)
{
    if (!call->state)
        call->state = (void *)builtin_type(call->arg_types[0]);
    return call->state;
}

#define AN_EQUALITY "an equality operator"
#define A_COMPARISON "a comparison function"

/* Of an array it is the elements that cannot be compared. */
static const char *ordered_name(const BuiltinType *type)
{
    const BuiltinType *element =
        type && type->element && type->category == 'A' ? builtin_type(type->element) : NULL;
    return element ? element->sql_name : type ? type->sql_name : "unknown";
}

static const BuiltinType *call_ordered_type(FunctionCall *call, const char *wanted)
{
    const BuiltinType *type = call_type(call);
    if (!type || !type->compare)
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("could not identify %s for type %s", wanted, ordered_name(type)));
    return type;
}

/* Arrays of unlike shapes differ, whether or not their elements can be compared. */
static bool shapes_differ(FunctionCall *call, const Value *args)
{
    const BuiltinType *type = call_type(call);
    ArrayView a, b;
    if (!type || !type->element || type->category != 'A' || type->compare)
        return false;
    if (!array_open(&args[0], &a) || !array_open(&args[1], &b)) {
        error_clear();
        return false;
    }
    if (a.dimension_count != b.dimension_count)
        return true;
    for (int i = 0; i < a.dimension_count; i++)
        if (a.lengths[i] != b.lengths[i] || a.lowers[i] != b.lowers[i])
            return true;
    return false;
}

#define GENERIC_COMPARISON(symbol, op, wanted, is_equality)                                        \
    FUNCTION(generic_##symbol)                                                                     \
    {                                                                                              \
        if (is_equality && shapes_differ(call, args)) {                                            \
            ret->boolean = 1 op 0;                                                                 \
            return true;                                                                           \
        }                                                                                          \
        const BuiltinType *type = call_ordered_type(call, wanted);                                 \
        TRY(type);                                                                                 \
        if (type->compare == rowtype_compare)                                                      \
            TRY(rowtype_comparable(&args[0], &args[1]));                                           \
        ret->boolean = type->compare(type, &args[0], &args[1]) op 0;                               \
        return true;                                                                               \
    }
GENERIC_COMPARISON(eq, ==, AN_EQUALITY, true)
GENERIC_COMPARISON(ne, !=, AN_EQUALITY, true)
GENERIC_COMPARISON(lt, <, A_COMPARISON, false)
GENERIC_COMPARISON(le, <=, A_COMPARISON, false)
GENERIC_COMPARISON(gt, >, A_COMPARISON, false)
GENERIC_COMPARISON(ge, >=, A_COMPARISON, false)

FUNCTION(generic_cmp)
{
    const BuiltinType *type = call_ordered_type(call, A_COMPARISON);
    TRY(type);
    if (type->compare == rowtype_compare)
        TRY(rowtype_comparable(&args[0], &args[1]));
    const int order = type->compare(type, &args[0], &args[1]);
    ret->int32 = (order > 0) - (order < 0);
    return true;
}

FUNCTION(generic_larger)
{
    const BuiltinType *type = call_ordered_type(call, A_COMPARISON);
    TRY(type);
    *ret = type->compare(type, &args[0], &args[1]) >= 0 ? args[0] : args[1];
    return true;
}

FUNCTION(generic_smaller)
{
    const BuiltinType *type = call_ordered_type(call, A_COMPARISON);
    TRY(type);
    *ret = type->compare(type, &args[0], &args[1]) <= 0 ? args[0] : args[1];
    return true;
}

FUNCTION(generic_hash)
{
    const BuiltinType *type = call_type(call);
    if (!type || !type->hash)
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("could not identify a hash function for type %s",
                            type ? type->sql_name : "unknown"));
    ret->int32 = (int32_t)type->hash(type, &args[0]);
    return true;
}

FUNCTION(generic_hash_extended)
{
    const BuiltinType *type = call_type(call);
    if (!type || !type->hash)
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("could not identify an extended hash function for type %s",
                            type ? type->sql_name : "unknown"));
    ret->int64 = (int64_t)hash_combine(type->hash(type, &args[0]), (uint64_t)args[1].int64);
    return true;
}
