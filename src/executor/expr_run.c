#include "executor/expr_steps.h"

#include "types/type.h"

/* ---- vectors ---- */

#define COPY_ROWS(ctype)                                                                           \
    do {                                                                                           \
        ctype *t = VECTOR_VALUES(to, ctype);                                                       \
        const ctype *f = VECTOR_VALUES(from, ctype);                                               \
        if (from->constant)                                                                        \
            FOR_SELECTED (selection, row)                                                          \
                t[row] = f[0];                                                                     \
        else                                                                                       \
            FOR_SELECTED (selection, row)                                                          \
                t[row] = f[row];                                                                   \
    } while (0)

/* Rows of `from` into the flat vector `to`, same type. `to`'s null bytes are valid everywhere. */
static void vector_copy_rows(Vector *to, const Vector *from, Selection selection)
{
    switch (phys_width(to->type)) {
    case 1:
        COPY_ROWS(uint8_t);
        break;
    case 2:
        COPY_ROWS(uint16_t);
        break;
    case 4:
        COPY_ROWS(uint32_t);
        break;
    case 8:
        COPY_ROWS(uint64_t);
        break;
    case 16:
        COPY_ROWS(Value);
        break;
    default:
        break;
    }
    if (from->has_nulls) {
        FOR_SELECTED (selection, row)
            to->nulls[row] = from->nulls[vector_index(from, row)];
        to->has_nulls = true;
    }
}

#define GATHER_ROWS(ctype)                                                                         \
    do {                                                                                           \
        ctype *t = VECTOR_VALUES(to, ctype);                                                       \
        const ctype *f = VECTOR_VALUES(from, ctype);                                               \
        for (uint32_t i = 0; i < count; i++)                                                       \
            t[i] = f[from->constant ? 0 : rows[i]];                                                \
    } while (0)

void vector_gather(Vector *to, const Vector *from, const uint16_t *rows, uint32_t count)
{
    switch (phys_width(to->type)) {
    case 1:
        GATHER_ROWS(uint8_t);
        break;
    case 2:
        GATHER_ROWS(uint16_t);
        break;
    case 4:
        GATHER_ROWS(uint32_t);
        break;
    case 8:
        GATHER_ROWS(uint64_t);
        break;
    case 16:
        GATHER_ROWS(Value);
        break;
    default:
        break;
    }
    to->has_nulls = from->has_nulls;
    if (from->has_nulls)
        for (uint32_t i = 0; i < count; i++)
            to->nulls[i] = from->nulls[from->constant ? 0 : rows[i]];
}

/* ---- running ---- */

/* Flat registers and selection buffers hold the largest batch seen. */
static void program_grow(ExprProgram *p, uint32_t rows)
{
    uint32_t capacity = p->capacity ? p->capacity : 4;
    while (capacity < rows)
        capacity *= 4;
    capacity = MIN(MAX(capacity, rows), (uint32_t)VECTOR_SIZE);
    for (size_t i = 0; i < p->flats.length; i++) {
        Vector *v = p->registers[p->flats.items[i]];
        uint32_t need = v->constant ? 1 : capacity;
        if (v->constant && v->values)
            continue;
        v->values = arena_alloc_zeroed(p->arena, phys_width(v->type) * need);
        v->nulls = arena_alloc_zeroed(p->arena, need);
    }
    for (size_t i = 0; i < p->buffers.length; i++)
        p->buffers.items[i] = arena_alloc(p->arena, capacity * sizeof(uint16_t));
    p->capacity = capacity;
}

bool expr_begin(ExprProgram *p, const ExprInput *input)
{
    p->row_count = input->row_count;
    p->input = *input;
    if (unlikely(p->row_count > p->capacity || p->capacity == 0))
        program_grow(p, MAX(p->row_count, 1u));
    for (size_t i = 0; i < p->loads.length; i++) {
        const ExprLoad *load = &p->loads.items[i];
        p->registers[load->reg] = input->slots[load->child][load->column];
    }
    return true;
}

bool expr_block_run(ExprProgram *p, ExprBlock *block, Selection selection)
{
    static const Selection one = {.rows = NULL, .count = 1};
    for (uint32_t i = 0; i < block->count; i++) {
        ExprStep *step = block->steps[i];
        for (uint32_t a = 0; a < step->arg_count; a++)
            step->vectors[a] = p->registers[step->args[a]];
        if (step->is_constant) {
            /* The register counts as flat while its one element is computed. */
            Vector *result = p->registers[step->result];
            uint32_t rows = p->row_count;
            result->constant = false;
            p->row_count = 1;
            bool done = step->run(p, step, one);
            p->row_count = rows;
            result->constant = true;
            TRY(done);
        } else {
            TRY(step->run(p, step, selection));
        }
    }
    return true;
}

bool expr_run(ExprProgram *p, const ExprInput *input, Selection selection)
{
    TRY(expr_begin(p, input));
    for (uint32_t i = 0; i < p->count; i++) {
        if (selection.count > 0)
            TRY(expr_block_run(p, &p->blocks[i], selection));
        p->results[i] = p->registers[p->blocks[i].result];
    }
    return true;
}

bool expr_run_scalar(ExprProgram *p)
{
    ExprInput none = {.row_count = 1};
    return expr_run(p, &none, (Selection){.count = 1});
}

/* The selected rows where a boolean vector is true; `rows` may be the selection's own buffer. */
static uint32_t select_true(const Vector *v, Selection selection, uint16_t *rows)
{
    uint32_t count = 0;
    if (v->constant) {
        bool yes = !(v->has_nulls && v->nulls[0]) && VECTOR_VALUES(v, uint8_t)[0];
        if (yes)
            FOR_SELECTED (selection, row)
                rows[count++] = (uint16_t)row;
        return count;
    }
    const uint8_t *values = VECTOR_VALUES(v, uint8_t);
    if (v->has_nulls)
        FOR_SELECTED (selection, row) {
            rows[count] = (uint16_t)row;
            count += !v->nulls[row] && values[row];
        }
    else
        FOR_SELECTED (selection, row) {
            rows[count] = (uint16_t)row;
            count += values[row] != 0;
        }
    return count;
}

bool expr_filter(ExprProgram *p, const ExprInput *input, Selection selection, uint16_t *rows,
                 Selection *ret_selection)
{
    TRY(expr_begin(p, input));
    for (uint32_t i = 0; i < p->count && selection.count > 0; i++) {
        TRY(expr_block_run(p, &p->blocks[i], selection));
        uint32_t before = selection.count;
        selection.count = select_true(p->registers[p->blocks[i].result], selection, rows);
        /* Nothing dropped and all rows selected: stay with the dense form. */
        if (selection.rows || selection.count < before)
            selection.rows = rows;
    }
    *ret_selection = selection;
    return true;
}

/* ---- steps ---- */

bool step_function(ExprProgram *p, ExprStep *step, Selection selection)
{
    return function_call_batch(step->call, step->vectors, selection, p->registers[step->result]);
}

bool step_init_param(ExprProgram *p, ExprStep *step, Selection selection)
{
    return exec_param_ensure(p->exec, EXPR_AS(const ExprParam, step->expr)->number);
}

bool step_cast_io(ExprProgram *p, ExprStep *step, Selection selection)
{
    const ExprCast *cast = EXPR_AS(const ExprCast, step->expr);
    Oid from_type = cast->args.items[0]->type, to_type = cast->base.type;
    const Vector *from = step->vectors[0];
    Vector *to = p->registers[step->result];
    bool from_text = from_type == TYPE_TEXT || from_type == TYPE_VARCHAR ||
                     from_type == TYPE_UNKNOWN || from_type == TYPE_CSTRING;
    bool to_text = to_type == TYPE_TEXT || to_type == TYPE_VARCHAR || to_type == TYPE_CSTRING;
    vector_begin(to, p->row_count);
    FOR_SELECTED (selection, row) {
        Value value, result;
        bool is_null;
        vector_get(from, row, &value, &is_null);
        if (is_null) {
            vector_set_null(to, row);
            continue;
        }
        CHECK_INTERRUPTS(); /* a long number takes long */
        Str text = from_text ? var_str(value.var) : STR_NONE;
        if (!from_text) {
            StrBuf out = strbuf_in(p->scratch);
            TRY(type_output(from_type, &value, &out));
            text = strbuf_view(&out);
        }
        if (to_text)
            result = (Value){.var = var_from_str(text)};
        else
            TRY(type_input(p->scratch, to_type, -1, text, &result));
        vector_set(to, row, &result, false);
    }
    return true;
}

/*
 * AND and OR. An argument is evaluated for the rows that no earlier argument has decided. A decided
 * row has the deciding value (false, true); a null seen on the way makes the rest null.
 */
static bool step_decide(ExprProgram *p, ExprStep *step, Selection selection, bool deciding)
{
    Vector *to = p->registers[step->result];
    uint8_t *values = VECTOR_VALUES(to, uint8_t);
    vector_begin(to, p->row_count);
    FOR_SELECTED (selection, row)
        values[row] = !deciding;
    uint16_t *rows = p->buffers.items[step->buffers[0]];
    bool any_null = false;
    for (uint32_t b = 0; b < step->block_count && selection.count > 0; b++) {
        CHECK_INTERRUPTS(); /* a condition can have many */
        TRY(expr_block_run(p, &step->blocks[b], selection));
        const Vector *v = p->registers[step->blocks[b].result];
        const uint8_t *from = VECTOR_VALUES(v, uint8_t);
        uint32_t left = 0;
        FOR_SELECTED (selection, row) {
            uint32_t at = vector_index(v, row);
            bool is_null = v->has_nulls && v->nulls[at];
            if (!is_null && (from[at] != 0) == deciding) {
                values[row] = deciding;
                to->nulls[row] = 0;
            } else {
                to->nulls[row] |= is_null;
                any_null |= is_null;
                rows[left++] = (uint16_t)row;
            }
        }
        if (selection.rows || left < selection.count)
            selection.rows = rows;
        selection.count = left;
    }
    to->has_nulls = any_null;
    return true;
}

bool step_and(ExprProgram *p, ExprStep *step, Selection selection)
{
    return step_decide(p, step, selection, false);
}

bool step_or(ExprProgram *p, ExprStep *step, Selection selection)
{
    return step_decide(p, step, selection, true);
}

bool step_not(ExprProgram *p, ExprStep *step, Selection selection)
{
    const Vector *from = step->vectors[0];
    Vector *to = p->registers[step->result];
    const uint8_t *f = VECTOR_VALUES(from, uint8_t);
    uint8_t *t = VECTOR_VALUES(to, uint8_t);
    vector_begin(to, p->row_count);
    FOR_SELECTED (selection, row) {
        uint32_t at = vector_index(from, row);
        t[row] = !f[at];
        if (from->has_nulls && from->nulls[at])
            vector_set_null(to, row);
    }
    return true;
}

bool step_null_test(ExprProgram *p, ExprStep *step, Selection selection)
{
    const Vector *from = step->vectors[0];
    Vector *to = p->registers[step->result];
    uint8_t *t = VECTOR_VALUES(to, uint8_t);
    bool is_not = EXPR_AS(const ExprNullTest, step->expr)->is_not_null;
    vector_begin(to, p->row_count);
    FOR_SELECTED (selection, row)
        t[row] = vector_is_null(from, row) != is_not;
    return true;
}

bool step_boolean_test(ExprProgram *p, ExprStep *step, Selection selection)
{
    const Vector *from = step->vectors[0];
    Vector *to = p->registers[step->result];
    uint8_t *t = VECTOR_VALUES(to, uint8_t);
    BooleanTestKind test = EXPR_AS(const ExprBooleanTest, step->expr)->test;
    vector_begin(to, p->row_count);
    FOR_SELECTED (selection, row) {
        bool is_null = vector_is_null(from, row);
        bool yes = !is_null && VECTOR_VALUES(from, uint8_t)[vector_index(from, row)];
        switch (test) {
        case BOOLEAN_IS_TRUE:
            t[row] = yes;
            break;
        case BOOLEAN_IS_NOT_TRUE:
            t[row] = !yes;
            break;
        case BOOLEAN_IS_FALSE:
            t[row] = !is_null && !yes;
            break;
        case BOOLEAN_IS_NOT_FALSE:
            t[row] = is_null || yes;
            break;
        case BOOLEAN_IS_UNKNOWN:
            t[row] = is_null;
            break;
        case BOOLEAN_IS_NOT_UNKNOWN:
            t[row] = !is_null;
            break;
        }
    }
    return true;
}

bool step_case(ExprProgram *p, ExprStep *step, Selection selection)
{
    Vector *to = p->registers[step->result];
    uint16_t *taken = p->buffers.items[step->buffers[0]];
    uint16_t *rest = p->buffers.items[step->buffers[1]];
    vector_begin(to, p->row_count);
    uint32_t b = 0;
    for (; b + 1 < step->block_count && selection.count > 0; b += 2) {
        TRY(expr_block_run(p, &step->blocks[b], selection));
        const Vector *condition = p->registers[step->blocks[b].result];
        uint32_t taken_count = select_true(condition, selection, taken);
        if (taken_count == 0)
            continue;
        /* What the condition did not take stays for the next one; both lists are ascending. */
        uint32_t left = 0, next = 0;
        FOR_SELECTED (selection, row) {
            if (next < taken_count && taken[next] == row)
                next++;
            else
                rest[left++] = (uint16_t)row;
        }
        Selection chosen = {.rows = taken, .count = taken_count};
        TRY(expr_block_run(p, &step->blocks[b + 1], chosen));
        vector_copy_rows(to, p->registers[step->blocks[b + 1].result], chosen);
        selection = (Selection){.rows = rest, .count = left};
    }
    if (selection.count == 0)
        return true;
    ExprBlock *otherwise = &step->blocks[step->block_count - 1];
    TRY(expr_block_run(p, otherwise, selection));
    vector_copy_rows(to, p->registers[otherwise->result], selection);
    return true;
}

bool step_coalesce(ExprProgram *p, ExprStep *step, Selection selection)
{
    Vector *to = p->registers[step->result];
    uint16_t *rest = p->buffers.items[step->buffers[0]];
    uint16_t *found = p->buffers.items[step->buffers[1]];
    vector_begin(to, p->row_count);
    for (uint32_t b = 0; b < step->block_count && selection.count > 0; b++) {
        CHECK_INTERRUPTS(); /* a condition can have many */
        TRY(expr_block_run(p, &step->blocks[b], selection));
        const Vector *v = p->registers[step->blocks[b].result];
        uint32_t left = 0, count = 0;
        FOR_SELECTED (selection, row) {
            if (vector_is_null(v, row))
                rest[left++] = (uint16_t)row;
            else
                found[count++] = (uint16_t)row;
        }
        vector_copy_rows(to, v, (Selection){.rows = found, .count = count});
        selection = (Selection){.rows = rest, .count = left};
    }
    FOR_SELECTED (selection, row)
        vector_set_null(to, row);
    return true;
}

bool step_min_max(ExprProgram *p, ExprStep *step, Selection selection)
{
    Vector *to = p->registers[step->result];
    bool greatest = EXPR_AS(const ExprMinMax, step->expr)->is_greatest;
    Oid type = step->expr->type;
    vector_begin(to, p->row_count);
    FOR_SELECTED (selection, row) {
        Value best = {0};
        bool found = false;
        for (uint32_t a = 0; a < step->arg_count; a++) {
            Value value;
            bool is_null;
            vector_get(step->vectors[a], row, &value, &is_null);
            if (is_null)
                continue;
            int order = found ? type_compare(type, &value, &best) : 0;
            if (!found || (greatest ? order > 0 : order < 0))
                best = value;
            found = true;
        }
        if (found)
            vector_set(to, row, &best, false);
        else
            vector_set_null(to, row);
    }
    return true;
}

/* vectors: the equality's answer, the value. */
bool step_null_if(ExprProgram *p, ExprStep *step, Selection selection)
{
    const Vector *equal = step->vectors[0], *value = step->vectors[1];
    Vector *to = p->registers[step->result];
    vector_begin(to, p->row_count);
    vector_copy_rows(to, value, selection);
    FOR_SELECTED (selection, row)
        if (!vector_is_null(equal, row) && VECTOR_VALUES(equal, uint8_t)[vector_index(equal, row)])
            vector_set_null(to, row);
    return true;
}

/* vectors: left, right, the equality's answer. */
bool step_distinct(ExprProgram *p, ExprStep *step, Selection selection)
{
    const Vector *left = step->vectors[0], *right = step->vectors[1], *equal = step->vectors[2];
    bool is_not = EXPR_AS(const ExprDistinct, step->expr)->is_not;
    Vector *to = p->registers[step->result];
    uint8_t *t = VECTOR_VALUES(to, uint8_t);
    vector_begin(to, p->row_count);
    FOR_SELECTED (selection, row) {
        bool a = vector_is_null(left, row), b = vector_is_null(right, row);
        bool same = a || b ? a && b
                           : !vector_is_null(equal, row) &&
                                 VECTOR_VALUES(equal, uint8_t)[vector_index(equal, row)];
        t[row] = same == is_not;
    }
    return true;
}
