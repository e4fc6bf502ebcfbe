/* Functions about the server as a whole: its log, its words, its time zones. */
#include "base/error.h"
#include "base/os.h"
#include "parser/parser.h"
#include "server/log.h"
#include "server/server.h"
#include "server/view_rows.h"
#include "storage/wal.h"
#include "types/datetime.h"
#include "types/record.h"

#define ZONE_DIRECTORY "/usr/share/zoneinfo"

/* ---- the WAL ---- */

static Wal *wal_of(FunctionCall *call)
{
    return store_wal(view_session(call)->server->store);
}

FUNCTION(pg_current_wal_lsn)
{
    ret->int64 = (int64_t)wal_flushed(wal_of(call));
    return true;
}

FUNCTION(pg_current_wal_flush_lsn)
{
    ret->int64 = (int64_t)wal_flushed(wal_of(call));
    return true;
}

FUNCTION(pg_current_wal_insert_lsn)
{
    ret->int64 = (int64_t)wal_reserved_end(wal_of(call));
    return true;
}

/* Of a standby: this server is none. */
#define NO_STANDBY(symbol)                                                                         \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        *ret_null = true;                                                                          \
        return true;                                                                               \
    }
NO_STANDBY(pg_last_wal_receive_lsn)
NO_STANDBY(pg_last_wal_replay_lsn)
NO_STANDBY(pg_last_xact_replay_timestamp)

/* ---- records of one row ---- */

/* Since the start. No page images go to the log, and its writers wait for room without counting. */
FUNCTION(pg_stat_get_wal)
{
    static const Oid types[] = {TYPE_INT8, TYPE_INT8,   TYPE_NUMERIC, TYPE_INT8,       TYPE_INT8,
                                TYPE_INT8, TYPE_FLOAT8, TYPE_FLOAT8,  TYPE_TIMESTAMPTZ};
    const Server *server = view_session(call)->server;
    Value values[ARRAY_LENGTH(types)] = {0};
    bool are_null[ARRAY_LENGTH(types)];
    const Lsn written = wal_reserved_end(wal_of(call)) - server->wal_at_start;

    WalStatistics statistics;
    wal_statistics(wal_of(call), &statistics);
    memset(are_null, 0, sizeof(are_null));
    are_null[3] = are_null[6] = true; /* wal_buffers_full, wal_write_time */
    values[0].int64 = (int64_t)statistics.record_count;
    values[4].int64 = (int64_t)statistics.write_count;
    values[5].int64 = (int64_t)statistics.sync_count;
    values[7].float64 = (double)statistics.sync_microseconds / 1000;
    TRY(type_input(call->arena, TYPE_NUMERIC, -1,
                   str_format(call->arena, "%llu", (unsigned long long)written), &values[2]));
    values[8].int64 = server->started_at - WALL_CLOCK_2000;
    *ret = record_make(call->arena, TYPE_RECORD, types, values, are_null, ARRAY_LENGTH(types));
    return true;
}

/* No archiver: nothing archived, nothing failed. */
FUNCTION(pg_stat_get_archiver)
{
    static const Oid types[] = {TYPE_INT8, TYPE_TEXT,        TYPE_TIMESTAMPTZ, TYPE_INT8,
                                TYPE_TEXT, TYPE_TIMESTAMPTZ, TYPE_TIMESTAMPTZ};
    Value values[ARRAY_LENGTH(types)] = {0};
    const bool are_null[] = {false, true, true, false, true, true, true};

    *ret = record_make(call->arena, TYPE_RECORD, types, values, are_null, ARRAY_LENGTH(types));
    return true;
}

FUNCTION(pg_stat_get_wal_receiver)
{
    *ret_null = true;
    return true;
}

EMPTY_VIEW_FUNCTION(pg_stat_get_recovery_prefetch)
EMPTY_VIEW_FUNCTION(pg_get_backend_memory_contexts)
EMPTY_VIEW_FUNCTION(pg_listening_channels)

static bool fill_config(FunctionCall *call, const Value *args, const bool *nulls, ViewRows *rows)
{
    ViewRow row = view_row_add(rows);

    view_put_text(row, 0, STR("VERSION"));
    view_put_text(row, 1, str_concat(rows->arena, STR("PostgreSQL "), settings()->server_version));
    return true;
}
VIEW_FUNCTION(pg_config, 2, fill_config)

/* ---- the running query, the log file ---- */

FUNCTION(current_query)
{
    const Str text = view_session(call)->query_text;

    *ret_null = text.length == 0;
    *ret = (Value){.var = var_from_str(str_copy(call->arena, text))};
    return true;
}

FUNCTION(pg_rotate_logfile_v2)
{
    ret->boolean = settings_default.logging_collector;
    if (ret->boolean)
        log_rotate();
    else
        NOTICE(SEVERITY_WARNING, ERR_WARNING,
               .message = STR("rotation not possible because log collection not active"));
    return true;
}

FUNCTION(pg_jit_available)
{
    ret->boolean = false;
    return true;
}

FUNCTION(pg_trigger_depth)
{
    ret->int32 = 0;
    return true;
}

/* ---- key words ---- */

static bool fill_keywords(FunctionCall *call, const Value *args, const bool *nulls, ViewRows *rows)
{
    static const struct {
        char code;
        const char *text;
    } categories[] = {
        [KEYWORD_UNRESERVED] = {'U', "unreserved"},
        [KEYWORD_COL_NAME] = {'C', "unreserved (cannot be function or type name)"},
        [KEYWORD_TYPE_FUNC_NAME] = {'T', "reserved (can be function or type name)"},
        [KEYWORD_RESERVED] = {'R', "reserved"},
    };
    size_t count;
    const Keyword *keywords = keyword_list(&count);

    for (size_t i = 0; i < count; i++) {
        const Keyword *keyword = &keywords[i];
        ViewRow row = view_row_add(rows);
        view_put_text(row, 0, keyword->name);
        view_put_value(row, 1, (Value){.int8 = categories[keyword->category].code});
        view_put_bool(row, 2, keyword->is_bare_label);
        view_put_text(row, 3, str_from_c(categories[keyword->category].text));
        view_put_text(row, 4,
                      keyword->is_bare_label ? STR("can be bare label") : STR("requires AS"));
    }
    return true;
}
VIEW_FUNCTION(pg_get_keywords, 5, fill_keywords)

/* ---- time zones ---- */

static bool put_offset(ViewRow row, int column, int32_t seconds)
{
    Value value = {0};

    value.interval.microseconds = (int64_t)seconds * 1000000;
    view_put_value(row, column, value);
    return true;
}

typedef struct ZoneWalk {
    ViewRows *rows;
    Str prefix; /* "Europe/" */
    int depth;
    int64_t now;
} ZoneWalk;

static bool visit_zone(void *context, Str name, bool is_directory);

static bool walk_zones(ZoneWalk *walk)
{
    Arena *arena = walk->rows->arena;

    return os->list_directory(path_join(arena, STR(ZONE_DIRECTORY), walk->prefix), visit_zone,
                              walk);
}

static bool visit_zone(void *context, Str name, bool is_directory)
{
    ZoneWalk *walk = context;
    Arena *arena = walk->rows->arena;
    const Str full = str_concat(arena, walk->prefix, name);

    /* "right" has the zones with leap seconds, which PostgreSQL's time does not have. */
    if (name.data[0] == '.' || str_equal(full, STR("right")))
        return true;
    if (is_directory) {
        ZoneWalk inner = {.rows = walk->rows,
                          .prefix = str_concat(arena, full, STR("/")),
                          .depth = walk->depth + 1,
                          .now = walk->now};
        return inner.depth > 5 || walk_zones(&inner);
    }
    const TimeZone *zone = timezone_find(full);
    if (!zone)
        return true;
    Str abbreviation;
    bool is_dst;
    const int32_t offset = timezone_offset_at(zone, walk->now, &abbreviation, &is_dst);
    ViewRow row = view_row_add(walk->rows);
    view_put_text(row, 0, full);
    view_put_text(row, 1, abbreviation);
    view_put_bool(row, 3, is_dst);
    return put_offset(row, 2, offset);
}

static bool fill_zone_names(FunctionCall *call, const Value *args, const bool *nulls,
                            ViewRows *rows)
{
    ZoneWalk walk = {.rows = rows, .prefix = STR(""), .now = timestamp_now()};

    return walk_zones(&walk);
}
VIEW_FUNCTION(pg_timezone_names, 4, fill_zone_names)

static bool fill_zone_abbreviations(FunctionCall *call, const Value *args, const bool *nulls,
                                    ViewRows *rows)
{
    const int64_t now = timestamp_now();
    Str name;
    int32_t offset;
    bool is_dst;

    for (size_t i = 0; timezone_abbreviation_at(i, now, &name, &offset, &is_dst); i++) {
        ViewRow row = view_row_add(rows);
        view_put_text(row, 0, name);
        view_put_bool(row, 2, is_dst);
        TRY(put_offset(row, 1, offset));
    }
    return true;
}
VIEW_FUNCTION(pg_timezone_abbrevs, 3, fill_zone_abbreviations)
