#include "server/setting_checks.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/error.h"
#include "server/client_text.h"
#include "server/session.h"
#include "types/datetime.h"
#include "types/encoding.h"

static bool fail_invalid(SettingId id, Str text, Str detail)
{
    FAIL(ERR_INVALID_PARAMETER_VALUE,
         .message = fmt("invalid value for parameter \"%.*s\": \"%.*s\"",
                        STR_ARGS(setting_infos[id].name), STR_ARGS(text)),
         .detail = detail);
}

/* -- Values ---------------------------------------------------------------------------------- */

static bool is_one_of(Str text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(text, str_from_c(names[i])))
            return true;
    return false;
}

/* Numbers, money and times are written as in the C locale; messages are English. */
static bool locale_check(SettingId id, Str text, Arena *arena, Str *ret_canonical)
{
    static const char *const plain[] = {"C", "POSIX", "C.UTF-8", "C.utf8"};
    static const char *const english[] = {"", "en_US", "en_US.UTF-8", "en_US.utf8", "English"};
    const bool is_messages = id == SETTING_LC_MESSAGES;

    (void)arena;
    if (!is_one_of(text, plain, ARRAY_LENGTH(plain)) &&
        !(is_messages && is_one_of(text, english, ARRAY_LENGTH(english))))
        return fail_invalid(id, text, STR_NONE);
    *ret_canonical = text;
    return true;
}

static bool tablespace_exists(Str name)
{
    return name.length == 0 || str_equal(name, STR("pg_default")) ||
           str_equal(name, STR("pg_global"));
}

static bool tablespace_check(SettingId id, Str text, Arena *arena, Str *ret_canonical)
{
    (void)arena;
    if (!tablespace_exists(text))
        return fail_invalid(id, text, fmt("Tablespace \"%.*s\" does not exist.", STR_ARGS(text)));
    *ret_canonical = text;
    return true;
}

/* The next member of a list of names, without its quotes; false: there is none. */
static bool name_next(Arena *arena, Str list, size_t *at, Str *ret_name)
{
    StrBuf name = strbuf_in(arena);
    bool is_quoted = false;

    if (*at >= list.length)
        return false;
    for (; *at < list.length && (is_quoted || list.data[*at] != ','); (*at)++) {
        const bool is_doubled = is_quoted && *at + 1 < list.length && list.data[*at + 1] == '"';
        if (list.data[*at] != '"') {
            strbuf_append_char(&name, list.data[*at]);
        } else if (is_doubled) {
            strbuf_append_char(&name, '"');
            (*at)++;
        } else {
            is_quoted = !is_quoted;
        }
    }
    (*at)++;
    *ret_name = str_trim(strbuf_view(&name));
    return true;
}

static bool temp_tablespaces_check(SettingId id, Str text, Arena *arena, Str *ret_canonical)
{
    CLEANUP(arena_freep) Arena *scratch = arena_new("tablespaces");
    Str name;

    (void)id;
    (void)arena;
    for (size_t at = 0; name_next(scratch, text, &at, &name);)
        if (!tablespace_exists(name))
            FAIL(ERR_UNDEFINED_OBJECT,
                 .message = fmt("tablespace \"%.*s\" does not exist", STR_ARGS(name)));
    *ret_canonical = text;
    return true;
}

static bool access_method_check(SettingId id, Str text, Arena *arena, Str *ret_canonical)
{
    (void)arena;
    if (text.length == 0)
        return fail_invalid(id, text, STR("default_table_access_method cannot be empty."));
    if (!str_equal(text, STR("heap")))
        return fail_invalid(id, text,
                            fmt("Table access method \"%.*s\" does not exist.", STR_ARGS(text)));
    *ret_canonical = text;
    return true;
}

static bool log_destination_check(SettingId id, Str text, Arena *arena, Str *ret_canonical)
{
    static const char *const known[] = {"stderr", "csvlog", "jsonlog", "syslog"};

    (void)arena;
    for (size_t at = 0; at < text.length;) {
        const size_t comma = MIN(str_find_char(text, ',', at), text.length);
        const Str word = str_trim(str_slice(text, at, comma - at));
        if (!is_one_of(word, known, ARRAY_LENGTH(known)))
            return fail_invalid(id, text, fmt("Unrecognized key word: \"%.*s\".", STR_ARGS(word)));
        at = comma + 1;
    }
    *ret_canonical = text;
    return true;
}

/* Other sessions and logs show it, whatever encoding they are in. */
static bool printable_check(SettingId id, Str text, Arena *arena, Str *ret_canonical)
{
    char *clean = str_to_c(arena, text);

    (void)id;
    for (size_t i = 0; i < text.length; i++)
        if (clean[i] < 32 || clean[i] > 126)
            clean[i] = '?';
    *ret_canonical = str_make(clean, text.length);
    return true;
}

static bool zone_check(SettingId id, Str text, Arena *arena, Str *ret_canonical)
{
    const TimeZone *zone = timezone_find(text);

    if (!zone)
        return fail_invalid(id, text, STR_NONE);
    *ret_canonical = str_copy(arena, timezone_name(zone));
    return true;
}

static bool oids_check(SettingId id, Str text, Arena *arena, Str *ret_canonical)
{
    (void)id;
    (void)arena;
    if (str_equal_nocase(text, STR("on")) || str_equal_nocase(text, STR("true")))
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("tables declared WITH OIDS are not supported"));
    *ret_canonical = text;
    return true;
}

static bool client_encoding_check(SettingId id, Str text, Arena *arena, Str *ret_canonical)
{
    const int encoding = encoding_find(text);

    (void)arena;
    if (encoding < 0)
        return fail_invalid(id, text, STR_NONE);
    if (encoding == ENCODING_MULE_INTERNAL)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("invalid value for parameter \"%.*s\": \"%.*s\"",
                            STR_ARGS(setting_infos[id].name), STR_ARGS(text)),
             .detail = STR("Conversion between MULE_INTERNAL and UTF8 is not supported."));
    if (!encoding_is_supported(encoding))
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("client encoding %s is not supported", encoding_name(encoding)),
             .hint = STR("Clients may speak UTF8."));
    /* PostgreSQL leaves the oldest name as it is, for drivers that ask for what they have set. */
    *ret_canonical = str_equal(text, STR("UNICODE")) ? text : str_from_c(encoding_name(encoding));
    return true;
}

/* Escapes for what a session does not have at hand when it logs. */
static bool line_prefix_check(SettingId id, Str text, Arena *arena, Str *ret_canonical)
{
    (void)arena;
    for (size_t i = 0; i + 1 < text.length; i++) {
        if (text.data[i] != '%')
            continue;
        for (i++; i + 1 < text.length && strchr("-0123456789", text.data[i]);)
            i++;
        if (strchr("ivx", text.data[i]))
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = fmt("%%%c in \"%.*s\" is not supported", text.data[i],
                                STR_ARGS(setting_infos[id].name)));
    }
    *ret_canonical = text;
    return true;
}

void setting_checks_init(void)
{
    setting_register_check(SETTING_CLIENT_ENCODING, client_encoding_check);
    setting_register_check(SETTING_LOG_LINE_PREFIX, line_prefix_check);
    setting_register_check(SETTING_LC_MESSAGES, locale_check);
    setting_register_check(SETTING_LC_MONETARY, locale_check);
    setting_register_check(SETTING_LC_NUMERIC, locale_check);
    setting_register_check(SETTING_LC_TIME, locale_check);
    setting_register_check(SETTING_DEFAULT_TABLESPACE, tablespace_check);
    setting_register_check(SETTING_TEMP_TABLESPACES, temp_tablespaces_check);
    setting_register_check(SETTING_DEFAULT_TABLE_ACCESS_METHOD, access_method_check);
    setting_register_check(SETTING_LOG_DESTINATION, log_destination_check);
    setting_register_check(SETTING_APPLICATION_NAME, printable_check);
    setting_register_check(SETTING_LOG_TIMEZONE, zone_check);
    setting_register_check(SETTING_DEFAULT_WITH_OIDS, oids_check);
}

/* -- Custom names ---------------------------------------------------------------------------- */

static bool starts_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (byte)c >= 0x80;
}

bool setting_name_is_custom(Str name)
{
    bool at_start = true, has_dot = false;

    for (size_t i = 0; i < name.length; i++) {
        const char c = name.data[i];
        if (c == '.' && at_start)
            return false;
        if (c != '.' && !starts_name(c) && (at_start || !((c >= '0' && c <= '9') || c == '$')))
            return false;
        at_start = c == '.';
        has_dot |= at_start;
    }
    return has_dot && !at_start;
}

bool setting_custom_name_check(Str name)
{
    if (str_find_char(name, '.', 0) == SIZE_MAX)
        FAIL(ERR_UNDEFINED_OBJECT,
             .message = fmt("unrecognized configuration parameter \"%.*s\"", STR_ARGS(name)));
    if (!setting_name_is_custom(name))
        FAIL(ERR_INVALID_NAME,
             .message = fmt("invalid configuration parameter name \"%.*s\"", STR_ARGS(name)),
             .detail = STR("Custom parameter names must be two or more simple identifiers "
                           "separated by dots."));
    return true;
}

/* -- Effects --------------------------------------------------------------------------------- */

/* The kernel's own value where the setting is 0; what it has then is what SHOW tells. */
static int64_t keepalive(Session *session, int option, int64_t value, int usual)
{
    const int fd = transport_fd(session->connection.transport);
    int number = (int)MIN(value, (int64_t)INT32_MAX);
    socklen_t size = sizeof(number);

    if (session->connection.is_local)
        return 0; /* a socket in the file system is never half open */
    if (value == 0 && !session->connection.has_own_times)
        return usual;
    session->connection.has_own_times = true;
    if (value == 0)
        number = usual;
    if (value != 0 || usual != 0)
        setsockopt(fd, IPPROTO_TCP, option, &number, sizeof(number));
    return getsockopt(fd, IPPROTO_TCP, option, &number, &size) == 0 ? number : 0;
}

static void read_only_apply(Session *session, bool read_only)
{
    Txn *txn = txn_session_current(session->txn_session);

    if (!txn)
        return;
    txn_set_read_only(txn, read_only);
    session->exec.is_read_only = read_only;
}

static void deferrable_apply(Session *session, bool deferrable)
{
    Txn *txn = txn_session_current(session->txn_session);

    if (txn)
        txn_set_deferrable(txn, deferrable);
}

void setting_apply(Session *session, SettingId id, SettingValues *values)
{
    const TcpTimes *usual = &session->connection.usual_times;

    switch (id) {
    case SETTING_CLIENT_ENCODING:
        client_text_apply(session);
        break;
    case SETTING_SYNCHRONOUS_COMMIT:
        txn_session_set_synchronous(session->txn_session,
                                    values->synchronous_commit == SYNCHRONOUS_COMMIT_OFF
                                        ? COMMIT_ASYNCHRONOUS
                                        : COMMIT_DURABLE);
        break;
    case SETTING_TRANSACTION_READ_ONLY:
        read_only_apply(session, values->transaction_read_only);
        break;
    case SETTING_TRANSACTION_DEFERRABLE:
        deferrable_apply(session, values->transaction_deferrable);
        break;
    case SETTING_TCP_KEEPALIVES_IDLE:
        values->tcp_keepalives_idle =
            keepalive(session, TCP_KEEPIDLE, values->tcp_keepalives_idle, usual->idle);
        break;
    case SETTING_TCP_KEEPALIVES_INTERVAL:
        values->tcp_keepalives_interval =
            keepalive(session, TCP_KEEPINTVL, values->tcp_keepalives_interval, usual->interval);
        break;
    case SETTING_TCP_KEEPALIVES_COUNT:
        values->tcp_keepalives_count =
            keepalive(session, TCP_KEEPCNT, values->tcp_keepalives_count, usual->count);
        break;
    case SETTING_TCP_USER_TIMEOUT:
        values->tcp_user_timeout =
            keepalive(session, TCP_USER_TIMEOUT, values->tcp_user_timeout, usual->user_timeout);
        break;
    default:
        break;
    }
}

static int usual_time(int fd, int option)
{
    int number = 0;
    socklen_t size = sizeof(number);

    return getsockopt(fd, IPPROTO_TCP, option, &number, &size) == 0 ? number : 0;
}

void setting_apply_all(Session *session, SettingValues *values)
{
    static const SettingId ids[] = {SETTING_CLIENT_ENCODING,      SETTING_SYNCHRONOUS_COMMIT,
                                    SETTING_TCP_KEEPALIVES_IDLE,  SETTING_TCP_KEEPALIVES_INTERVAL,
                                    SETTING_TCP_KEEPALIVES_COUNT, SETTING_TCP_USER_TIMEOUT};

    if (!session->connection.is_local) {
        const int fd = transport_fd(session->connection.transport);
        session->connection.usual_times =
            (TcpTimes){.idle = usual_time(fd, TCP_KEEPIDLE),
                       .interval = usual_time(fd, TCP_KEEPINTVL),
                       .count = usual_time(fd, TCP_KEEPCNT),
                       .user_timeout = usual_time(fd, TCP_USER_TIMEOUT)};
    }
    for (size_t i = 0; i < ARRAY_LENGTH(ids); i++)
        setting_apply(session, ids[i], values);
}
