#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/error_record.h"
#include "base/memory.h"
#include "base/task.h"

#define FMT_SLOTS 8
#define FMT_SLOT_FIRST_SIZE 256
#define FMT_SLOT_SURE_SIZE ((size_t)32768) /* a longer text is cut where memory is short */

struct ErrorRecord {
    Arena *arena;
    ErrorFields fields;
    bool is_set;
    uint32_t interrupts; /* taken for it; 0 unless is_set */
    /* Messages being put together, used in turn. */
    char *slots[FMT_SLOTS];
    size_t slot_sizes[FMT_SLOTS];
    unsigned next_slot;
};

static ErrorRecord *record_current(void)
{
    Task *task = task_current();

    if (!task->error) {
        task->error = memory_must_calloc(1, sizeof(ErrorRecord));
        task->error->arena = arena_new("error");
    }
    return task->error;
}

void error_record_free(ErrorRecord *record)
{
    if (!record)
        return;
    for (size_t i = 0; i < FMT_SLOTS; i++)
        memory_free(record->slots[i]);
    arena_free(record->arena);
    memory_free(record);
}

ErrorRecord *error_put_aside(void)
{
    Task *task = task_current();
    ErrorRecord *record = task->error;

    task->error = NULL;
    return record;
}

void error_put_back(ErrorRecord *record)
{
    Task *task = task_current();

    error_clear();
    error_record_free(task->error);
    task->error = record;
}

bool error_is_set(void)
{
    const Task *task = task_current();
    return task->error && task->error->is_set;
}

const ErrorFields *error_fields(void)
{
    assert(error_is_set());
    return &task_current()->error->fields;
}

/* Where there is no memory for a long one, its first part. */
static Str text_copy(Arena *arena, Str text)
{
    if (unlikely(text.length > FMT_SLOT_SURE_SIZE)) {
        void *room = memory_malloc(text.length);
        text.length = room ? text.length : FMT_SLOT_SURE_SIZE;
        memory_free(room);
    }
    return str_copy(arena, text);
}

void error_set(const ErrorFields *fields)
{
    ErrorRecord *record = record_current();
    ErrorFields copy = *fields;
    Str *texts[] = {&copy.message,     &copy.detail,         &copy.detail_log,     &copy.hint,
                    &copy.context,     &copy.internal_query, &copy.schema_name,    &copy.table_name,
                    &copy.column_name, &copy.type_name,      &copy.constraint_name};

    assert(!task_current()->in_action); /* nothing fails inside an action */
    /* Fields may be views of the error that is being replaced, so its arena is freed last. */
    Arena *old_arena = record->arena;
    record->arena = arena_new("error");
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        *texts[i] = text_copy(record->arena, *texts[i]);
    arena_free(old_arena);
    record->fields = copy;
    record->is_set = true;
}

void error_add_interrupts(uint32_t interrupts)
{
    ErrorRecord *record = record_current();

    assert(record->is_set);
    record->interrupts |= interrupts;
}

static void record_reset(ErrorRecord *record)
{
    record->is_set = false;
    record->interrupts = 0;
    arena_reset(record->arena);
}

void error_clear(void)
{
    Task *task = task_current();

    if (task->error && task->error->is_set) {
        atomic_fetch_or(&task->interrupts, task->error->interrupts); /* it runs: no wake */
        record_reset(task->error);
    }
}

void error_clear_told(void)
{
    Task *task = task_current();

    if (task->error && task->error->is_set)
        record_reset(task->error);
}

void error_add_context(Str line)
{
    ErrorRecord *record = record_current();

    assert(record->is_set);
    Str old = record->fields.context;
    record->fields.context =
        old.length == 0 ? str_copy(record->arena, line)
                        : str_format(record->arena, "%.*s\n%.*s", STR_ARGS(old), STR_ARGS(line));
}

void error_set_position(int position)
{
    ErrorRecord *record = record_current();

    assert(record->is_set);
    if (record->fields.position == 0)
        record->fields.position = position;
}

/* Room for `size` bytes of text, or, where there is no memory for a long one, for less. */
static void slot_grow(ErrorRecord *record, unsigned slot, size_t size)
{
    char *grown = size > FMT_SLOT_SURE_SIZE ? memory_malloc(size) : NULL;

    if (!grown) {
        size = MIN(size, FMT_SLOT_SURE_SIZE);
        grown = memory_must(size);
    }
    memory_free(record->slots[slot]);
    record->slots[slot] = grown;
    record->slot_sizes[slot] = size;
}

Str fmt(const char *format, ...)
{
    ErrorRecord *record = record_current();
    unsigned slot = record->next_slot++ % FMT_SLOTS;
    va_list args;

    for (bool is_grown = false;; is_grown = true) {
        va_start(args, format);
        int length = vsnprintf(record->slots[slot], record->slot_sizes[slot], format, args);
        va_end(args);
        assert(length >= 0);
        if ((size_t)length < record->slot_sizes[slot])
            return str_make(record->slots[slot], (size_t)length);
        if (is_grown) /* no more was to be had */
            return str_make(record->slots[slot], record->slot_sizes[slot] - 1);
        slot_grow(record, slot, MAX((size_t)length + 1, FMT_SLOT_FIRST_SIZE));
    }
}

SqlStateText sqlstate_text(SqlState state)
{
    SqlStateText text = {0};

    for (int i = 0; i < 5; i++)
        text.text[i] = (char)('0' + (((unsigned)state >> (6 * i)) & 0x3f));
    return text;
}

void notice_send(const ErrorFields *fields)
{
    const Task *task = task_current();

    if (task->notice_handler)
        task->notice_handler(task->notice_context, fields);
}

void panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("PANIC:  ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    fflush(stderr);
    va_end(args);
    abort();
}
