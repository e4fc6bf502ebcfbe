/* Names, constants, types and expressions. */
#include "parser/grammar.h"

#define NEW(type, position) NODE_NEW(p->arena, type, (position))
#define PUSH(vec, value) VEC_PUSH(p->arena, &(vec), (value))

static Str literal(const char *text)
{
    return str_from_c(text);
}

/* -- Tokens and names ------------------------------------------------------------------------ */

Token token_word(Token token, const char *word)
{
    token.text = literal(word);
    return token;
}

Token token_flag(Token token, bool flag)
{
    token.integer = flag;
    return token;
}

Token token_at(const DefElem *option)
{
    return (Token){.position = option->node.position, .text = option->name};
}

Token token_join(Grammar *p, Token first, Token second)
{
    first.text = str_format(p->arena, "%.*s.%.*s", STR_ARGS(first.text), STR_ARGS(second.text));
    return first;
}

Names names_first(Grammar *p, Token name)
{
    Names names = {.position = name.position};

    PUSH(names.names, name.text);
    return names;
}

Names names_join(Grammar *p, Token name, const StrVec *rest)
{
    Names names = names_first(p, name);

    for (size_t i = 0; i < rest->length; i++)
        PUSH(names.names, rest->items[i]);
    return names;
}

Names names_indirection(Grammar *p, Token name, const NodeVec *indirection)
{
    Names names = names_first(p, name);

    for (size_t i = 0; i < indirection->length; i++) {
        const Node *step = indirection->items[i];
        if (!NODE_IS(step, FieldName)) {
            Token at = {.position = name.position, .text = STR("*")};
            if (!NODE_IS(step, A_Star))
                at.text = STR("[");
            at.position = step->position;
            grammar_syntax_error(p, &at);
            break;
        }
        PUSH(names.names, NODE_CAST(FieldName, step)->name);
    }
    return names;
}

Names names_operator(Grammar *p, const char *operator, Token token)
{
    return names_first(p, token_word(token, operator));
}

static Names names_system(Grammar *p, const char *name, int position)
{
    Names names = {.position = position};

    PUSH(names.names, STR("pg_catalog"));
    PUSH(names.names, literal(name));
    return names;
}

Node *object_name(Grammar *p, const Names *names)
{
    ObjectName *object = NEW(ObjectName, names->position);

    object->names = names->names;
    return &object->node;
}

Node *object_name_simple(Grammar *p, Token name)
{
    Names names = names_first(p, name);
    return object_name(p, &names);
}

Node *object_name_on(Grammar *p, Token name, const Names *relation)
{
    ObjectName *object = NEW(ObjectName, name.position);

    for (size_t i = 0; i < relation->names.length; i++)
        PUSH(object->names, relation->names.items[i]);
    PUSH(object->names, name.text);
    return &object->node;
}

RangeVar *range_var_simple(Grammar *p, Token name)
{
    RangeVar *range = NEW(RangeVar, name.position);

    range->relation = name.text;
    range->persistence = PERSISTENCE_PERMANENT;
    return range;
}

RangeVar *range_var_qualified(Grammar *p, Token name, const NodeVec *indirection)
{
    RangeVar *range = range_var_simple(p, name);
    Names names = names_indirection(p, name, indirection);

    if (names.names.length == 2) {
        range->schema = names.names.items[0];
        range->relation = names.names.items[1];
    } else if (names.names.length == 3) {
        range->catalog = names.names.items[0];
        range->schema = names.names.items[1];
        range->relation = names.names.items[2];
    } else if (!p->failed) {
        grammar_fail(p, ERR_SYNTAX_ERROR,
                     fmt("improper qualified name (too many dotted names): %.*s",
                         STR_ARGS(name_list_text(p->arena, &names.names))),
                     STR_NONE, name.position);
    }
    return range;
}

RoleSpec *role_spec(Grammar *p, RoleSpecKind kind, Token token)
{
    RoleSpec *role = NEW(RoleSpec, token.position);

    role->kind = kind;
    role->name = token.text;
    return role;
}

RoleSpec *role_spec_name(Grammar *p, Token name)
{
    if (str_equal(name.text, STR("public")))
        return role_spec(p, ROLESPEC_PUBLIC, name);
    if (str_equal(name.text, STR("none")))
        grammar_fail(p, ERR_RESERVED_NAME, STR("role name \"none\" is reserved"), STR_NONE,
                     name.position);
    return role_spec(p, ROLESPEC_NAME, name);
}

/* A role that is being made or renamed: a plain name. */
Str role_id(Grammar *p, const RoleSpec *role)
{
    switch (role->kind) {
    case ROLESPEC_NAME:
        break;
    case ROLESPEC_PUBLIC:
        grammar_fail(p, ERR_RESERVED_NAME, STR("role name \"public\" is reserved"), STR_NONE,
                     role->node.position);
        break;
    case ROLESPEC_SESSION_USER:
        grammar_fail(p, ERR_RESERVED_NAME, STR("SESSION_USER cannot be used as a role name here"),
                     STR_NONE, role->node.position);
        break;
    case ROLESPEC_CURRENT_USER:
        grammar_fail(p, ERR_RESERVED_NAME, STR("CURRENT_USER cannot be used as a role name here"),
                     STR_NONE, role->node.position);
        break;
    case ROLESPEC_CURRENT_ROLE:
        grammar_fail(p, ERR_RESERVED_NAME, STR("CURRENT_ROLE cannot be used as a role name here"),
                     STR_NONE, role->node.position);
        break;
    }
    return role->name;
}

/* -- Constants ------------------------------------------------------------------------------- */

static Node *constant(Grammar *p, ConstKind kind, Str text, int position)
{
    A_Const *node = NEW(A_Const, position);

    node->kind = kind;
    node->text = text;
    return &node->node;
}

Node *const_integer(Grammar *p, int32_t value, int position)
{
    A_Const *node = NODE_CAST(A_Const, constant(p, CONST_INTEGER, STR_NONE, position));

    node->integer = value;
    return &node->node;
}

Node *const_float(Grammar *p, Token token)
{
    return constant(p, CONST_FLOAT, token.text, token.position);
}

Node *const_string(Grammar *p, Token token)
{
    return constant(p, CONST_STRING, token.text, token.position);
}

Node *const_text(Grammar *p, Str text, int position)
{
    return constant(p, CONST_STRING, text, position);
}

Node *const_bit(Grammar *p, Token token)
{
    return constant(p, CONST_BIT_STRING, token.text, token.position);
}

Node *const_null(Grammar *p, int position)
{
    return constant(p, CONST_NULL, STR_NONE, position);
}

Node *const_boolean(Grammar *p, bool value, int position)
{
    A_Const *node = NODE_CAST(A_Const, constant(p, CONST_BOOLEAN, STR_NONE, position));

    node->boolean = value;
    return &node->node;
}

Node *const_negate(Grammar *p, Node *arg, int position)
{
    A_Const *number = NODE_IS(arg, A_Const) ? NODE_CAST(A_Const, arg) : NULL;

    if (number && number->kind == CONST_INTEGER) {
        number->integer = -number->integer;
        number->node.position = position;
        return arg;
    }
    if (number && number->kind == CONST_FLOAT) {
        Str text = number->text;
        number->text = str_starts_with(text, STR("-")) ? str_slice(text, 1, text.length)
                                                       : str_concat(p->arena, STR("-"), text);
        number->node.position = position;
        return arg;
    }
    A_Expr *expr = NEW(A_Expr, position);
    expr->kind = A_EXPR_OP;
    PUSH(expr->name, STR("-"));
    expr->rexpr = arg;
    return &expr->node;
}

Node *type_cast(Grammar *p, Node *arg, TypeName *type, int position)
{
    TypeCast *cast = NEW(TypeCast, position);

    cast->arg = arg;
    cast->type_name = type;
    return &cast->node;
}

Node *const_typed(Grammar *p, TypeName *type, Token string)
{
    return type_cast(p, const_string(p, string), type, type->node.position);
}

Node *param_ref(Grammar *p, Token token)
{
    ParamRef *param = NEW(ParamRef, token.position);

    param->number = token.integer;
    return &param->node;
}

/* -- Types ----------------------------------------------------------------------------------- */

TypeName *type_named(Grammar *p, const Names *names, const NodeVec *typmods)
{
    TypeName *type = NEW(TypeName, names->position);

    type->names = names->names;
    type->typmods = *typmods;
    type->typemod = -1;
    return type;
}

TypeName *type_system_mods(Grammar *p, const char *name, const NodeVec *typmods, int position)
{
    Names names = names_system(p, name, position);
    return type_named(p, &names, typmods);
}

TypeName *type_system(Grammar *p, const char *name, int position)
{
    NodeVec none = {0};
    return type_system_mods(p, name, &none, position);
}

TypeName *type_precision(Grammar *p, const char *name, int precision, int position)
{
    NodeVec mods = {0};

    PUSH(mods, const_integer(p, precision, position));
    return type_system_mods(p, name, &mods, position);
}

TypeName *type_float(Grammar *p, int precision, int position)
{
    return type_system(p, precision <= 24 ? "float4" : "float8", position);
}

int float_precision(Grammar *p, Token token)
{
    if (token.integer < 1)
        grammar_fail(p, ERR_INVALID_PARAMETER_VALUE,
                     STR("precision for type float must be at least 1 bit"), STR_NONE,
                     token.position);
    else if (token.integer > 53)
        grammar_fail(p, ERR_INVALID_PARAMETER_VALUE,
                     STR("precision for type float must be less than 54 bits"), STR_NONE,
                     token.position);
    return token.integer;
}

/* `bit` alone in a column is bit(1). */
TypeName *type_bit(Grammar *p, bool varying, int position)
{
    return varying ? type_system(p, "varbit", position) : type_precision(p, "bit", 1, position);
}

/* word.integer: VARYING; length -1: none. */
TypeName *type_character(Grammar *p, Token word, int length)
{
    const char *name = word.integer ? "varchar" : "bpchar";

    return length < 0 ? type_system(p, name, word.position)
                      : type_precision(p, name, length, word.position);
}

TypeName *type_with_bounds(TypeName *type, const Bounds *bounds, bool setof)
{
    type->array_bounds.items = bounds->items;
    type->array_bounds.length = bounds->length;
    type->array_bounds.capacity = bounds->capacity;
    type->setof = setof;
    return type;
}

TypeName *type_as_array(Grammar *p, TypeName *type, int bound, bool setof)
{
    PUSH(type->array_bounds, bound);
    type->setof = setof;
    return type;
}

TypeName *type_percent(Grammar *p, Token name, const StrVec *attributes, bool setof)
{
    Names names = names_join(p, name, attributes);
    NodeVec none = {0};
    TypeName *type = type_named(p, &names, &none);

    type->percent_type = true;
    type->setof = setof;
    return type;
}

Node *type_pair(Grammar *p, TypeName *first, TypeName *second)
{
    ExprList *pair = NEW(ExprList, first->node.position);

    PUSH(pair->items, &first->node);
    PUSH(pair->items, &second->node);
    return &pair->node;
}

NodeVec interval_fields(Grammar *p, int fields, int position)
{
    NodeVec mods = {0};

    PUSH(mods, const_integer(p, fields, position));
    return mods;
}

NodeVec interval_precision(Grammar *p, int fields, int precision, int position)
{
    NodeVec mods = interval_fields(p, fields, position);

    PUSH(mods, const_integer(p, precision, position));
    return mods;
}

void interval_widen(NodeVec *mods, int fields)
{
    NODE_CAST(A_Const, mods->items[0])->integer |= fields;
}

Node *const_typed_mods(Grammar *p, const Names *names, const NodeVec *mods, const SortByVec *order,
                       Token string)
{
    for (size_t i = 0; i < mods->length; i++)
        if (NODE_IS(mods->items[i], NamedArgExpr))
            grammar_fail(p, ERR_SYNTAX_ERROR, STR("type modifier cannot have parameter name"),
                         STR_NONE, mods->items[i]->position);
    if (order->length > 0)
        grammar_fail(p, ERR_SYNTAX_ERROR, STR("type modifier cannot have ORDER BY"), STR_NONE,
                     names->position);
    return const_typed(p, type_named(p, names, mods), string);
}

Node *zone_interval(Grammar *p, const NodeVec *fields, Token word, Token string)
{
    if (fields->length > 0) {
        int32_t mask = NODE_CAST(A_Const, fields->items[0])->integer;
        if (mask & ~(INTERVAL_HOUR | INTERVAL_MINUTE))
            grammar_fail(p, ERR_SYNTAX_ERROR,
                         STR("time zone interval must be HOUR or HOUR TO MINUTE"), STR_NONE,
                         fields->items[0]->position);
    }
    return const_typed(p, type_system_mods(p, "interval", fields, word.position), string);
}

/* -- Operators ------------------------------------------------------------------------------- */

static A_Expr *expr_new(Grammar *p, A_ExprKind kind, Node *left, Node *right, int position)
{
    A_Expr *expr = NEW(A_Expr, position);

    expr->kind = kind;
    expr->lexpr = left;
    expr->rexpr = right;
    return expr;
}

Node *expr_op(Grammar *p, Token operator, Node * left, Node *right)
{
    A_Expr *expr = expr_new(p, A_EXPR_OP, left, right, operator.position);

    PUSH(expr->name, operator.text);
    return &expr->node;
}

Node *expr_names(Grammar *p, A_ExprKind kind, const Names *names, Node *left, Node *right)
{
    A_Expr *expr = expr_new(p, kind, left, right, names->position);

    expr->name = names->names;
    return &expr->node;
}

Node *expr_kind(Grammar *p, const WordOperator *op, Node *left, Node *right)
{
    A_Expr *expr = expr_new(p, op->kind, left, right, op->position);

    PUSH(expr->name, literal(op->name));
    return &expr->node;
}

Node *bool_expr(Grammar *p, BoolExprType op, Node *left, Node *right, int position)
{
    BoolExpr *flat = NODE_IS(left, BoolExpr) ? NODE_CAST(BoolExpr, left) : NULL;

    if (flat && flat->op == op) {
        PUSH(flat->args, right);
        return left;
    }
    BoolExpr *expr = NEW(BoolExpr, position);
    expr->op = op;
    PUSH(expr->args, left);
    PUSH(expr->args, right);
    return &expr->node;
}

Node *bool_expr_not(Grammar *p, Node *arg, int position)
{
    BoolExpr *expr = NEW(BoolExpr, position);

    expr->op = NOT_EXPR;
    PUSH(expr->args, arg);
    return &expr->node;
}

static FuncCall *call_new(Grammar *p, const Names *names, CoercionForm form)
{
    FuncCall *call = NEW(FuncCall, names->position);

    call->name = names->names;
    call->form = form;
    return call;
}

Node *call_sql_syntax(Grammar *p, const char *name, Node *const *args, int position)
{
    Names names = names_system(p, name, position);
    FuncCall *call = call_new(p, &names, COERCE_SQL_SYNTAX);

    for (; *args; args++)
        PUSH(call->args, *args);
    return &call->node;
}

Node *call_plain(Grammar *p, const char *name, const NodeVec *args, int position)
{
    Names names = names_first(p, (Token){.text = literal(name), .position = position});
    FuncCall *call = call_new(p, &names, COERCE_EXPLICIT_CALL);

    call->args = *args;
    return &call->node;
}

Node *expr_like(Grammar *p, const WordOperator *op, Node *left, Node *right, Node *escape)
{
    if (escape) {
        Names names = names_system(p, "like_escape", op->position);
        FuncCall *call = call_new(p, &names, COERCE_EXPLICIT_CALL);
        PUSH(call->args, right);
        PUSH(call->args, escape);
        right = &call->node;
    }
    return expr_kind(p, op, left, right);
}

Node *expr_similar(Grammar *p, const WordOperator *op, Node *left, Node *right, Node *escape)
{
    Names names = names_system(p, "similar_to_escape", op->position);
    FuncCall *call = call_new(p, &names, COERCE_EXPLICIT_CALL);

    PUSH(call->args, right);
    if (escape)
        PUSH(call->args, escape);
    return expr_kind(p, op, left, &call->node);
}

Node *expr_list_node(Grammar *p, const NodeVec *items)
{
    ExprList *list = NEW(ExprList, items->length ? node_position(items->items[0]) : 0);

    list->items = *items;
    return &list->node;
}

Node *expr_between(Grammar *p, const WordOperator *op, Node *arg, Node *low, Node *high)
{
    NodeVec bounds = {0};

    PUSH(bounds, low);
    PUSH(bounds, high);
    return expr_kind(p, op, arg, expr_list_node(p, &bounds));
}

Node *expr_in(Grammar *p, Node *arg, Node *right, bool negated, int position)
{
    if (!NODE_IS(right, SubLink))
        return expr_kind(p, WORD(A_EXPR_IN, negated ? "<>" : "=", position), arg, right);
    SubLink *link = NODE_CAST(SubLink, right);
    link->test_expr = arg;
    link->node.position = position;
    return negated ? bool_expr_not(p, right, position) : right;
}

SubLink *sub_link(Grammar *p, SubLinkType type, SelectStmt *select, int position)
{
    SubLink *link = NEW(SubLink, position);

    link->type = type;
    link->subselect = &select->node;
    return link;
}

Node *sub_link_op(Grammar *p, int type, Node *test, const Names *operator, SelectStmt * select)
{
    SubLink *link = sub_link(p, (SubLinkType)type, select, operator->position);

    link->test_expr = test;
    link->oper_name = operator->names;
    return &link->node;
}

Node *null_test(Grammar *p, Node *arg, bool is_not, int position)
{
    NullTest *test = NEW(NullTest, position);

    test->arg = arg;
    test->is_not = is_not;
    return &test->node;
}

Node *boolean_test(Grammar *p, Node *arg, BoolTestType type, int position)
{
    BooleanTest *test = NEW(BooleanTest, position);

    test->arg = arg;
    test->type = type;
    return &test->node;
}

Node *collate_clause(Grammar *p, Node *arg, const Names *names, int position)
{
    CollateClause *clause = NEW(CollateClause, position);

    clause->arg = arg;
    clause->collation = names->names;
    return &clause->node;
}

Node *xml_expr(Grammar *p, const char *feature, int position)
{
    XmlExpr *expr = NEW(XmlExpr, position);

    expr->feature = literal(feature);
    return &expr->node;
}

Node *row_expr(Grammar *p, const NodeVec *args, bool is_explicit, int position)
{
    RowExpr *row = NEW(RowExpr, position);

    row->args = *args;
    row->explicit_row = is_explicit;
    return &row->node;
}

Node *array_expr(Grammar *p, const NodeVec *elements, int position)
{
    A_ArrayExpr *array = NEW(A_ArrayExpr, position);

    array->elements = *elements;
    return &array->node;
}

Node *case_expr(Grammar *p, Node *arg, const CaseWhenVec *whens, Node *otherwise, int position)
{
    CaseExpr *expr = NEW(CaseExpr, position);

    expr->arg = arg;
    expr->whens = *whens;
    expr->default_result = otherwise;
    return &expr->node;
}

Node *min_max(Grammar *p, bool greatest, const NodeVec *args, int position)
{
    MinMaxExpr *expr = NEW(MinMaxExpr, position);

    expr->is_greatest = greatest;
    expr->args = *args;
    return &expr->node;
}

Node *value_function(Grammar *p, SQLValueFunctionOp op, int typmod, int position)
{
    SQLValueFunction *function = NEW(SQLValueFunction, position);

    function->op = op;
    function->typmod = typmod;
    return &function->node;
}

/* -- Columns and indirection ----------------------------------------------------------------- */

Node *field_name(Grammar *p, Token name)
{
    FieldName *field = NEW(FieldName, name.position);

    field->name = name.text;
    return &field->node;
}

Node *indices(Grammar *p, bool is_slice, Node *lower, Node *upper, int position)
{
    A_Indices *node = NEW(A_Indices, position);

    node->is_slice = is_slice;
    node->lidx = lower;
    node->uidx = upper;
    return &node->node;
}

Node *indirection(Grammar *p, Node *arg, const NodeVec *steps)
{
    if (steps->length == 0)
        return arg;
    A_Indirection *node = NEW(A_Indirection, node_position(arg));
    node->arg = arg;
    node->indirection = *steps;
    for (size_t i = 0; i + 1 < steps->length; i++)
        if (NODE_IS(steps->items[i], A_Star))
            grammar_fail(p, ERR_SYNTAX_ERROR, STR("improper use of \"*\""), STR_NONE,
                         steps->items[i]->position);
    return &node->node;
}

/* Fields up to the first subscript belong to the name; `.*` ends it. */
Node *column_ref(Grammar *p, Token name, const NodeVec *steps)
{
    ColumnRef *ref = NEW(ColumnRef, name.position);
    size_t i = 0;

    PUSH(ref->names, name.text);
    for (; steps && i < steps->length && NODE_IS(steps->items[i], FieldName); i++)
        PUSH(ref->names, NODE_CAST(FieldName, steps->items[i])->name);
    if (!steps || i == steps->length)
        return &ref->node;
    if (NODE_IS(steps->items[i], A_Star)) {
        ref->star = true;
        if (i + 1 < steps->length)
            grammar_fail(p, ERR_SYNTAX_ERROR, STR("improper use of \"*\""), STR_NONE,
                         steps->items[i]->position);
        return &ref->node;
    }
    NodeVec rest = {
        .items = steps->items + i, .length = steps->length - i, .capacity = steps->length - i};
    return indirection(p, &ref->node, &rest);
}

/* What may follow a column that is assigned to. */
NodeVec check_indirection(Grammar *p, const NodeVec *steps)
{
    for (size_t i = 0; i < steps->length; i++)
        if (NODE_IS(steps->items[i], A_Star) && i + 1 < steps->length)
            grammar_fail(p, ERR_SYNTAX_ERROR, STR("improper use of \"*\""), STR_NONE,
                         steps->items[i]->position);
    return *steps;
}

/* -- Functions ------------------------------------------------------------------------------- */

FuncCall *func_call(Grammar *p, const Names *names, const NodeVec *args, const SortByVec *order)
{
    FuncCall *call = call_new(p, names, COERCE_EXPLICIT_CALL);

    if (args)
        call->args = *args;
    if (order)
        call->agg_order = *order;
    return call;
}

Node *named_arg(Grammar *p, Token name, Node *arg)
{
    NamedArgExpr *node = NEW(NamedArgExpr, name.position);

    node->name = name.text;
    node->arg = arg;
    return &node->node;
}

Node *func_finish(Grammar *p, FuncCall *call, const OptSort *within, Node *filter, WindowDef *over)
{
    if (within->position) {
        const char *clash = call->agg_order.length ? "multiple ORDER BY clauses with WITHIN GROUP"
                            : call->agg_distinct   ? "DISTINCT with WITHIN GROUP"
                            : call->func_variadic  ? "VARIADIC with WITHIN GROUP"
                                                   : NULL;
        if (clash)
            grammar_fail(p, ERR_SYNTAX_ERROR, fmt("cannot use %s", clash), STR_NONE,
                         within->position);
        call->agg_order = within->list;
        call->agg_within_group = true;
    }
    call->agg_filter = filter;
    call->over = over;
    return &call->node;
}

Node *call_overlaps(Grammar *p, Node *left, Node *right, int position)
{
    const RowExpr *a = NODE_CAST(RowExpr, left), *b = NODE_CAST(RowExpr, right);
    Names names = names_system(p, "overlaps", position);
    FuncCall *call = call_new(p, &names, COERCE_SQL_SYNTAX);

    if (a->args.length != 2)
        grammar_fail(p, ERR_SYNTAX_ERROR,
                     STR("wrong number of parameters on left side of OVERLAPS expression"),
                     STR_NONE, position);
    else if (b->args.length != 2)
        grammar_fail(p, ERR_SYNTAX_ERROR,
                     STR("wrong number of parameters on right side of OVERLAPS expression"),
                     STR_NONE, position);
    for (size_t i = 0; i < a->args.length; i++)
        PUSH(call->args, a->args.items[i]);
    for (size_t i = 0; i < b->args.length; i++)
        PUSH(call->args, b->args.items[i]);
    return &call->node;
}

/* substring(x FOR n) starts at 1. */
Node *call_substring_for(Grammar *p, Node *arg, Node *count, int position)
{
    Node *start = const_integer(p, 1, 0);

    Node *length = type_cast(p, count, type_system(p, "int4", 0), 0);
    return call_sql_syntax(p, "substring", NODES(arg, start, length), position);
}

Node *call_treat(Grammar *p, Node *arg, TypeName *type, int position)
{
    Str name = VEC_LAST(&type->names);
    NodeVec args = {0};
    Names names = {.position = position};

    PUSH(names.names, STR("pg_catalog"));
    PUSH(names.names, name);
    PUSH(args, arg);
    return &func_call(p, &names, &args, NULL)->node;
}

Node *call_trim(Grammar *p, const char *name, const NodeVec *args, int position)
{
    Names names = names_system(p, name, position);
    FuncCall *call = call_new(p, &names, COERCE_SQL_SYNTAX);

    call->args = *args;
    return &call->node;
}

/* -- Windows and sorting --------------------------------------------------------------------- */

static void frame_fail(Grammar *p, const char *message, int position)
{
    grammar_fail(p, ERR_WINDOWING_ERROR, literal(message), STR_NONE, position);
}

Frame frame_single(Grammar *p, const Frame *bound)
{
    Frame frame = *bound;

    if (frame.options & FRAMEOPTION_START_UNBOUNDED_FOLLOWING)
        frame_fail(p, "frame start cannot be UNBOUNDED FOLLOWING", bound->position);
    if (frame.options & FRAMEOPTION_START_OFFSET_FOLLOWING)
        frame_fail(p, "frame starting from following row cannot end with current row",
                   bound->position);
    frame.options |= FRAMEOPTION_END_CURRENT_ROW;
    return frame;
}

Frame frame_between(Grammar *p, const Frame *start, const Frame *end)
{
    /* The end's bits are one place above the start's. */
    Frame frame = {.options = start->options | end->options << 1 | FRAMEOPTION_BETWEEN,
                   .start = start->start,
                   .end = end->start,
                   .position = start->position};
    int options = frame.options;

    if (options & FRAMEOPTION_START_UNBOUNDED_FOLLOWING)
        frame_fail(p, "frame start cannot be UNBOUNDED FOLLOWING", start->position);
    if (options & FRAMEOPTION_END_UNBOUNDED_PRECEDING)
        frame_fail(p, "frame end cannot be UNBOUNDED PRECEDING", end->position);
    if ((options & FRAMEOPTION_START_CURRENT_ROW) && (options & FRAMEOPTION_END_OFFSET_PRECEDING))
        frame_fail(p, "frame starting from current row cannot have preceding rows", end->position);
    if ((options & FRAMEOPTION_START_OFFSET_FOLLOWING) &&
        (options & (FRAMEOPTION_END_OFFSET_PRECEDING | FRAMEOPTION_END_CURRENT_ROW)))
        frame_fail(p, "frame starting from following row cannot have preceding rows",
                   end->position);
    return frame;
}

SortBy *sort_by(Grammar *p, Node *expr, int direction, int nulls)
{
    SortBy *sort = NEW(SortBy, 0);

    sort->expr = expr;
    sort->direction = (SortByDir)direction;
    sort->nulls = (SortByNulls)nulls;
    return sort;
}
