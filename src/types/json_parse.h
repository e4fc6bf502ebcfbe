/*
 * JSON text: checked, and read into a tree.
 *
 *   TRY(json_check(text));                               syntax alone, as json's input does
 *   JsonNode root;
 *   TRY(json_parse(arena, text, &root));
 *   for (uint32_t i = 0; i < root.count; i++) … root.keys[i], root.items[i] …
 *
 * Errors name the token and the line, as PostgreSQL's do. The tree borrows from the text where it
 * can and lives in the arena. Keys stand in the order written, repeated ones too.
 */
#ifndef TYPES_JSON_PARSE_H
#define TYPES_JSON_PARSE_H

#include "types/type.h"

typedef enum JsonKind {
    JSON_NULL = 0,
    JSON_STRING,
    JSON_NUMBER,
    JSON_BOOL,
    JSON_ARRAY,
    JSON_OBJECT,
} JsonKind; /* in the order that jsonb has among kinds */

typedef struct JsonNode JsonNode;
struct JsonNode {
    JsonKind kind;
    bool boolean;
    uint32_t count;  /* items */
    Str raw;         /* as written, without white space around */
    Str text;        /* a string's characters; a number as written */
    JsonNode *items; /* an array's elements, an object's values */
    Str *keys;
};

MUST_CHECK bool json_check(Str text);
MUST_CHECK bool json_parse(Arena *arena, Str text, JsonNode *ret);

/* Appends a JSON string with its quotes. */
MUST_CHECK bool json_escape(Str text, StrBuf *out);
/* Whether the text is a number as JSON writes them. */
bool json_is_number(Str text);

/* Appends a value of any type as JSON text; `pretty` puts line feeds between items. */
MUST_CHECK bool json_append_value(Arena *arena, Oid type, const Value *value, bool is_null,
                                  bool pretty, StrBuf *out);
/* As jsonb has it: the bytes of a node (types/jsonb.h). */
MUST_CHECK bool json_value_node(Arena *arena, Oid type, const Value *value, bool is_null, Str *ret);

/* What a row value consists of, for row_to_json; the form is the executor's. */
typedef struct RowFields {
    uint32_t count;
    Str *names;
    Oid *types;
    Value *values;
    bool *nulls;
} RowFields;
typedef bool RowFieldsHook(Arena *arena, const Value *record, RowFields *ret);
/* Once, before sessions run. */
void json_set_row_hook(RowFieldsHook *hook);

#endif
