/*
 * jsonb: JSON in a form that is read without a walk.
 *
 * A node is a tag byte and what follows it; its length is known from outside:
 *   n null · t true · f false · s characters · # a numeric's bytes (numeric.h)
 *   [ u32 count, u16 depth, count × u32 end offset, the elements' nodes
 *   { u32 count, u16 depth, count × u32 end offset of keys, count × u32 end offset of values, the
 * keys' characters, the values' nodes Offsets are little-endian and count from the first key,
 * element or value. Keys are unique and ordered by length, then bytes, so that a key is found by
 * bisection. The depth is 1 for a container of scalars; it is bounded where nodes are made, so that
 * who walks down a node need not look at the stack.
 *
 *   Str root = var_str(value.var);
 *   if (jsonb_kind(root) == JSON_OBJECT && jsonb_find(root, STR("a"), &node)) …
 *
 *   JsonbBuilder builder;
 *   jsonb_builder_init(&builder, arena, JSON_OBJECT);
 *   jsonb_builder_add(&builder, key, node);          the last of equal keys wins
 *   Str node; TRY(jsonb_builder_finish(&builder, &node));
 */
#ifndef TYPES_JSONB_H
#define TYPES_JSONB_H

#include "types/json_parse.h"

enum { TYPE_JSONB = 3802, JSONB_DEPTH_MAX = 2000 };

JsonKind jsonb_kind(Str node);
/* Elements or pairs; 0 for a scalar. */
uint32_t jsonb_count(Str node);
Str jsonb_element(Str array, uint32_t index);
Str jsonb_key(Str object, uint32_t index);
Str jsonb_value(Str object, uint32_t index);
/* The index of a key, or -1. */
int64_t jsonb_find_index(Str object, Str key);
bool jsonb_find(Str object, Str key, Str *ret);
/* A string's characters. */
static inline Str jsonb_characters(Str string)
{
    return str_make(string.data + 1, string.length - 1);
}
static inline bool jsonb_is_scalar(Str node)
{
    return jsonb_kind(node) < JSON_ARRAY;
}

Str jsonb_from_string(Arena *arena, Str characters);
Str jsonb_from_numeric(Arena *arena, const Value *numeric);
Str jsonb_from_bool(bool value);
Str jsonb_null(void);
MUST_CHECK bool jsonb_from_tree(Arena *arena, const JsonNode *tree, Str *ret);

typedef struct JsonbBuilder {
    Arena *arena;
    JsonKind kind;
    uint32_t count, capacity;
    Str *keys, *values;
} JsonbBuilder;
void jsonb_builder_init(JsonbBuilder *builder, Arena *arena, JsonKind kind);
/* Borrows both until finish. `key` is nothing for arrays. Many take turns. */
void jsonb_builder_add(JsonbBuilder *builder, Str key, Str node);
MUST_CHECK bool jsonb_builder_finish(JsonbBuilder *builder, Str *ret);

MUST_CHECK bool jsonb_append_text(Str node, StrBuf *out);
MUST_CHECK bool jsonb_append_pretty(Str node, StrBuf *out);
int jsonb_order(Str a, Str b);

/* A step of a path as an array's index; false: it is none. */
bool jsonb_index_parse(Str step, int64_t *ret);
/* What a step of a path leads to; false: nothing is there. */
bool jsonb_step(Str node, Str step, Str *ret);
/* container['a'][0] = value, in jsonb_subscript.c: what the path lacks is made. The errors of an
 * existing scalar on the way and of an index before the first are its only ones. */
MUST_CHECK bool jsonb_assign(Arena *arena, Str root, const Str *steps, int count, Str value,
                             Str *ret);

#endif
