#include "executor/command/copy_convert.h"

#include "types/encoding_convert.h"

static bool begin_in(CopyChannel *channel, bool is_binary, uint32_t column_count)
{
    CopyChannel *inner = ((CopyConverter *)channel)->inner;

    return inner->begin_in(inner, is_binary, column_count);
}

/* Decodes what is in `rest`, less its last `unfinished` bytes, into `text`. */
static bool decode_rest(CopyConverter *converter, size_t unfinished)
{
    StrBuf *rest = &converter->rest;
    const Str whole = str_make(rest->data, rest->length - unfinished);
    size_t done;

    converter->text.length = 0;
    if (!encoding_decode(converter->encoding, whole, &converter->text, &done)) {
        if (converter->text.length == 0)
            return false;
        error_clear(); /* it is found again when the text before it has been taken */
        converter->is_faulty = true;
    }
    memmove(rest->data, rest->data + done, rest->length - done);
    rest->length -= done;
    return true;
}

static bool read_text(CopyChannel *channel, Str *ret_data, bool *ret_end)
{
    CopyConverter *converter = (CopyConverter *)channel;
    StrBuf *rest = &converter->rest;
    Str data;

    *ret_end = false;
    if (!converter->is_faulty) {
        TRY(converter->inner->read(converter->inner, &data, ret_end));
        if (*ret_end)
            return rest->length == 0 || decode_rest(converter, 0);
        strbuf_append(rest, data);
    }
    const size_t unfinished =
        converter->is_faulty ? 0 : encoding_unfinished(converter->encoding, strbuf_view(rest));
    TRY(decode_rest(converter, unfinished));
    *ret_data = strbuf_view(&converter->text);
    return true;
}

static bool would_wait(CopyChannel *channel)
{
    CopyConverter *converter = (CopyConverter *)channel;
    CopyChannel *inner = converter->inner;

    return !converter->is_faulty && inner->would_wait && inner->would_wait(inner);
}

static bool begin_out(CopyChannel *channel, bool is_binary, uint32_t column_count)
{
    CopyChannel *inner = ((CopyConverter *)channel)->inner;

    return inner->begin_out(inner, is_binary, column_count);
}

static bool write_text(CopyChannel *channel, Str data)
{
    CopyConverter *converter = (CopyConverter *)channel;

    if (encoding_passes(data))
        return converter->inner->write(converter->inner, data);
    converter->text.length = 0;
    TRY(encoding_encode(converter->encoding, data, &converter->text));
    return converter->inner->write(converter->inner, strbuf_view(&converter->text));
}

static bool end_out(CopyChannel *channel)
{
    CopyChannel *inner = ((CopyConverter *)channel)->inner;

    return inner->end_out(inner);
}

void copy_converter_init(CopyConverter *converter, CopyChannel *inner, int encoding)
{
    *converter = (CopyConverter){
        .channel = {.begin_in = begin_in,
                    .read = read_text,
                    .would_wait = would_wait,
                    .begin_out = begin_out,
                    .write = write_text,
                    .end_out = end_out},
        .inner = inner,
        .encoding = encoding,
    };
}

void copy_converter_deinit(CopyConverter *converter)
{
    strbuf_deinit(&converter->text);
    strbuf_deinit(&converter->rest);
}
