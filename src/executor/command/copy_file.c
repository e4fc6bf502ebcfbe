#include "executor/command/copy_file.h"

#include <stdio.h>

#include "base/settings.h"
#include "executor/command/ddl_internal.h"

#define BUFFER_SIZE ((size_t)256 * 1024)

typedef struct FileJob {
    CopyFile *file;
    size_t count; /* bytes to write, or read */
    bool is_read;
    bool ok;
    SqlState sqlstate; /* of a failure: it happens on another task */
    char message[300];
} FileJob;

/* On a helper thread. */
static void job_run(void *argument)
{
    FileJob *job = argument;
    CopyFile *file = job->file;

    job->ok = job->is_read ? os->file_read_some(file->file, file->buffer, BUFFER_SIZE, file->offset,
                                                &job->count)
                           : os->file_write(file->file, file->buffer, job->count, file->offset);
    if (!job->ok) {
        const ErrorFields *error = error_fields();
        job->sqlstate = error->sqlstate;
        snprintf(job->message, sizeof(job->message), "%.*s", STR_ARGS(error->message));
        error_clear();
    }
}

static bool job_wait(FileJob *job)
{
    task_offload(job_run, job,
                 job->is_read ? WAIT_EVENT_COPY_FILE_READ : WAIT_EVENT_COPY_FILE_WRITE);
    if (!job->ok)
        FAIL(job->sqlstate, .message = str_from_c(job->message));
    job->file->offset += job->count;
    return true;
}

static bool begin(CopyChannel *channel, bool is_binary, uint32_t column_count)
{
    return true;
}

static bool read_data(CopyChannel *channel, Str *ret_data, bool *ret_end)
{
    CopyFile *file = (CopyFile *)channel;
    FileJob job = {.file = file, .is_read = true};

    TRY(job_wait(&job));
    *ret_end = job.count == 0;
    *ret_data = str_make(file->buffer, job.count);
    return true;
}

static bool flush(CopyFile *file)
{
    FileJob job = {.file = file, .count = file->length};

    file->length = 0;
    return job.count == 0 || job_wait(&job);
}

static bool write_data(CopyChannel *channel, Str data)
{
    CopyFile *file = (CopyFile *)channel;

    while (data.length > 0) {
        const size_t part = MIN(data.length, BUFFER_SIZE - file->length);
        memcpy(file->buffer + file->length, data.data, part);
        file->length += part;
        data = str_slice(data, part, data.length - part);
        TRY(file->length < BUFFER_SIZE || flush(file));
    }
    return true;
}

static bool end_out(CopyChannel *channel)
{
    return flush((CopyFile *)channel);
}

bool copy_file_check_role(CommandContext *context, bool is_from)
{
    CatalogSession *catalog = ddl_catalog(context);
    const Oid role = is_from ? ROLE_PG_READ_SERVER_FILES : ROLE_PG_WRITE_SERVER_FILES;

    if (role_has_privileges_of(catalog, catalog->current_user, role))
        return true;
    FAIL(ERR_INSUFFICIENT_PRIVILEGE,
         .message = fmt("must be superuser or have privileges of the %s role to COPY %s a file",
                        is_from ? "pg_read_server_files" : "pg_write_server_files",
                        is_from ? "from" : "to"),
         .hint = STR("Anyone can COPY to stdout or from stdin. psql's \\copy command also works "
                     "for anyone."));
}

/* The seam's error for `path` in the words of COPY. */
static bool fail_open(Arena *arena, Str path, bool is_from)
{
    const SqlState state = error_fields()->sqlstate;
    const Str message = str_copy(arena, error_fields()->message);
    const size_t reason = str_find(message, STR("\": "), 0);

    FAIL(state,
         .message =
             fmt("could not open file \"%.*s\" for %s: %.*s", STR_ARGS(path),
                 is_from ? "reading" : "writing",
                 STR_ARGS(reason == SIZE_MAX ? message
                                             : str_slice(message, reason + 3, message.length))),
         .hint = state != ERR_UNDEFINED_FILE && state != ERR_INSUFFICIENT_PRIVILEGE ? STR_NONE
                 : is_from
                     ? STR("COPY FROM instructs the PostgreSQL server process to read a file. You "
                           "may want a client-side facility such as psql's \\copy.")
                     : STR("COPY TO instructs the PostgreSQL server process to write a file. You "
                           "may want a client-side facility such as psql's \\copy."));
}

/* A directory can be opened, but not read. */
static bool first_read(CopyFile *file, Str path)
{
    size_t count;

    if (os->file_read_some(file->file, file->buffer, 1, 0, &count))
        return true;
    if (error_fields()->sqlstate == ERR_WRONG_OBJECT_TYPE)
        FAIL(ERR_WRONG_OBJECT_TYPE, .message = fmt("\"%.*s\" is a directory", STR_ARGS(path)));
    return false;
}

bool copy_file_open(CopyFile *file, CommandContext *context, Str path, bool is_from)
{
    const bool is_relative = path.length == 0 || path.data[0] != '/';
    Str place = path;

    *file = (CopyFile){.channel = {.begin_in = begin,
                                   .read = read_data,
                                   .begin_out = begin,
                                   .write = write_data,
                                   .end_out = end_out}};
    if (is_relative && !is_from)
        FAIL(ERR_INVALID_NAME, .message = STR("relative path not allowed for COPY to file"));
    if (is_relative)
        place = path_join(context->arena, settings_default.data_directory, path);
    file->file = os->file_open(place, is_from ? OS_READ_ONLY : OS_CREATE | OS_TRUNCATE | OS_SHARED);
    if (!file->file)
        return fail_open(context->arena, path, is_from);
    file->buffer = arena_alloc(context->arena, BUFFER_SIZE);
    if (is_from && !first_read(file, path)) {
        os->file_close(file->file);
        return false;
    }
    return true;
}

bool copy_file_close(CopyFile *file, bool ok)
{
    ok = ok && flush(file);
    os->file_close(file->file);
    return ok;
}
