/* The steps that expression programs are made of (expr_run.c); executor-internal. */
#ifndef EXECUTOR_EXPR_STEPS_H
#define EXECUTOR_EXPR_STEPS_H

#include "executor/expr.h"

ExprStepFunction step_function, step_cast_io, step_and, step_or, step_not, step_null_test,
    step_boolean_test, step_case, step_coalesce, step_min_max, step_null_if, step_distinct,
    step_init_param;

#endif
