/* Helpers over the os table, the same for every implementation. */
#include "base/os.h"

#include "base/arena.h"
#include "base/error.h"

Str path_join(Arena *arena, Str directory, Str name)
{
    bool slash = directory.length > 0 && directory.data[directory.length - 1] == '/';

    return str_format(arena, "%.*s%s%.*s", STR_ARGS(directory), slash ? "" : "/", STR_ARGS(name));
}

static void file_closep(File **file)
{
    if (*file)
        os->file_close(*file);
}

bool os_read_file(Arena *arena, Str path, size_t limit, Str *ret_content)
{
    CLEANUP(file_closep) File *file = os->file_open(path, OS_READ_ONLY);
    uint64_t size;

    TRY(file);
    TRY(os->file_size(file, &size));
    if (size > limit)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED,
             .message = fmt("file \"%.*s\" is larger than %zu bytes", STR_ARGS(path), limit));
    char *content = arena_alloc(arena, size + 1);
    TRY(os->file_read(file, content, size, 0));
    content[size] = '\0';
    *ret_content = str_make(content, size);
    return true;
}

static Str directory_of(Str path)
{
    for (size_t i = path.length; i > 0; i--)
        if (path.data[i - 1] == '/')
            return i == 1 ? str_slice(path, 0, 1) : str_slice(path, 0, i - 1);
    return STR(".");
}

bool os_replace_file(Str path, Str content)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("replace file");
    Str temporary = str_format(arena, "%.*s.new", STR_ARGS(path));
    CLEANUP(file_closep)
    File *file = os->file_open(temporary, OS_CREATE | OS_TRUNCATE);

    TRY(file);
    TRY(os->file_write(file, content.data, content.length, 0));
    TRY(os->file_sync(file));
    TRY(os->rename(temporary, path));
    return os->sync_directory(directory_of(path));
}
