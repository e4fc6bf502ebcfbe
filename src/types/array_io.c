/* Arrays as text and on the wire; oidvector and int2vector. */
#include "base/pace.h"
#include "base/scheduler.h"
#include "types/array.h"
#include "types/types_internal.h"

#define STACK_RESERVE (16 * 1024)

typedef struct ArrayReader {
    const TypeIo *io;
    TypeIo element_io;
    Str text;
    size_t at;
    size_t shown_from; /* where what messages repeat begins: within the braces, at the first */
    int depth;         /* dimensions seen; 0 until the first element */
    int32_t lengths[ARRAY_MAX_DIMENSIONS];
    bool is_known[ARRAY_MAX_DIMENSIONS];
    bool has_elements;
    ArrayBuilder builder;
} ArrayReader;

static bool malformed(const ArrayReader *r, Str detail)
{
    FAIL(ERR_INVALID_TEXT_REPRESENTATION,
         .message = fmt("malformed array literal: \"%.*s\"",
                        STR_ARGS(str_slice(r->text, r->shown_from, r->text.length))),
         .detail = detail);
}

static bool skip_space(ArrayReader *r)
{
    for (; r->at < r->text.length && is_space(r->text.data[r->at]); r->at++)
        CHECK_INTERRUPTS_EACH(r->at);
    return true;
}

static char peek(const ArrayReader *r)
{
    return r->at < r->text.length ? r->text.data[r->at] : 0;
}

/* "[1:3][-2:0]=" before the braces. */
static bool bounds_read(ArrayReader *r, int32_t *lengths, int32_t *lowers, int *ret_count)
{
    *ret_count = 0;
    TRY(skip_space(r));
    while (peek(r) == '[') {
        int64_t bound[2] = {1, 1};
        int parts = 0;
        r->at++;
        do {
            const size_t start = r->at;
            if (peek(r) == '-' || peek(r) == '+')
                r->at++;
            while (is_digit(peek(r)))
                r->at++;
            if (!str_to_int64(str_slice(r->text, start, r->at - start), &bound[parts++]))
                return malformed(r, parts > 1
                                        ? STR("Missing array dimension value.")
                                        : STR("\"[\" must introduce explicitly-specified array "
                                              "dimensions."));
        } while (peek(r) == ':' && parts < 2 && r->at++ < r->text.length);
        if (peek(r) != ']')
            return malformed(r, STR("Missing \"]\" after array dimensions."));
        r->at++;
        if (*ret_count == ARRAY_MAX_DIMENSIONS)
            FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
                 .message = fmt("number of array dimensions (%d) exceeds the maximum allowed (%d)",
                                *ret_count + 1, ARRAY_MAX_DIMENSIONS));
        if (parts == 1) {
            bound[1] = bound[0];
            bound[0] = 1;
        }
        if (bound[1] < bound[0])
            FAIL(ERR_ARRAY_SUBSCRIPT_ERROR,
                 .message = STR("upper bound cannot be less than lower bound"));
        if (bound[1] == INT32_MAX && bound[0] >= INT32_MIN)
            FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
                 .message = fmt("array lower bound is too large: %d", (int)bound[0]));
        if (bound[1] > INT32_MAX || bound[0] < INT32_MIN)
            FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
                 .message = fmt("array size exceeds the maximum allowed (%d)", ARRAY_MAX_ELEMENTS));
        lowers[*ret_count] = (int32_t)bound[0];
        lengths[(*ret_count)++] = (int32_t)(bound[1] - bound[0] + 1);
        TRY(skip_space(r));
    }
    if (*ret_count > 0) {
        if (peek(r) != '=')
            return malformed(r, STR("Missing \"=\" after array dimensions."));
        r->at++;
        TRY(skip_space(r));
    }
    return true;
}

static bool element_add(ArrayReader *r, Str text, bool was_quoted)
{
    Value value = {0};
    const bool is_null =
        !was_quoted && settings()->array_nulls && str_equal_nocase(text, STR("null"));
    if (!is_null)
        TRY(r->element_io.type->input(&r->element_io, text, &value));
    array_builder_add(&r->builder, &value, is_null);
    return true;
}

/* One element: quoted, or up to a comma or brace with white space off both ends. */
static bool element_read(ArrayReader *r)
{
    StrBuf buf = strbuf_in(r->io->arena);
    bool was_quoted = false, is_closed = false; /* is_closed: a quoted part is the whole */
    size_t pause = 0;
    size_t keep = 0; /* length up to the last character that trimming must leave */

    for (;;) {
        const char c = peek(r);
        CHECK_INTERRUPTS_PAST(r->at, pause);
        if (r->at >= r->text.length)
            return malformed(r, STR("Unexpected end of input."));
        if (c == '"') {
            if (was_quoted || buf.length > 0)
                return malformed(r, STR("Unexpected array element."));
            was_quoted = is_closed = true;
            for (r->at++; peek(r) != '"'; r->at++) {
                CHECK_INTERRUPTS_PAST(r->at, pause);
                if (r->at < r->text.length && peek(r) == '\\')
                    r->at++;
                if (r->at >= r->text.length)
                    return malformed(r, STR("Unexpected end of input."));
                strbuf_append_char(&buf, peek(r));
            }
            r->at++;
            keep = buf.length;
        } else if (c == ',' || c == '}') {
            break;
        } else if (c == '{') {
            return malformed(r, STR("Unexpected \"{\" character."));
        } else if (c == '\\' && is_closed) {
            return malformed(r, STR("Unexpected \"\\\" character."));
        } else if (c == '\\') {
            if (++r->at >= r->text.length)
                return malformed(r, STR("Unexpected end of input."));
            strbuf_append_char(&buf, peek(r));
            was_quoted = true;
            keep = buf.length;
            r->at++;
        } else if (is_space(c)) {
            if (buf.length > 0 && !is_closed)
                strbuf_append_char(&buf, c);
            r->at++;
        } else {
            if (is_closed)
                return malformed(r, STR("Unexpected array element."));
            strbuf_append_char(&buf, c);
            keep = buf.length;
            r->at++;
        }
    }
    if (!was_quoted && keep == 0)
        return malformed(r, fmt("Unexpected \"%c\" character.", peek(r)));
    return element_add(r, str_slice(strbuf_view(&buf), 0, keep), was_quoted);
}

/* What stands in a level stands there throughout: elements or levels. */
static bool kind_check(const ArrayReader *r, int32_t before, bool had_levels)
{
    const char c = peek(r);
    if (before == 0 || (c == '{') == had_levels || r->at >= r->text.length)
        return true;
    if (c == '{' || c == '\\' || c == ',' || c == '}')
        return malformed(r, fmt("Unexpected \"%c\" character.", c));
    return malformed(r, STR("Unexpected array element."));
}

/* At a "{": reads to its "}" and checks the length of this dimension. */
static bool level_read(ArrayReader *r, int level)
{
    int32_t count = 0;
    bool had_levels = false;
    if (level >= ARRAY_MAX_DIMENSIONS)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("number of array dimensions (%d) exceeds the maximum allowed (%d)",
                            level + 1, ARRAY_MAX_DIMENSIONS));
    r->at++;
    TRY(skip_space(r));
    if (peek(r) == '}' && r->at < r->text.length && level == 0) {
        r->at++;
        return true;
    }
    for (;; count++) {
        CHECK_INTERRUPTS();
        TRY(skip_space(r));
        TRY(kind_check(r, count, had_levels));
        had_levels = peek(r) == '{';
        if (had_levels) {
            if (r->has_elements && level + 1 >= r->depth)
                return malformed(r,
                                 STR("Multidimensional arrays must have sub-arrays with matching "
                                     "dimensions."));
            TRY(level_read(r, level + 1));
        } else {
            if (r->has_elements && level + 1 != r->depth)
                return malformed(r,
                                 STR("Multidimensional arrays must have sub-arrays with matching "
                                     "dimensions."));
            r->has_elements = true;
            r->depth = level + 1;
            TRY(element_read(r));
        }
        TRY(skip_space(r));
        if (r->at >= r->text.length)
            return malformed(r, STR("Unexpected end of input."));
        const char c = r->text.data[r->at++];
        if (c == '}')
            break;
        if (c != ',')
            return malformed(r, c == '{' ? STR("Unexpected \"{\" character.")
                                         : STR("Unexpected array element."));
    }
    count++;
    if (r->is_known[level] && r->lengths[level] != count)
        return malformed(r, STR("Multidimensional arrays must have sub-arrays with matching "
                                "dimensions."));
    r->is_known[level] = true;
    r->lengths[level] = count;
    return true;
}

static Oid element_of(const TypeIo *io)
{
    return io->type->element ? io->type->element : TYPE_TEXT;
}

bool array_input(const TypeIo *io, Str text, Value *ret)
{
    int32_t lengths[ARRAY_MAX_DIMENSIONS];
    int32_t lowers[ARRAY_MAX_DIMENSIONS] = {1, 1, 1, 1, 1, 1};
    int given;
    const BuiltinType *element = type_require(element_of(io));
    TRY(element);
    if (io->type->oid == TYPE_ANYARRAY)
        return pseudo_input(io, text, ret);
    ArrayReader r = {
        .io = io, .text = text, .element_io = {io->arena, element, element->oid, io->typmod}};

    array_builder_init(&r.builder, io->arena, element->oid);
    TRY(bounds_read(&r, lengths, lowers, &given));
    TRY(skip_space(&r));
    if (peek(&r) != '{')
        return malformed(&r, given ? STR("Array contents must start with \"{\".")
                                   : STR("Array value must start with \"{\" or dimension "
                                         "information."));
    r.shown_from = r.at;
    TRY(level_read(&r, 0));
    TRY(skip_space(&r));
    if (r.at < text.length)
        return malformed(&r, STR("Junk after closing right brace."));
    r.shown_from = 0;
    if (given > 0) {
        if (given != r.depth)
            return malformed(&r, STR("Specified array dimensions do not match array contents."));
        for (int i = 0; i < given; i++)
            if (lengths[i] != r.lengths[i])
                return malformed(&r,
                                 STR("Specified array dimensions do not match array contents."));
    }
    return array_builder_finish_shape(&r.builder, r.depth, r.lengths, lowers, ret);
}

static bool needs_quotes(Str s, char delimiter, bool *ret)
{
    *ret = s.length == 0 || str_equal_nocase(s, STR("null"));
    for (size_t i = 0; i < s.length && !*ret; i++) {
        const char c = s.data[i];
        CHECK_INTERRUPTS_EACH(i);
        *ret = c == '"' || c == '\\' || c == '{' || c == '}' || c == delimiter || is_space(c);
    }
    return true;
}

static bool append_quoted(Str s, StrBuf *out)
{
    strbuf_append_char(out, '"');
    for (size_t i = 0; i < s.length; i++) {
        CHECK_INTERRUPTS_EACH(i);
        if (s.data[i] == '"' || s.data[i] == '\\')
            strbuf_append_char(out, '\\');
        strbuf_append_char(out, s.data[i]);
    }
    strbuf_append_char(out, '"');
    return true;
}

typedef struct ArrayWriter {
    const ArrayView *view;
    TypeIo io;
    StrBuf *out;
    int index;
    StrBuf element;
} ArrayWriter;

static bool element_write(ArrayWriter *w)
{
    Value value;
    bool is_null, is_special;
    array_element(w->view, w->index++, &value, &is_null);
    if (is_null) {
        strbuf_append_c(w->out, "NULL");
        return true;
    }
    strbuf_truncate(&w->element, 0);
    TRY(w->io.type->output(&w->io, &value, &w->element));
    const Str text = strbuf_view(&w->element);
    TRY(needs_quotes(text, ',', &is_special));
    return is_special ? append_quoted(text, w->out) : pace_append(w->out, text);
}

static bool level_write(ArrayWriter *w, int level)
{
    strbuf_append_char(w->out, '{');
    for (int i = 0; i < w->view->lengths[level]; i++) {
        CHECK_INTERRUPTS_EACH(i);
        if (i > 0)
            strbuf_append_char(w->out, ',');
        if (level + 1 < w->view->dimension_count)
            TRY(level_write(w, level + 1));
        else
            TRY(element_write(w));
    }
    strbuf_append_char(w->out, '}');
    return true;
}

bool array_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    ArrayView view;
    TRY(array_open(value, &view));
    const BuiltinType *element = type_require(view.element_type);
    TRY(element);
    if (view.count == 0) {
        strbuf_append_c(out, "{}");
        return true;
    }
    bool is_plain = true;
    for (int i = 0; i < view.dimension_count; i++)
        is_plain &= view.lowers[i] == 1;
    if (!is_plain) {
        for (int i = 0; i < view.dimension_count; i++)
            strbuf_format(out, "[%d:%d]", view.lowers[i], view.lowers[i] + view.lengths[i] - 1);
        strbuf_append_char(out, '=');
    }
    ArrayWriter w = {.view = &view,
                     .out = out,
                     .element = strbuf_in(out->arena),
                     .io = {out->arena, element, element->oid, -1}};
    const bool ok = level_write(&w, 0);
    if (!out->arena)
        strbuf_deinit(&w.element);
    return ok;
}

bool array_receive(const TypeIo *io, Str bytes, Value *ret)
{
    int32_t lengths[ARRAY_MAX_DIMENSIONS] = {0}, lowers[ARRAY_MAX_DIMENSIONS] = {0};
    if (bytes.length < 12)
        FAIL(ERR_PROTOCOL_VIOLATION, .message = STR("insufficient data left in message"));
    const uint32_t dimensions = get_be32(bytes.data);
    const Oid given = get_be32(bytes.data + 8);
    const BuiltinType *element = type_require(given);
    TRY(element);
    if (dimensions > ARRAY_MAX_DIMENSIONS)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("number of array dimensions (%d) exceeds the maximum allowed (%d)",
                            (int)dimensions, ARRAY_MAX_DIMENSIONS));
    if (io->type->element && given != io->type->element)
        FAIL(ERR_DATATYPE_MISMATCH,
             .message = fmt(
                 "binary data has array element type %u (%s) instead of expected %u (%s)", given,
                 element->sql_name, io->type->element, builtin_type(io->type->element)->sql_name));
    size_t at = 12;
    int64_t count = dimensions > 0;
    for (uint32_t i = 0; i < dimensions; i++, at += 8) {
        if (bytes.length < at + 8)
            FAIL(ERR_PROTOCOL_VIOLATION, .message = STR("insufficient data left in message"));
        lengths[i] = (int32_t)get_be32(bytes.data + at);
        lowers[i] = (int32_t)get_be32(bytes.data + at + 4);
        count *= lengths[i];
        if (lengths[i] < 0 || count > ARRAY_MAX_ELEMENTS)
            FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
                 .message = fmt("array size exceeds the maximum allowed (%d)", ARRAY_MAX_ELEMENTS));
    }
    ArrayBuilder b;
    const TypeIo element_io = {io->arena, element, given, io->typmod};
    array_builder_init(&b, io->arena, given);
    for (int64_t i = 0; i < count; i++) {
        Value value = {0};
        CHECK_INTERRUPTS_EACH(i);
        if (bytes.length < at + 4)
            FAIL(ERR_PROTOCOL_VIOLATION, .message = STR("insufficient data left in message"));
        const int32_t size = (int32_t)get_be32(bytes.data + at);
        at += 4;
        if (size < -1 || (size > 0 && bytes.length < at + (size_t)size))
            FAIL(ERR_PROTOCOL_VIOLATION, .message = STR("insufficient data left in message"));
        if (size >= 0) {
            TRY(element->receive(&element_io, str_slice(bytes, at, (size_t)size), &value));
            at += (size_t)size;
        }
        array_builder_add(&b, &value, size < 0);
    }
    return array_builder_finish_shape(&b, (int)dimensions, lengths, lowers, ret);
}

bool array_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    ArrayView view;
    TRY(array_open(value, &view));
    const BuiltinType *element = type_require(view.element_type);
    TRY(element);
    const TypeIo element_io = {out->arena, element, view.element_type, -1};
    put_be32(out, (uint32_t)view.dimension_count);
    put_be32(out, view.has_nulls);
    put_be32(out, view.element_type);
    for (int i = 0; i < view.dimension_count; i++) {
        put_be32(out, (uint32_t)view.lengths[i]);
        put_be32(out, (uint32_t)view.lowers[i]);
    }
    for (int i = 0; i < view.count; i++) {
        Value v;
        bool is_null;
        CHECK_INTERRUPTS_EACH(i);
        array_element(&view, i, &v, &is_null);
        if (is_null) {
            put_be32(out, UINT32_MAX);
            continue;
        }
        const size_t at = out->length;
        put_be32(out, 0);
        TRY(element->send(&element_io, &v, out));
        const uint32_t size = __builtin_bswap32((uint32_t)(out->length - at - 4));
        memcpy(out->data + at, &size, 4);
    }
    return true;
}

/* oidvector, int2vector: numbers parted by blanks; lower bound 0. */
static bool vector_read(const TypeIo *io, Str text, Oid element, Value *ret)
{
    ArrayBuilder b;
    array_builder_init(&b, io->arena, element);
    for (size_t at = 0; at < text.length;) {
        CHECK_INTERRUPTS();
        if (is_space(text.data[at])) {
            at++;
            continue;
        }
        size_t end = at;
        while (end < text.length && !is_space(text.data[end]))
            end++;
        Value value;
        TRY(type_input(io->arena, element, -1, str_slice(text, at, end - at), &value));
        array_builder_add(&b, &value, false);
        at = end;
    }
    const int32_t length = b.count, lower = 0;
    return array_builder_finish_shape(&b, 1, &length, &lower, ret);
}

static bool vector_write(const Value *value, StrBuf *out)
{
    ArrayView view;
    TRY(array_open(value, &view));
    for (int i = 0; i < view.count; i++) {
        Value v;
        bool is_null;
        array_element(&view, i, &v, &is_null);
        if (i > 0)
            strbuf_append_char(out, ' ');
        strbuf_append_int64(out, view.element_type == TYPE_OID ? (int64_t)v.oid : v.int16);
    }
    return true;
}

bool oidvector_input(const TypeIo *io, Str text, Value *ret)
{
    return vector_read(io, text, TYPE_OID, ret);
}

bool oidvector_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    return vector_write(value, out);
}

bool oidvector_receive(const TypeIo *io, Str bytes, Value *ret)
{
    return array_receive(io, bytes, ret);
}

bool oidvector_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return array_send(io, value, out);
}

bool int2vector_input(const TypeIo *io, Str text, Value *ret)
{
    return vector_read(io, text, TYPE_INT2, ret);
}

bool int2vector_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    return vector_write(value, out);
}

bool int2vector_receive(const TypeIo *io, Str bytes, Value *ret)
{
    return array_receive(io, bytes, ret);
}

bool int2vector_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    return array_send(io, value, out);
}
