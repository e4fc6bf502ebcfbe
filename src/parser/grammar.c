/* Errors and statements: the parts of the grammar's helpers that are not about nodes. */
#include "parser/grammar.h"

void grammar_fail(Grammar *p, SqlState state, Str message, Str hint, int position)
{
    if (p->failed)
        return;
    p->failed = true;
    ERROR_SET(state, .message = message, .hint = hint, .position = position);
}

void grammar_fail_unsupported(Grammar *p, const char *message, int position)
{
    grammar_fail(p, ERR_FEATURE_NOT_SUPPORTED, str_from_c(message), STR_NONE, position);
}

void grammar_syntax_error(Grammar *p, const Token *token)
{
    Str near = token->end > token->start
                   ? str_slice(p->text, token->start, token->end - token->start)
                   : token->text;

    if (token->code == 0 && near.length == 0)
        grammar_fail(p, ERR_SYNTAX_ERROR, STR("syntax error at end of input"), STR_NONE,
                     token->position);
    else
        grammar_fail(p, ERR_SYNTAX_ERROR, fmt("syntax error at or near \"%.*s\"", STR_ARGS(near)),
                     STR_NONE, token->position);
}

void grammar_add_statement(Grammar *p, Node *statement)
{
    if (!statement || p->failed)
        return;
    RawStmt *raw = NODE_NEW(p->arena, RawStmt, p->statement_position);
    raw->stmt = statement;
    raw->text = str_slice(p->text, p->statement_start, p->semicolon_start - p->statement_start);
    VEC_PUSH(p->arena, p->statements, raw);
}

void grammar_warn_global(Grammar *p, Token token)
{
    (void)p;
    NOTICE(SEVERITY_WARNING, ERR_SUCCESSFUL_COMPLETION,
           .message = STR("GLOBAL is deprecated in temporary table creation"),
           .position = token.position);
}

void grammar_check_identity_option(Grammar *p, const DefElem *option)
{
    static const char *const refused[] = {"as", "restart", "owned_by"};

    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
        if (str_equal(option->name, str_from_c(refused[i])))
            grammar_fail(p, ERR_SYNTAX_ERROR,
                         fmt("sequence option \"%.*s\" not supported here", STR_ARGS(option->name)),
                         STR_NONE, option->node.position);
}

void grammar_expect(Grammar *p, const ObjectAddress *object, ObjectType type, Token token)
{
    if (object->type != type)
        grammar_syntax_error(p, &token);
}
