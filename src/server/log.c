#include "server/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/os.h"
#include "base/settings.h"
#include "base/sync.h"
#include "protocol/hba.h"
#include "server/session.h"
#include "server/view_rows.h"
#include "types/datetime.h"

#define LOG_PATH_MAX 1024

static struct {
    Mutex mutex; /* rank LOG */
    Str directory;
    Arena *arena;
    int fd GUARDED_BY(mutex);            /* -1: stderr */
    int64_t opened_at GUARDED_BY(mutex); /* wall clock, microseconds */
    uint64_t size GUARDED_BY(mutex);
    char path[LOG_PATH_MAX] GUARDED_BY(mutex); /* of fd */
    bool rotation_wanted GUARDED_BY(mutex);
    _Atomic int64_t first_line_at; /* wall clock; where no session is: %s and %c; 0: none yet */
    _Atomic uint64_t own_lines;    /* those of the server itself: %l */
} log_file = {.mutex = MUTEX_INIT(RANK_LOG), .fd = -1};

static const char *const severity_labels[] = {
    [SEVERITY_ERROR] = "ERROR",     [SEVERITY_FATAL] = "FATAL",   [SEVERITY_PANIC] = "PANIC",
    [SEVERITY_WARNING] = "WARNING", [SEVERITY_NOTICE] = "NOTICE", [SEVERITY_INFO] = "INFO",
    [SEVERITY_LOG] = "LOG",         [SEVERITY_DEBUG] = "DEBUG",
};

/* How log_min_messages ranks severities: LOG is above ERROR there. */
static int log_rank(Severity severity)
{
    switch (severity) {
    case SEVERITY_DEBUG:
        return LOG_MIN_MESSAGES_DEBUG1;
    case SEVERITY_INFO:
        return LOG_MIN_MESSAGES_INFO;
    case SEVERITY_NOTICE:
        return LOG_MIN_MESSAGES_NOTICE;
    case SEVERITY_WARNING:
        return LOG_MIN_MESSAGES_WARNING;
    case SEVERITY_ERROR:
        return LOG_MIN_MESSAGES_ERROR;
    case SEVERITY_LOG:
        return LOG_MIN_MESSAGES_LOG;
    case SEVERITY_FATAL:
        return LOG_MIN_MESSAGES_FATAL;
    case SEVERITY_PANIC:
        return LOG_MIN_MESSAGES_PANIC;
    }
    return LOG_MIN_MESSAGES_PANIC;
}

bool log_wants(Severity severity)
{
    return log_rank(severity) >= settings()->log_min_messages;
}

static void write_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        const ssize_t put = write(fd, text, length);
        if (put < 0 && errno != EINTR)
            return; /* a full disk, or nobody reads: there is no other place to say so */
        if (put > 0) {
            text += put;
            length -= (size_t)put;
        }
    }
}

/* In the old file, or on stderr: once for each attempt. */
static void tell_open_failure(const char *path) REQUIRES(log_file.mutex)
{
    char text[1200];
    const int length = snprintf(text, sizeof(text), "LOG:  could not open log file \"%s\": %s\n",
                                path, strerror(errno));

    write_all(log_file.fd >= 0 ? log_file.fd : STDERR_FILENO, text,
              MIN((size_t)length, sizeof(text) - 1));
}

/* Opens the file that log_filename names now. */
static void file_open(void) REQUIRES(log_file.mutex)
{
    char name[256], path[LOG_PATH_MAX];
    time_t now = (time_t)(os->wall_clock() / 1000000);
    struct tm parts;
    Str pattern = settings_default.log_filename, directory = settings_default.log_directory;
    bool is_absolute = directory.length > 0 && directory.data[0] == '/';

    localtime_r(&now, &parts);
    char format[128];
    snprintf(format, sizeof(format), "%.*s", STR_ARGS(pattern));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (strftime(name, sizeof(name), format, &parts) == 0)
        snprintf(name, sizeof(name), "sengi.log");
#pragma GCC diagnostic pop
    snprintf(path, sizeof(path), "%.*s%s%.*s/%s",
             STR_ARGS(is_absolute ? STR("") : log_file.directory), is_absolute ? "" : "/",
             STR_ARGS(directory), name);
    /* Truncation is for names that come round again, never for the file in use. */
    const bool truncates = settings_default.log_truncate_on_rotation && log_file.fd >= 0 &&
                           strcmp(path, log_file.path) != 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (truncates ? O_TRUNC : 0),
                  (mode_t)settings_default.log_file_mode);
    struct stat facts;
    log_file.opened_at = os->wall_clock();
    if (fd < 0) {
        tell_open_failure(path);
        return; /* stderr, or the old file, serves on */
    }
    if (log_file.fd >= 0)
        close(log_file.fd);
    log_file.fd = fd;
    log_file.size = fstat(fd, &facts) == 0 ? (uint64_t)facts.st_size : 0;
    snprintf(log_file.path, sizeof(log_file.path), "%s", path);
}

bool log_open(Str directory)
{
    log_file.arena = arena_new("log");
    log_file.directory = str_copy(log_file.arena, directory);
    if (!settings_default.logging_collector)
        return true;
    Str logs = settings_default.log_directory;
    if (logs.length > 0 && logs.data[0] != '/')
        logs = path_join(log_file.arena, directory, logs);
    if (!os->exists(logs))
        TRY(os->make_directory(logs));
    mutex_lock(&log_file.mutex);
    file_open();
    mutex_unlock(&log_file.mutex);
    return true;
}

void log_close(void)
{
    mutex_lock(&log_file.mutex);
    if (log_file.fd >= 0)
        close(log_file.fd);
    log_file.fd = -1;
    mutex_unlock(&log_file.mutex);
    arena_free(log_file.arena);
    log_file.arena = NULL;
}

void log_rotate(void)
{
    mutex_lock(&log_file.mutex);
    log_file.rotation_wanted = true;
    mutex_unlock(&log_file.mutex);
}

static bool rotation_is_due(void) REQUIRES(log_file.mutex)
{
    int64_t age = settings_default.log_rotation_age * 60 * 1000000; /* minutes */
    uint64_t size = (uint64_t)settings_default.log_rotation_size * 1024;

    return log_file.fd >= 0 && (log_file.rotation_wanted || (size > 0 && log_file.size >= size) ||
                                (age > 0 && os->wall_clock() - log_file.opened_at >= age));
}

static void write_text(Str text)
{
    mutex_lock(&log_file.mutex);
    if (rotation_is_due()) {
        log_file.rotation_wanted = false;
        file_open();
    }
    write_all(log_file.fd >= 0 ? log_file.fd : STDERR_FILENO, text.data, text.length);
    log_file.size += text.length;
    mutex_unlock(&log_file.mutex);
}

/* log_timezone is the server's, so that lines of all sessions compare. */
static void put_time(StrBuf *out, int64_t when, bool with_milliseconds)
{
    const TimeZone *zone = timezone_find(settings_default.log_timezone);
    Str abbreviation = STR("UTC");
    int32_t offset = 0;
    struct tm parts;
    char text[64];

    if (zone)
        offset = timezone_offset_at(zone, when - WALL_CLOCK_2000, &abbreviation, NULL);
    const time_t seconds = (time_t)(when / 1000000 + offset);
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
    strbuf_append_c(out, text);
    if (with_milliseconds)
        strbuf_format(out, ".%03d", (int)(when / 1000 % 1000));
    strbuf_format(out, " %.*s", STR_ARGS(abbreviation));
}

static int64_t process_started_at(const Session *session)
{
    int64_t none = 0;

    if (session)
        return session->connected_at;
    (void)atomic_compare_exchange_strong(&log_file.first_line_at, &none, os->wall_clock());
    return atomic_load(&log_file.first_line_at);
}

/* Lines are counted by session, and those of the server itself by themselves: %l. */
static uint64_t line_number(const Session *session)
{
    return (session ? session->log_line_count : atomic_load(&log_file.own_lines)) + 1;
}

static void count_line(void)
{
    Session *session = task_current()->session;

    if (session)
        session->log_line_count++;
    else
        atomic_fetch_add(&log_file.own_lines, 1);
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void put_remote(StrBuf *out, const Session *session, bool with_port)
{
    if (!session)
        return;
    strbuf_append(out, session->client_address);
    if (with_port && !session->connection.is_local)
        strbuf_format(out, "(%d)",
                      address_port((const struct sockaddr *)&session->connection.address));
}

/* One escape of log_line_prefix, as PostgreSQL has them. */
static void put_escape(StrBuf *out, char escape, const Session *session, SqlState state)
{
    const int pid = session ? session->exec.backend_pid : getpid();
    const int64_t now = os->wall_clock();

    switch (escape) {
    case 'a':
        strbuf_append(out, session ? settings()->application_name : STR(""));
        break;
    case 'u':
        strbuf_append(out, session ? session->user_name : STR(""));
        break;
    case 'd':
        strbuf_append(out, session ? session->database_name : STR(""));
        break;
    case 'r':
    case 'h':
        put_remote(out, session, escape == 'r');
        break;
    case 'b':
        strbuf_append_c(out, session ? "client backend" : "postmaster");
        break;
    case 'p':
        strbuf_append_int64(out, pid);
        break;
    case 't':
    case 'm':
        put_time(out, now, escape == 'm');
        break;
    case 'n':
        strbuf_format(out, "%lld.%03d", (long long)(now / 1000000), (int)(now / 1000 % 1000));
        break;
    case 'e':
        strbuf_append_c(out, sqlstate_text(state).text);
        break;
    case 'c':
        strbuf_format(out, "%llx.%x", (long long)(process_started_at(session) / 1000000), pid);
        break;
    case 'l':
        strbuf_append_int64(out, (int64_t)line_number(session));
        break;
    case 's':
        put_time(out, process_started_at(session), false);
        break;
    case 'Q':
        strbuf_append_c(out, "0"); /* compute_query_id is off */
        break;
    case '%':
        strbuf_append_char(out, '%');
        break;
    default: /* %P among them: no session works for another */
        break;
    }
}

/* %-10u: at least ten characters, blanks behind. */
static void pad(StrBuf *out, size_t start, int width)
{
    const size_t length = out->length - start;
    const size_t wanted = (size_t)(width < 0 ? -width : width);

    if (length >= wanted)
        return;
    for (size_t i = length; i < wanted; i++)
        strbuf_append_char(out, ' ');
    if (width > 0) {
        memmove(out->data + start + wanted - length, out->data + start, length);
        memset(out->data + start, ' ', wanted - length);
    }
}

static size_t parse_width(Str format, size_t at, int *ret_width)
{
    const bool is_left = at < format.length && format.data[at] == '-';
    int width = 0;

    at += is_left;
    for (; at < format.length && format.data[at] >= '0' && format.data[at] <= '9'; at++)
        width = MIN(width * 10 + (format.data[at] - '0'), 1000);
    *ret_width = is_left ? -width : width;
    return at;
}

static void put_prefix(StrBuf *out, SqlState state)
{
    const Str format = settings()->log_line_prefix;
    const Session *session = task_current()->session;

    for (size_t i = 0; i < format.length; i++) {
        int width;
        if (format.data[i] != '%') {
            strbuf_append_char(out, format.data[i]);
            continue;
        }
        i = parse_width(format, i + 1, &width);
        if (i >= format.length || (format.data[i] == 'q' && !session))
            return;
        const size_t start = out->length;
        put_escape(out, format.data[i], session, state);
        pad(out, start, width);
    }
}

static void put_line(StrBuf *out, const char *label, Str text, SqlState state)
{
    if (text.length == 0)
        return;
    put_prefix(out, state);
    strbuf_format(out, "%s:  ", label);
    for (size_t i = 0; i < text.length; i++) {
        strbuf_append_char(out, text.data[i]);
        if (text.data[i] == '\n')
            strbuf_append_char(out, '\t');
    }
    strbuf_append_char(out, '\n');
}

void log_message(Severity severity, const char *format, ...)
{
    StrBuf text = {0}, line = {0};
    va_list args;

    if (!log_wants(severity))
        return;
    va_start(args, format);
    strbuf_format_v(&text, format, args);
    va_end(args);
    put_line(&line, severity_labels[severity], strbuf_view(&text), ERR_SUCCESSFUL_COMPLETION);
    count_line();
    write_text(strbuf_view(&line));
    strbuf_deinit(&text);
    strbuf_deinit(&line);
}

void log_fields(const ErrorFields *fields, Str statement)
{
    StrBuf line = {0}, first = {0};

    if (!log_wants(fields->severity))
        return;
    const SqlState state = fields->sqlstate;
    const int verbosity = settings()->log_error_verbosity;
    if (verbosity == LOG_ERROR_VERBOSITY_VERBOSE)
        strbuf_format(&first, "%s: ", sqlstate_text(state).text);
    strbuf_append(&first, fields->message);
    if (fields->position > 0)
        strbuf_format(&first, " at character %d", fields->position);
    put_line(&line, severity_labels[fields->severity], strbuf_view(&first), state);
    if (verbosity != LOG_ERROR_VERBOSITY_TERSE) {
        put_line(&line, "DETAIL",
                 fields->detail_log.length > 0 ? fields->detail_log : fields->detail, state);
        put_line(&line, "HINT", fields->hint, state);
        put_line(&line, "CONTEXT", fields->context, state);
    }
    if (verbosity == LOG_ERROR_VERBOSITY_VERBOSE && fields->file) {
        first.length = 0;
        strbuf_format(&first, "%s, %s:%d", fields->function, file_name(fields->file), fields->line);
        put_line(&line, "LOCATION", strbuf_view(&first), state);
    }
    if (log_rank(fields->severity) >= settings()->log_min_error_statement)
        put_line(&line, "STATEMENT", statement, state);
    count_line();
    write_text(strbuf_view(&line));
    strbuf_deinit(&line);
    strbuf_deinit(&first);
}
