/*
 * Errors and notices as PostgreSQL reports them.
 *
 * Each task has one error record. FAIL fills it and returns zero; the record stands until the
 * session sends it (or a caller that expects a failure calls error_clear: what interrupted it is
 * then pending again, see error_record.h). Text lives in the record's own arena.
 *
 *   if (!column)
 *       FAIL(ERR_UNDEFINED_COLUMN,
 *            .message = fmt("column \"%.*s\" does not exist", STR_ARGS(name)),
 *            .position = ref->position);
 *
 * SQLSTATEs come from data/sqlstates.dat (generated header base/sqlstates.h). Source of the
 * fields: PostgreSQL manual, "Error and Notice Message Fields".
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/base.h"
#include "base/sqlstates.h" /* generated: typedef enum SqlState { ERR_… = packed code } SqlState; */
#include "base/str.h"

typedef enum Severity {
    SEVERITY_ERROR = 0, /* so that FAIL need not name it */
    SEVERITY_FATAL,     /* the session ends after it */
    SEVERITY_PANIC,     /* the server ends after it */
    SEVERITY_WARNING,
    SEVERITY_NOTICE,
    SEVERITY_INFO,
    SEVERITY_LOG,
    SEVERITY_DEBUG,
} Severity;

/* What FAIL and notice_send take. Strings may be anywhere: they are copied. */
typedef struct ErrorFields {
    Severity severity;
    SqlState sqlstate;
    Str message;
    Str detail;
    Str detail_log; /* what the log has in its place: not for the client */
    Str hint;
    Str context;  /* several lines, innermost first */
    int position; /* 1-based character position in the query text; 0 is none */
    int internal_position;
    Str internal_query;
    Str schema_name, table_name, column_name, type_name, constraint_name;
    const char *file; /* where it was raised */
    int line;
    const char *function;
} ErrorFields;

typedef struct ErrorRecord ErrorRecord;

/* The current task's record: created at first use, freed with the task. */
bool error_is_set(void);
const ErrorFields *error_fields(void); /* valid until the next error_set/error_clear */
void error_set(const ErrorFields *fields);
void error_clear(void);
/* Appends a line to the context field of the error that is set ("SQL function \"f\"…"). */
void error_add_context(Str line);
/* Gives the error a position if it has none. */
void error_set_position(int position);

/* A formatted message for FAIL, in a buffer of the task's; valid until 8 more fmt calls. */
Str fmt(const char *format, ...) PRINTF_LIKE(1, 2);

#define FAIL(state, ...)                                                                           \
    do {                                                                                           \
        error_set(&(ErrorFields){.sqlstate = (state),                                              \
                                 .file = __FILE__,                                                 \
                                 .line = __LINE__,                                                 \
                                 .function = __func__,                                             \
                                 __VA_ARGS__});                                                    \
        return 0;                                                                                  \
    } while (0)

/* For functions whose failure value is not 0, and for code that goes on after recording. */
#define ERROR_SET(state, ...)                                                                      \
    error_set(&(ErrorFields){.sqlstate = (state),                                                  \
                             .file = __FILE__,                                                     \
                             .line = __LINE__,                                                     \
                             .function = __func__,                                                 \
                             __VA_ARGS__})

/* Refuses what we do not support: 0A000 "<feature> is not supported". */
#define FAIL_UNSUPPORTED(feature)                                                                  \
    FAIL(ERR_FEATURE_NOT_SUPPORTED, .message = fmt("%s is not supported", (feature)))

/* The five characters of a code, NUL-terminated. */
typedef struct SqlStateText {
    char text[6];
} SqlStateText;
SqlStateText sqlstate_text(SqlState state);

/*
 * Notices go to the client of the current task's session through the handler that the session
 * installed (task.h); without one they are dropped.
 */
void notice_send(const ErrorFields *fields);
#define NOTICE(severity_, state, ...)                                                              \
    notice_send(&(ErrorFields){.severity = (severity_),                                            \
                               .sqlstate = (state),                                                \
                               .file = __FILE__,                                                   \
                               .line = __LINE__,                                                   \
                               .function = __func__,                                               \
                               __VA_ARGS__})

/* Says what cannot go on, on stderr and in the log, and aborts: lost durability, torn memory. */
NORETURN void panic(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
