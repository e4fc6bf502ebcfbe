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
#include "server/session.h"

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

static void put_time(StrBuf *out, bool with_milliseconds)
{
    int64_t now = os->wall_clock();
    time_t seconds = (time_t)(now / 1000000);
    struct tm parts;
    char text[64];

    gmtime_r(&seconds, &parts);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
    strbuf_append_c(out, text);
    if (with_milliseconds)
        strbuf_format(out, ".%03d", (int)(now / 1000 % 1000));
    strbuf_append_c(out, " UTC");
}

/* log_line_prefix: the escapes that PostgreSQL has. */
static void put_prefix(StrBuf *out)
{
    Str format = settings()->log_line_prefix;
    const Session *session = task_current()->session;

    for (size_t i = 0; i < format.length; i++) {
        if (format.data[i] != '%' || i + 1 == format.length) {
            strbuf_append_char(out, format.data[i]);
            continue;
        }
        switch (format.data[++i]) {
        case 'm':
            put_time(out, true);
            break;
        case 't':
            put_time(out, false);
            break;
        case 'p':
            strbuf_append_int64(out, session ? session->exec.backend_pid : getpid());
            break;
        case 'u':
            strbuf_append(out, session ? session->user_name : STR(""));
            break;
        case 'd':
            strbuf_append(out, session ? session->database_name : STR(""));
            break;
        case 'a':
            strbuf_append(out, session ? settings()->application_name : STR(""));
            break;
        case 'r':
        case 'h':
            strbuf_append(out, session ? session->client_address : STR(""));
            break;
        case 'q':
            if (!session)
                return;
            break;
        case '%':
            strbuf_append_char(out, '%');
            break;
        default:
            break;
        }
    }
}

static void put_line(StrBuf *out, const char *label, Str text)
{
    if (text.length == 0)
        return;
    put_prefix(out);
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
    put_line(&line, severity_labels[severity], strbuf_view(&text));
    write_text(strbuf_view(&line));
    strbuf_deinit(&text);
    strbuf_deinit(&line);
}

void log_fields(const ErrorFields *fields, Str statement)
{
    StrBuf line = {0}, first = {0};

    if (!log_wants(fields->severity))
        return;
    strbuf_append(&first, fields->message);
    if (fields->position > 0)
        strbuf_format(&first, " at character %d", fields->position);
    put_line(&line, severity_labels[fields->severity], strbuf_view(&first));
    if (settings()->log_error_verbosity != LOG_ERROR_VERBOSITY_TERSE) {
        put_line(&line, "DETAIL", fields->detail);
        put_line(&line, "HINT", fields->hint);
        put_line(&line, "CONTEXT", fields->context);
    }
    if (log_rank(fields->severity) >= settings()->log_min_error_statement)
        put_line(&line, "STATEMENT", statement);
    write_text(strbuf_view(&line));
    strbuf_deinit(&line);
    strbuf_deinit(&first);
}
