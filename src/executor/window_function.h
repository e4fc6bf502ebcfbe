/*
 * Window functions: what they see of the rows around them.
 *
 * A Window holds partitions in a RowStore and stands on one row of them. Partitions are whole, but
 * the last one where no function looks beyond the row at hand and its peers: then rows are given as
 * they come. Rows are numbered
 * from 0 over the store; a partition is a run of rows, peers (rows equal in ORDER BY) are a run of
 * a partition. All columns that functions read (arguments, filters, ORDER BY) are stored with the
 * row, so that nothing is evaluated twice.
 *
 *   window_value(window, column, row, &value, &is_null)         any stored row
 *   window_frame(window)                                        the frame, as runs of rows
 *
 * A WindowFunction gives its value for the row at hand. Values stay valid until the node's scratch
 * is reset. Rows are read in blocks; a few blocks are cached, since frames look at places that
 * move forward together.
 */
#ifndef EXECUTOR_WINDOW_FUNCTION_H
#define EXECUTOR_WINDOW_FUNCTION_H

#include "executor/expr.h"

#define WINDOW_BLOCKS 8

typedef struct WindowRange {
    uint64_t start, end; /* rows start … end - 1 */
} WindowRange;

/* The frame without its excluded rows: runs that follow each other, none empty. */
typedef struct WindowFrame {
    WindowRange ranges[3];
    uint32_t count;
} WindowFrame;

typedef struct WindowBlock {
    RowReader reader;
    Batch *batch;
    uint64_t number;  /* of its rows / VECTOR_SIZE */
    uint64_t used_at; /* 0: empty */
} WindowBlock;

typedef struct WindowAggregate WindowAggregate;
typedef struct WindowCallState WindowCallState;

typedef struct Window {
    NodeState base;
    const WindowPlan *plan;
    RowStore store; /* {child's columns, extra} */
    ExprProgram *extra;
    Vector **stored;
    uint32_t child_count, column_count;
    uint32_t partition_column, order_column; /* the first of them */
    Oid *partition_types, *order_types;
    uint32_t partition_count, order_count;
    Arena *input_arena; /* results of `extra` for the batch at hand */
    /* the child */
    Batch *pending;
    uint32_t pending_at;
    bool child_done;
    Value *last; /* partition and order values of the row taken last */
    bool *last_nulls;
    Arena *last_arena;
    /* boundaries */
    Arena *bounds_arena;
    VEC(uint64_t) groups;          /* first rows of peer groups */
    VEC(uint64_t) partition_group; /* first groups of partitions */
    /* the row at hand */
    uint64_t row, partition, group;
    WindowRange rows, peers; /* of its partition, of its peers */
    uint64_t frame_start, frame_end, range_head, range_tail;
    bool needs_frame, has_exclusion;
    bool streams;                     /* no function needs the end of the partition */
    int64_t start_offset, end_offset; /* ROWS and GROUPS */
    ExprProgram *offsets;
    bool offsets_known;
    FunctionCall *start_in_range, *end_in_range;
    Value start_value, end_value; /* RANGE */
    WindowFrame frame;
    /* calls */
    WindowCallState *calls;
    uint32_t call_count;
    uint64_t ready;           /* rows whose functions may be computed */
    bool is_whole;            /* the last partition is here to its end */
    uint64_t given, computed; /* rows; the functions' values are there for so many */
    uint16_t *selected;       /* of the output block */
    WindowBlock output, blocks[WINDOW_BLOCKS];
    uint64_t clock;
    Vector **results; /* the output block's columns, then one a call */
} Window;

/* What a function looks at, beside its own row. */
typedef enum WindowReach {
    WINDOW_BEFORE = 1, /* rows before it in its partition, the start of its peers */
    WINDOW_FRAME,
    WINDOW_PARTITION, /* rows behind it, too, or how many there are */
} WindowReach;

typedef struct WindowFunction {
    bool (*value)(Window *window, WindowCallState *call, Value *ret, bool *ret_null);
    WindowReach reach;
} WindowFunction;

struct WindowCallState {
    const WindowCall *plan;
    FunctionCall *call;
    const WindowFunction *function; /* NULL: an aggregate */
    WindowAggregate *aggregate;
    uint32_t *columns; /* of its arguments */
    uint32_t filter;   /* column; UINT32_MAX: none */
    Vector *result;
};

/* ---- node_window.c ---- */

/* The block with this row; valid until some further blocks have been asked for. */
MUST_CHECK WindowBlock *window_block(Window *window, uint64_t row);
MUST_CHECK bool window_value(Window *window, uint32_t column, uint64_t row, Value *ret_value,
                             bool *ret_null);
/* Argument `index` of the call, for a row. */
static inline MUST_CHECK bool window_argument(Window *window, const WindowCallState *call,
                                              uint32_t index, uint64_t row, Value *ret_value,
                                              bool *ret_null)
{
    return window_value(window, call->columns[index], row, ret_value, ret_null);
}

/* ---- window_frame.c ---- */

MUST_CHECK bool window_frame_init(Window *window);
/* Evaluates the offsets; once an execution. */
MUST_CHECK bool window_frame_begin(Window *window);
void window_frame_partition(Window *window);
/* window->frame for the row at hand. */
MUST_CHECK bool window_frame_move(Window *window);

/* ---- window_aggregate.c ---- */

MUST_CHECK bool window_aggregate_init(Window *window, WindowCallState *call);
void window_aggregate_partition(WindowCallState *call);
void window_aggregate_batch(WindowCallState *call);
MUST_CHECK bool window_aggregate_value(Window *window, WindowCallState *call, Value *ret,
                                       bool *ret_null);

/* `WINDOW_FUNCTION(window_rank) {…}`: the name is pg_proc.prosrc. */
#define WINDOW_FUNCTION(symbol, reaches)                                                           \
    static bool symbol##_value(Window *window, WindowCallState *call, Value *ret, bool *ret_null); \
    extern const WindowFunction wf_##symbol;                                                       \
    const WindowFunction wf_##symbol = {.value = symbol##_value, .reach = (reaches)};              \
    static bool symbol##_value(Window *window, WindowCallState *call, Value *ret, bool *ret_null)

#endif
