/*
 * COPY: rows between a table or query and a stream of bytes.
 *
 * The stream is the client's (STDIN, STDOUT) through the CopyChannel that the session gives, or a
 * file on the server's machine for superusers. Forms and their messages: protocol/copy_format.h.
 */
#ifndef EXECUTOR_COMMAND_COPY_H
#define EXECUTOR_COMMAND_COPY_H

#include "executor/command/ddl.h"

typedef struct CopyChannel CopyChannel;
struct CopyChannel {
    /* CopyInResponse; then data until *ret_end. What read gives is borrowed until the next call. */
    bool (*begin_in)(CopyChannel *channel, bool is_binary, uint32_t column_count);
    bool (*read)(CopyChannel *channel, Str *ret_data, bool *ret_end);
    bool (*would_wait)(CopyChannel *channel); /* would read wait for a client? NULL: never */
    /* CopyOutResponse; rows, each whole; CopyDone. */
    bool (*begin_out)(CopyChannel *channel, bool is_binary, uint32_t column_count);
    bool (*write)(CopyChannel *channel, Str data);
    bool (*end_out)(CopyChannel *channel);
};

MUST_CHECK bool copy_execute(CommandContext *context, const CopyStmt *statement,
                             CopyChannel *channel, Str *ret_tag);

#endif
