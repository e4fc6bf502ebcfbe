/*
 * COPY's stream from or to a file on the server's machine.
 *
 *   TRY(copy_file_check_role(context, true));
 *   CopyFile file;
 *   TRY(copy_file_open(&file, context, STR("/srv/rows.csv"), true));
 *   … &file.channel …
 *   TRY(copy_file_close(&file, ok));
 *
 * Reading needs the privileges of pg_read_server_files, writing those of pg_write_server_files
 * (42501). A relative path is read from the data directory and refused for writing. The file is
 * read and written on the helper threads, so that a slow disk does not hold the worker.
 */
#ifndef EXECUTOR_COMMAND_COPY_FILE_H
#define EXECUTOR_COMMAND_COPY_FILE_H

#include "base/os.h"
#include "executor/command/copy.h"

typedef struct CopyFile {
    CopyChannel channel; /* first */
    File *file;
    char *buffer;
    size_t length;   /* of what waits in the buffer to be written */
    uint64_t offset; /* where the next read or write begins */
} CopyFile;

MUST_CHECK bool copy_file_check_role(CommandContext *context, bool is_from);
MUST_CHECK bool copy_file_open(CopyFile *file, CommandContext *context, Str path, bool is_from);
/* Always, also after a failure: then `ok` is false and the rest is not written. */
MUST_CHECK bool copy_file_close(CopyFile *file, bool ok);

#endif
