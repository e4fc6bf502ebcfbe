/* What the two directions of COPY share. */
#ifndef EXECUTOR_COMMAND_COPY_INTERNAL_H
#define EXECUTOR_COMMAND_COPY_INTERNAL_H

#include "executor/command/copy.h"
#include "executor/command/ddl_internal.h"
#include "protocol/copy_format.h"

typedef struct CopyJob {
    CommandContext *context;
    const CopyStmt *statement;
    CopyChannel *channel;
    CopyFormat format;
    const RelationDesc *relation; /* NULL: COPY (query) TO */
    const ColumnDesc **columns;   /* named or all live ones, in order */
    uint32_t column_count;
    uint64_t row_count;
    /* Options as written: columns they name are looked up when the columns are known. */
    const DefElem *force_quote, *force_not_null, *force_null;
    int file_encoding;   /* as ENCODING says; -1: it does not */
    int binary_encoding; /* of texts in the binary form; 0: they are as they are here */
    bool freeze; /* all see the rows at once: in tables that nobody else sees yet, all there is */
} CopyJob;

/* FORCE_… (columns) or * as a flag for each column. */
MUST_CHECK bool copy_column_flags(const CopyJob *job, const DefElem *option, const Str *names,
                                  uint32_t count, const bool **ret_flags);
MUST_CHECK bool copy_from(CopyJob *job);
MUST_CHECK bool copy_to(CopyJob *job);

#endif
