/* Row values: text and order through the executor, whose form they have. */
#include "types/types_internal.h"

bool rowtype_input(const TypeIo *io, Str text, Value *ret)
{
    FAIL(ERR_FEATURE_NOT_SUPPORTED,
         .message = STR("input of anonymous composite types is not implemented"));
}

bool rowtype_output(const TypeIo *io, const Value *value, StrBuf *out)
{
    if (!types_hooks()->record_output)
        FAIL_UNSUPPORTED("text of row values");
    return types_hooks()->record_output(value, out);
}

bool rowtype_receive(const TypeIo *io, Str bytes, Value *ret)
{
    FAIL(ERR_FEATURE_NOT_SUPPORTED,
         .message = STR("input of anonymous composite types is not implemented"));
}

bool rowtype_send(const TypeIo *io, const Value *value, StrBuf *out)
{
    if (!types_hooks()->record_send)
        FAIL_UNSUPPORTED("binary form of row values");
    return types_hooks()->record_send(value, out);
}
