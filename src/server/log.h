/*
 * The server's log: lines with a level and a prefix, to stderr or to rotated files.
 *
 * log_message may be called from any thread. Text is put together by the caller's thread and handed
 * to the file under one short mutex. log_destination stderr, logging_collector, log_directory,
 * log_filename (strftime), log_rotation_age and _size, log_line_prefix, log_min_messages are
 * PostgreSQL's settings and mean what they mean there.
 */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include "base/error.h"

/* `directory`: what log_directory is relative to. */
MUST_CHECK bool log_open(Str directory);
void log_close(void);
/* A new file with the next line: SIGHUP and pg_rotate_logfile. */
void log_rotate(void);

/* A line of its own: "LOG:  database system is ready". */
void log_message(Severity severity, const char *format, ...) PRINTF_LIKE(2, 3);
/* An error or notice with its detail, hint, context and, at ERROR and above, its statement. */
void log_fields(const ErrorFields *fields, Str statement);
/* Would a line of this severity be written? */
bool log_wants(Severity severity);

#endif
