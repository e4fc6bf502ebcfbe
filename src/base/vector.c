#include "base/vector.h"

#include "base/element_copy.h"
#include "base/pace.h"

static Vector *vector_sized(Arena *arena, PhysType type, size_t rows)
{
    Vector *vector = ARENA_NEW(arena, Vector);

    vector->type = type;
    vector->values = arena_alloc_zeroed(arena, phys_width(type) * rows);
    vector->nulls = arena_alloc_zeroed(arena, rows);
    return vector;
}

Vector *vector_new(Arena *arena, PhysType type)
{
    return vector_sized(arena, type, VECTOR_SIZE);
}

Vector *vector_new_constant(Arena *arena, PhysType type, const Value *value, bool is_null)
{
    Vector *vector = vector_sized(arena, type, 1);

    vector->constant = true;
    vector_set(vector, 0, value, is_null);
    return vector;
}

void vector_get(const Vector *v, uint32_t row, Value *ret_value, bool *ret_null)
{
    uint32_t index = vector_index(v, row);
    size_t width = phys_width(v->type);

    *ret_null = v->has_nulls && v->nulls[index];
    *ret_value = (Value){0};
    if (!*ret_null)
        element_copy(ret_value, (const char *)v->values + index * width, width);
}

void vector_set(Vector *v, uint32_t row, const Value *value, bool is_null)
{
    size_t width = phys_width(v->type);

    v->nulls[row] = is_null;
    if (is_null)
        v->has_nulls = true;
    else
        element_copy((char *)v->values + row * width, value, width);
}

Value value_copy(Arena *arena, PhysType type, const Value *value)
{
    Value copy = *value;

    if (type == PHYS_VAR && value->var.length > 0) {
        char *data = arena_alloc(arena, value->var.length);
        if (likely(value->var.length <= PACE_BYTES))
            memcpy(data, value->var.data, value->var.length);
        else
            pace_copy_turns(data, value->var.data, value->var.length);
        copy.var.data = data;
    }
    return copy;
}
