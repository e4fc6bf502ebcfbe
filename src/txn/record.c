#include "txn/record.h"

#include "base/error.h"

#define VARINT_MAX 10u /* bytes */

/* Returns where it ends. */
static inline char *varint_write(char *to, uint64_t value)
{
    while (value >= 0x80) {
        *to++ = (char)(value | 0x80);
        value >>= 7;
    }
    *to++ = (char)value;
    return to;
}

void record_put_varint(StrBuf *buf, uint64_t value)
{
    char *to = strbuf_reserve(buf, VARINT_MAX);
    strbuf_advance(buf, (size_t)(varint_write(to, value) - to));
}

static void record_put_bytes(StrBuf *buf, Str bytes)
{
    char *to = strbuf_reserve(buf, VARINT_MAX + bytes.length);
    char *end = varint_write(to, bytes.length);
    if (bytes.length > 0)
        memcpy(end, bytes.data, bytes.length);
    strbuf_advance(buf, (size_t)(end - to) + bytes.length);
}

static void put_tree(StrBuf *buf, RecordList *list, TreeName name)
{
    if (list->tree == name)
        return;
    strbuf_append_char(buf, OP_TREE);
    record_put_varint(buf, name >> 32);
    record_put_varint(buf, (uint32_t)name);
    list->tree = name;
}

/* ------------------------------------------------------------------ entries */

/* The key without its row id. */
static Str entry_key(Str entry)
{
    return str_slice(entry, 0, entry.length - sizeof(uint64_t));
}

static Str list_entry(const RecordList *list)
{
    return str_make(list->entry, list->entry_length);
}

static void list_remember(RecordList *list, Str entry)
{
    list->entry_length = entry.length <= RECORD_ENTRY_MAX ? (uint32_t)entry.length : 0;
    str_copy_to(list->entry, str_make(entry.data, list->entry_length));
}

/* A small number, whichever way two ids differ. */
static uint64_t zigzag(uint64_t difference)
{
    return difference << 1 ^ (uint64_t)((int64_t)difference >> 63);
}

static uint64_t unzigzag(uint64_t number)
{
    return number >> 1 ^ -(number & 1);
}

static void put_next_entry(StrBuf *buf, const RecordList *list, Str entry)
{
    const Str before = list_entry(list), key = entry_key(entry);
    const size_t shared = str_common_length(entry_key(before), key), rest = key.length - shared;
    const uint64_t distance = tree_key_row_id(entry) - tree_key_row_id(before);
    char *const start = strbuf_reserve(buf, 1 + 3 * VARINT_MAX + rest), *to = start;

    *to++ = OP_PUT_NEXT_ENTRY;
    to = varint_write(to, shared);
    to = varint_write(to, rest);
    if (likely(rest <= sizeof(uint64_t))) /* in a move: the row id is behind it */
        memcpy(to, key.data + shared, sizeof(uint64_t));
    else
        memcpy(to, key.data + shared, rest);
    to = varint_write(to + rest, zigzag(distance));
    strbuf_advance(buf, (size_t)(to - start));
}

void record_put_entry(StrBuf *buf, RecordList *list, TreeName tree, Str entry)
{
    put_tree(buf, list, tree);
    if (list->entry_length > 0 && entry.length <= RECORD_ENTRY_MAX) {
        put_next_entry(buf, list, entry);
    } else {
        strbuf_append_char(buf, OP_PUT_ENTRY);
        record_put_bytes(buf, entry);
    }
    list_remember(list, entry);
}

/* ------------------------------------------------------------------ operations */

void record_put_rows(StrBuf *buf, RecordList *list, const RowsOp *op)
{
    size_t size = 0;

    put_tree(buf, list, op->tree);
    for (uint32_t i = 0; i < op->count; i++)
        size += 1 + 2 * VARINT_MAX + op->image_sizes[i];
    char *const start = strbuf_reserve(buf, size), *to = start;
    for (uint32_t i = 0; i < op->count; i++) {
        *to++ = OP_PUT_ROW;
        to = varint_write(to, op->first_id + i);
        to = varint_write(to, op->image_sizes[i]);
        op->images[i] = (byte *)to;
        to += op->image_sizes[i];
    }
    strbuf_advance(buf, (size_t)(to - start));
}

void record_put_op(StrBuf *buf, RecordList *list, const Op *op)
{
    const TreeName tree = (uint64_t)op->database << 32 | op->tree;

    if (op->code == OP_PUT_ENTRY) {
        record_put_entry(buf, list, tree, op->key);
        return;
    }
    if (op->code != OP_DROP_DATABASE)
        put_tree(buf, list, tree);
    strbuf_append_char(buf, (char)op->code);
    switch (op->code) {
    case OP_PUT_ROW:
        record_put_varint(buf, op->row_id);
        record_put_bytes(buf, op->value);
        return;
    case OP_DELETE_ROW:
        record_put_varint(buf, op->row_id);
        return;
    case OP_DELETE_ENTRY:
    case OP_DELETE_PAIR:
        record_put_bytes(buf, op->key);
        return;
    case OP_PUT_PAIR:
        record_put_bytes(buf, op->key);
        record_put_bytes(buf, op->value);
        return;
    case OP_CREATE_TREE:
        strbuf_append_char(buf, (char)op->kind);
        record_put_bytes(buf, op->value);
        return;
    case OP_SET_LAYOUT:
        record_put_bytes(buf, op->value);
        return;
    case OP_DROP_DATABASE:
        record_put_varint(buf, op->database);
        return;
    case OP_PUT_ENTRY:
    case OP_PUT_NEXT_ENTRY:
    case OP_TREE:
    case OP_DROP_TREE:
        return;
    }
}

/* ------------------------------------------------------------------ reading */

static bool damaged(void)
{
    FAIL(ERR_DATA_CORRUPTED, .message = STR("a log record has an invalid operation"));
}

static bool take_byte(Str *rest, uint8_t *ret)
{
    if (rest->length == 0)
        return damaged();
    *ret = (uint8_t)rest->data[0];
    rest->data++;
    rest->length--;
    return true;
}

static bool take_varint(Str *rest, uint64_t *ret)
{
    uint64_t value = 0;
    uint8_t next;

    for (uint32_t shift = 0; shift < 64; shift += 7) {
        TRY(take_byte(rest, &next));
        value |= (uint64_t)(next & 0x7f) << shift;
        if (!(next & 0x80)) {
            *ret = value;
            return true;
        }
    }
    return damaged();
}

static bool take_bytes(Str *rest, Str *ret)
{
    uint64_t length;

    TRY(take_varint(rest, &length));
    if (length > rest->length)
        return damaged();
    *ret = str_make(rest->data, length);
    rest->data += length;
    rest->length -= length;
    return true;
}

bool record_open(RecordReader *reader, Str payload)
{
    uint8_t type;

    *reader = (RecordReader){.rest = payload};
    TRY(take_byte(&reader->rest, &type));
    reader->type = (RecordType)type;
    if (type != RECORD_COMMIT && type != RECORD_FRAGMENT)
        return damaged();
    TRY(take_varint(&reader->rest, &reader->fragment_id));
    if (type == RECORD_COMMIT) {
        if (reader->rest.length < sizeof(int64_t))
            return damaged();
        memcpy(&reader->wall_clock, reader->rest.data, sizeof(int64_t));
        reader->rest = str_slice(reader->rest, sizeof(int64_t), SIZE_MAX);
        TRY(take_varint(&reader->rest, &reader->txn_id));
    }
    return true;
}

static bool take_tree(RecordReader *reader)
{
    uint64_t database, tree;

    TRY(take_varint(&reader->rest, &database));
    TRY(take_varint(&reader->rest, &tree));
    if (database > UINT32_MAX || tree > UINT32_MAX)
        return damaged();
    reader->list.tree = database << 32 | tree;
    return true;
}

/* The entry is put together where the one before it was. */
static bool take_next_entry(RecordReader *reader, Op *op)
{
    RecordList *list = &reader->list;
    uint64_t shared, number;
    Str rest;

    TRY(take_varint(&reader->rest, &shared));
    TRY(take_bytes(&reader->rest, &rest));
    TRY(take_varint(&reader->rest, &number));
    if (list->entry_length == 0 || shared > list->entry_length - sizeof(uint64_t) ||
        rest.length > RECORD_ENTRY_MAX - sizeof(uint64_t) - shared)
        return damaged();
    const uint64_t id = tree_key_row_id(list_entry(list)) + unzigzag(number);
    const uint64_t id_bytes = __builtin_bswap64(id);
    memcpy(list->entry + shared, rest.data, rest.length);
    memcpy(list->entry + shared + rest.length, &id_bytes, sizeof(id_bytes));
    list->entry_length = (uint32_t)(shared + rest.length + sizeof(id_bytes));
    op->code = OP_PUT_ENTRY;
    op->key = list_entry(list);
    return true;
}

static bool take_operands(RecordReader *reader, Op *op)
{
    uint64_t number;
    uint8_t kind;

    switch (op->code) {
    case OP_PUT_ROW:
        TRY(take_varint(&reader->rest, &op->row_id));
        return take_bytes(&reader->rest, &op->value);
    case OP_DELETE_ROW:
        return take_varint(&reader->rest, &op->row_id);
    case OP_PUT_ENTRY:
    case OP_DELETE_ENTRY:
    case OP_DELETE_PAIR:
        TRY(take_bytes(&reader->rest, &op->key));
        if (op->code != OP_DELETE_PAIR && op->key.length < sizeof(uint64_t))
            return damaged();
        if (op->code == OP_PUT_ENTRY)
            list_remember(&reader->list, op->key);
        return true;
    case OP_PUT_NEXT_ENTRY:
        return take_next_entry(reader, op);
    case OP_PUT_PAIR:
        TRY(take_bytes(&reader->rest, &op->key));
        return take_bytes(&reader->rest, &op->value);
    case OP_CREATE_TREE:
        TRY(take_byte(&reader->rest, &kind));
        if (kind < TREE_TABLE || kind > TREE_KEY_VALUE)
            return damaged();
        op->kind = (TreeKind)kind;
        return take_bytes(&reader->rest, &op->value);
    case OP_SET_LAYOUT:
        return take_bytes(&reader->rest, &op->value);
    case OP_DROP_DATABASE:
        TRY(take_varint(&reader->rest, &number));
        op->database = (DatabaseId)number;
        return true;
    case OP_DROP_TREE:
        return true;
    case OP_TREE:
        break;
    }
    return damaged();
}

OpRead record_next(RecordReader *reader, Op *ret_op)
{
    uint8_t code;

    for (;;) {
        if (reader->rest.length == 0)
            return OP_READ_END;
        TRY(take_byte(&reader->rest, &code));
        if (code != OP_TREE)
            break;
        TRY(take_tree(reader));
    }
    *ret_op = (Op){.code = (OpCode)code,
                   .database = (DatabaseId)(reader->list.tree >> 32),
                   .tree = (TreeId)reader->list.tree};
    return take_operands(reader, ret_op) ? OP_READ : OP_READ_FAILED;
}
