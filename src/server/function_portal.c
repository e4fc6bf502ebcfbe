/* The session's own prepared statements and cursors. */
#include "base/os.h"
#include "server/portal.h"
#include "server/view_rows.h"
#include "types/array.h"

enum {
    PREP_NAME,
    PREP_STATEMENT,
    PREP_TIME,
    PREP_TYPES,
    PREP_FROM_SQL,
    PREP_GENERIC,
    PREP_CUSTOM,
    PREP_COUNT
};

typedef struct StatementFill {
    ViewRows *rows;
    bool has_failed;
} StatementFill;

static bool put_statement(ViewRows *rows, const PreparedStatement *statement)
{
    ViewRow row = view_row_add(rows);
    Value *types = ARENA_ARRAY(rows->arena, Value, (size_t)statement->param_count + 1);
    Value array;

    for (int i = 0; i < statement->param_count; i++)
        types[i].oid = statement->param_types[i];
    TRY(array_from_values(rows->arena, TYPE_REGTYPE, types, statement->param_count, &array));
    view_put_text(row, PREP_NAME, statement->name);
    view_put_text(row, PREP_STATEMENT, statement->source);
    view_put_time(row, PREP_TIME, statement->prepared_at + WALL_CLOCK_2000);
    view_put_value(row, PREP_TYPES, array);
    view_put_bool(row, PREP_FROM_SQL, statement->from_sql);
    /* Plans are generic here: one plan serves every execution. */
    view_put_int64(row, PREP_GENERIC, statement->execution_count);
    view_put_int64(row, PREP_CUSTOM, 0);
    return true;
}

static bool fill_statements(FunctionCall *call, const Value *args, const bool *nulls,
                            ViewRows *rows)
{
    size_t position = 0;
    Str name;
    void *statement;

    while (strmap_next(&view_session(call)->statements, &position, &name, &statement))
        TRY(put_statement(rows, statement));
    return true;
}
VIEW_FUNCTION(pg_prepared_statement, PREP_COUNT, fill_statements)

enum {
    CURSOR_NAME,
    CURSOR_STATEMENT,
    CURSOR_HOLDABLE,
    CURSOR_BINARY,
    CURSOR_SCROLLABLE,
    CURSOR_TIME,
    CURSOR_COUNT
};

static bool fill_cursors(FunctionCall *call, const Value *args, const bool *nulls, ViewRows *rows)
{
    for (const Portal *portal = view_session(call)->portals; portal; portal = portal->next) {
        if (!portal->is_cursor && portal->name.length == 0)
            continue;
        ViewRow row = view_row_add(rows);
        view_put_text(row, CURSOR_NAME, portal->name);
        view_put_text(row, CURSOR_STATEMENT, portal->statement->source);
        view_put_bool(row, CURSOR_HOLDABLE, portal->cursor_options & CURSOR_OPT_HOLD);
        view_put_bool(row, CURSOR_BINARY, portal->cursor_options & CURSOR_OPT_BINARY);
        view_put_bool(row, CURSOR_SCROLLABLE, !(portal->cursor_options & CURSOR_OPT_NO_SCROLL));
        view_put_time(row, CURSOR_TIME, portal->created_at + WALL_CLOCK_2000);
    }
    return true;
}
VIEW_FUNCTION(pg_cursor, CURSOR_COUNT, fill_cursors)
