/*
 * COPY's stream in another encoding: a channel around a channel.
 *
 *   CopyConverter converter;
 *   copy_converter_init(&converter, channel, encoding);
 *   … &converter.channel …
 *   copy_converter_deinit(&converter);
 *
 * What comes is decoded as it comes, before lines are found in it: second bytes may look like
 * ASCII. Text before a faulty character is given first, so that its lines are told apart from it.
 */
#ifndef EXECUTOR_COMMAND_COPY_CONVERT_H
#define EXECUTOR_COMMAND_COPY_CONVERT_H

#include "executor/command/copy.h"

typedef struct CopyConverter {
    CopyChannel channel; /* first */
    CopyChannel *inner;
    int encoding;
    bool is_faulty; /* what `rest` begins with is no character */
    StrBuf text;    /* heap; what was converted last */
    StrBuf rest;    /* heap; bytes that have come and are not converted */
} CopyConverter;

void copy_converter_init(CopyConverter *converter, CopyChannel *inner, int encoding);
void copy_converter_deinit(CopyConverter *converter);

#endif
