/*
 * Nodes: what the parser's trees are made of.
 *
 * Each node is a struct whose first member is a Node: a tag and the position of the token that an
 * error message points at (1-based, in characters; 0 where there is none). Trees live in the arena
 * given to the parser and are immutable once parsed; their text is in that arena too, or
 * static, never in the query string, so a tree may outlive the text it came from (RawStmt.text
 * is the exception).
 *
 *   if (NODE_IS(node, ColumnRef)) {
 *       const ColumnRef *ref = NODE_CAST(ColumnRef, node);
 *   switch (node->tag) { case NODE_A_CONST: …
 *   TypeCast *cast = NODE_NEW(arena, TypeCast, position);
 *
 * Lists are vectors by value (base/vec.h): an absent list has length 0. Optional texts are
 * STR_NONE where absent, optional nodes NULL.
 */
#ifndef PARSER_NODE_H
#define PARSER_NODE_H

#include "base/arena.h"
#include "base/str.h"
#include "base/vec.h"
#include "parser/node_tags.h"

typedef enum NodeTag {
    NODE_INVALID = 0,
#define X(TAG, type) NODE_##TAG,
    NODE_TAGS(X)
#undef X
        NODE_TAG_COUNT
} NodeTag;

typedef struct Node {
    NodeTag tag;
    int position;
} Node;

/* NODE_TAG_OF_SelectStmt == NODE_SELECT_STMT, so that macros get from the type to its tag. */
enum {
#define X(TAG, type) NODE_TAG_OF_##type = NODE_##TAG,
    NODE_TAGS(X)
#undef X
};

#define X(TAG, type) typedef struct type type;
NODE_TAGS(X)
#undef X

typedef VEC(Node *) NodeVec;
typedef VEC(Str) StrVec;
typedef VEC(NodeVec) NodeVecVec;
typedef VEC(ResTarget *) ResTargetVec;
typedef VEC(SortBy *) SortByVec;
typedef VEC(WindowDef *) WindowDefVec;
typedef VEC(CaseWhen *) CaseWhenVec;
typedef VEC(CommonTableExpr *) CommonTableExprVec;
typedef VEC(LockingClause *) LockingClauseVec;
typedef VEC(MergeWhenClause *) MergeWhenClauseVec;
typedef VEC(IndexElem *) IndexElemVec;
typedef VEC(DefElem *) DefElemVec;
typedef VEC(TypeName *) TypeNameVec;
typedef VEC(ColumnDef *) ColumnDefVec;
typedef VEC(RangeVar *) RangeVarVec;
typedef VEC(RangeFunctionItem *) RangeFunctionItemVec;
typedef VEC(Constraint *) ConstraintVec;
typedef VEC(AlterTableCmd *) AlterTableCmdVec;
typedef VEC(RoleSpec *) RoleSpecVec;
typedef VEC(AccessPriv *) AccessPrivVec;
typedef VEC(VacuumRelation *) VacuumRelationVec;
typedef VEC(FunctionParameter *) FunctionParameterVec;
typedef VEC(TriggerTransition *) TriggerTransitionVec;
typedef VEC(ObjectWithArgs *) ObjectWithArgsVec;
typedef VEC(RawStmt *) StatementList;

Node *node_new_sized(Arena *arena, NodeTag tag, size_t size, int position); /* zeroed */
#define NODE_NEW(arena, type, position_)                                                           \
    ((type *)node_new_sized((arena), (NodeTag)NODE_TAG_OF_##type, sizeof(type), (position_)))

#define NODE_IS(node, type)                                                                        \
    ((node) != NULL && ((const Node *)(node))->tag == (NodeTag)NODE_TAG_OF_##type)

/* The node as its own type; NULL stays NULL. Asserts the tag. */
static inline void *node_cast_checked(const Node *node, NodeTag tag)
{
    assert(!node || node->tag == tag);
    (void)tag;
    return (void *)(uintptr_t)node;
}
#define NODE_CAST(type, node)                                                                      \
    ((type *)node_cast_checked((const Node *)(node), (NodeTag)NODE_TAG_OF_##type))

/* The type's name as in its struct: "SelectStmt". For messages of our own and for dumps. */
const char *node_name(NodeTag tag);

/* "a.b.c", for messages; no quoting. */
Str name_list_text(Arena *arena, const StrVec *names);

#endif
