/* Prototypes of what grammar_*.c build; one call a grammar action. */
#ifndef PARSER_GRAMMAR_BUILD_H
#define PARSER_GRAMMAR_BUILD_H

#include "parser/grammar.h"

/* grammar_expr.c */
Token token_word(Token token, const char *word);
Token token_flag(Token token, bool flag);
Token token_at(const DefElem *option);
Token token_join(Grammar *p, Token first, Token second);
Names names_first(Grammar *p, Token name);
Names names_join(Grammar *p, Token name, const StrVec *rest);
Names names_indirection(Grammar *p, Token name, const NodeVec *indirection);
Names names_operator(Grammar *p, const char *operator, Token token);
Node *object_name(Grammar *p, const Names *names);
Node *object_name_simple(Grammar *p, Token name);
Node *object_name_on(Grammar *p, Token name, const Names *relation);
RangeVar *range_var_simple(Grammar *p, Token name);
RangeVar *range_var_qualified(Grammar *p, Token name, const NodeVec *indirection);
RoleSpec *role_spec(Grammar *p, RoleSpecKind kind, Token token);
RoleSpec *role_spec_name(Grammar *p, Token name);
Str role_id(Grammar *p, const RoleSpec *role);
Node *const_integer(Grammar *p, int32_t value, int position);
Node *const_float(Grammar *p, Token token);
Node *const_string(Grammar *p, Token token);
Node *const_text(Grammar *p, Str text, int position);
Node *const_bit(Grammar *p, Token token);
Node *const_null(Grammar *p, int position);
Node *const_boolean(Grammar *p, bool value, int position);
Node *const_negate(Grammar *p, Node *arg, int position);
Node *type_cast(Grammar *p, Node *arg, TypeName *type, int position);
Node *const_typed(Grammar *p, TypeName *type, Token string);
Node *param_ref(Grammar *p, Token token);
TypeName *type_named(Grammar *p, const Names *names, const NodeVec *typmods);
TypeName *type_system_mods(Grammar *p, const char *name, const NodeVec *typmods, int position);
TypeName *type_system(Grammar *p, const char *name, int position);
TypeName *type_precision(Grammar *p, const char *name, int precision, int position);
TypeName *type_float(Grammar *p, int precision, int position);
int float_precision(Grammar *p, Token token);
TypeName *type_bit(Grammar *p, bool varying, int position);
TypeName *type_character(Grammar *p, Token word, int length);
TypeName *type_with_bounds(TypeName *type, const Bounds *bounds, bool setof);
TypeName *type_as_array(Grammar *p, TypeName *type, int bound, bool setof);
TypeName *type_percent(Grammar *p, Token name, const StrVec *attributes, bool setof);
Node *type_pair(Grammar *p, TypeName *first, TypeName *second);
NodeVec interval_fields(Grammar *p, int fields, int position);
NodeVec interval_precision(Grammar *p, int fields, int precision, int position);
void interval_widen(NodeVec *mods, int fields);
Node *const_typed_mods(Grammar *p, const Names *names, const NodeVec *mods, const SortByVec *order,
                       Token string);
Node *zone_interval(Grammar *p, const NodeVec *fields, Token word, Token string);
Node *expr_op(Grammar *p, Token operator, Node * left, Node *right);
Node *expr_names(Grammar *p, A_ExprKind kind, const Names *names, Node *left, Node *right);
Node *expr_kind(Grammar *p, const WordOperator *op, Node *left, Node *right);
Node *bool_expr(Grammar *p, BoolExprType op, Node *left, Node *right, int position);
Node *bool_expr_not(Grammar *p, Node *arg, int position);
Node *call_sql_syntax(Grammar *p, const char *name, Node *const *args, int position);
Node *call_plain(Grammar *p, const char *name, const NodeVec *args, int position);
Node *expr_like(Grammar *p, const WordOperator *op, Node *left, Node *right, Node *escape);
Node *expr_similar(Grammar *p, const WordOperator *op, Node *left, Node *right, Node *escape);
Node *expr_list_node(Grammar *p, const NodeVec *items);
Node *expr_between(Grammar *p, const WordOperator *op, Node *arg, Node *low, Node *high);
Node *expr_in(Grammar *p, Node *arg, Node *right, bool negated, int position);
SubLink *sub_link(Grammar *p, SubLinkType type, SelectStmt *select, int position);
Node *sub_link_op(Grammar *p, int type, Node *test, const Names *operator, SelectStmt * select);
Node *null_test(Grammar *p, Node *arg, bool is_not, int position);
Node *boolean_test(Grammar *p, Node *arg, BoolTestType type, int position);
Node *collate_clause(Grammar *p, Node *arg, const Names *names, int position);
Node *xml_expr(Grammar *p, const char *feature, int position);
Node *row_expr(Grammar *p, const NodeVec *args, bool is_explicit, int position);
Node *array_expr(Grammar *p, const NodeVec *elements, int position);
Node *case_expr(Grammar *p, Node *arg, const CaseWhenVec *whens, Node *otherwise, int position);
Node *min_max(Grammar *p, bool greatest, const NodeVec *args, int position);
Node *value_function(Grammar *p, SQLValueFunctionOp op, int typmod, int position);
Node *field_name(Grammar *p, Token name);
Node *indices(Grammar *p, bool is_slice, Node *lower, Node *upper, int position);
Node *indirection(Grammar *p, Node *arg, const NodeVec *steps);
Node *column_ref(Grammar *p, Token name, const NodeVec *steps);
NodeVec check_indirection(Grammar *p, const NodeVec *steps);
FuncCall *func_call(Grammar *p, const Names *names, const NodeVec *args, const SortByVec *order);
Node *named_arg(Grammar *p, Token name, Node *arg);
Node *func_finish(Grammar *p, FuncCall *call, const OptSort *within, Node *filter, WindowDef *over);
Node *call_overlaps(Grammar *p, Node *left, Node *right, int position);
Node *call_substring_for(Grammar *p, Node *arg, Node *count, int position);
Node *call_treat(Grammar *p, Node *arg, TypeName *type, int position);
Node *call_trim(Grammar *p, const char *name, const NodeVec *args, int position);
Frame frame_single(Grammar *p, const Frame *bound);
Frame frame_between(Grammar *p, const Frame *start, const Frame *end);
SortBy *sort_by(Grammar *p, Node *expr, int direction, int nulls);
/* grammar_query.c */
ResTarget *res_target(Grammar *p, Node *value, Str name, int position);
ResTarget *res_target_star(Grammar *p, int position);
SelectStmt *select_table(Grammar *p, RangeVar *relation, int position);
SelectLimit *select_limit(Grammar *p, Node *count, LimitOption option);
SelectStmt *select_finish(Grammar *p, SelectStmt *select, const SortByVec *sort,
                          const LockingClauseVec *locking, const SelectLimit *limit);
SelectStmt *select_with(Grammar *p, SelectStmt *select, WithClause *with);
Node *grouping_set(Grammar *p, GroupingSetKind kind, const NodeVec *content, int position);
Node *cte_search(Grammar *p, bool breadth_first, const StrVec *columns, Token sequence,
                 int position);
Alias *alias_new(Grammar *p, Token name, const StrVec *columns);
RangeFunction *func_table(Grammar *p, Node *function, bool ordinality);
Node *range_function(RangeFunction *range, const FuncAlias *alias, bool lateral);
Node *range_subselect(Grammar *p, SelectStmt *select, Alias *alias, bool lateral);
Node *table_sample(Grammar *p, const Names *method, const NodeVec *args, Node *repeatable,
                   int position);
ResTargetVec set_multiple(Grammar *p, const ResTargetVec *targets, Node *source);
MergeWhenClause *merge_when(MergeWhenClause *clause, bool matched, Node *condition, int position);
MergeWhenClause *merge_insert(Grammar *p, const ResTargetVec *columns, OverridingKind overriding,
                              const NodeVec *values);
FetchStmt *fetch(Grammar *p, FetchDirection direction, int64_t count, Token cursor);
Node *execute_stmt(Grammar *p, Token name, const NodeVec *params, int position);
Node *deallocate(Grammar *p, Str name, int position);
Node *explain(Grammar *p, Node *query, const DefElemVec *options, int position);
/* grammar_define.c */
DefElem *def_elem(Grammar *p, Token name, Node *arg);
DefElem *def_named(Grammar *p, const char *name, Node *arg, int position);
DefElem *def_bool(Grammar *p, const char *name, bool value, int position);
DefElem *def_text(Grammar *p, const char *name, const char *value, int position);
Node *strings_node(Grammar *p, const StrVec *names);
Node *roles_node(Grammar *p, const RoleSpecVec *roles);
ColumnDef *column_def(Grammar *p, Token name, TypeName *type);
void column_quals(ColumnDef *column, const ColumnQuals *quals);
void column_collate(Grammar *p, ColumnQuals *quals, const Names *names, int position);
Constraint *constraint(Grammar *p, ConstraintType type, int position);
Constraint *constraint_index(Grammar *p, const Constraint *parts, int position);
Constraint *constraint_generated(Grammar *p, Token when, Node *expr, int position);
Constraint *constraint_foreign(Grammar *p, const Constraint *parts, const KeyActions *actions,
                               int position);
void constraint_exclusion(Constraint *node, Str method, const Exclusion *exclusion, Node *where);
Exclusion exclusion(Grammar *p, IndexElem *elem, const Names *operator);
void exclusion_append(Grammar *p, Exclusion *list, const Exclusion *more);
ConstraintAttrs constraint_attr_add(Grammar *p, ConstraintAttrs attrs, ConstraintAttr attr);
void constraint_attrs(Grammar *p, Constraint *node, const ConstraintAttrs *attrs, const char *kind,
                      int allowed);
KeyActions key_action(FkAction action, const StrVec *columns);
KeyActions key_update(Grammar *p, const KeyActions *actions, int position);
CreateStmt *create_table(Grammar *p, RangeVar *relation, int persistence, bool if_not_exists,
                         int position);
void create_table_finish(CreateStmt *statement, PartitionSpec *partition, Str method,
                         const DefElemVec *options, int on_commit);
Node *create_table_as(Grammar *p, const CreateTableAsStmt *parts, int persistence, bool with_data,
                      int position);
PartitionBoundSpec *partition_hash(Grammar *p, const DefElemVec *options, int position);
Node *partition_cmd_node(Grammar *p, RangeVar *name, PartitionBoundSpec *bound, bool concurrent);
IndexElem *index_elem(Grammar *p, Str name, Node *expr, int position);
Node *create_sequence(Grammar *p, const CreateSeqStmt *parts, int persistence, int position);
Node *alter_sequence(Grammar *p, const AlterRelation *relation, const DefElemVec *options,
                     int position);
Node *view_stmt(Grammar *p, const ViewStmt *parts, int persistence, int position);
Node *view_recursive(Grammar *p, const ViewStmt *parts, int persistence, int position);
Node *create_schema(Grammar *p, const CreateSchemaStmt *parts, int position);
AlterRelation alter_relation(ObjectType type, RangeVar *relation, bool missing_ok);
Node *alter_table(Grammar *p, const AlterRelation *relation, const AlterTableCmdVec *commands,
                  int position);
AlterTableCmd *at_cmd(Grammar *p, AlterTableType type, Str name, Node *def);
int at_column_number(Grammar *p, int number);
AlterTableCmd *at_column_type(Grammar *p, Token name, TypeName *type, CollateClause *collate,
                              Node *using_expr);
AlterTableCmd *at_alter_constraint(Grammar *p, Token name, const ConstraintAttrs *attrs,
                                   int position);
Node *replica_identity(Grammar *p, char type, Str name);
Node *alter_depends(Grammar *p, const AlterRelation *relation, Token depends, int position);
Node *alter_index_attach(Grammar *p, const AlterRelation *relation, RangeVar *name, Token attach,
                         int position);
/* grammar_command.c */
Node *unsupported(Grammar *p, const char *command, int position);
ObjectAddress object_address(int type, Node *object);
FunctionParameter *function_parameter(Grammar *p, int mode, const Token *name, TypeName *type);
ObjectWithArgs *object_with_args(Grammar *p, const Names *names, const FunctionParameterVec *args);
ObjectWithArgs *operator_with_args(Grammar *p, const Names *names, TypeName *left, TypeName *right);
Node *drop_one(Grammar *p, Node *object, DropStmt *statement);
Node *drop_database(Grammar *p, Str name, bool missing_ok, const DefElemVec *options, int position);
Node *drop_role(Grammar *p, const RoleSpecVec *roles, bool missing_ok, int position);
Node *rename_relation(Grammar *p, const AlterRelation *relation, const RenameStmt *parts,
                      int position);
Node *rename_object(Grammar *p, const ObjectAddress *object, Str part, Token name, int position);
Node *rename_role(Grammar *p, Str from, Str to, int position);
Node *alter_database(Grammar *p, const ObjectAddress *object, const DefElemVec *options,
                     Token token, int position);
Node *alter_object_set(Grammar *p, const ObjectAddress *object, VariableSetStmt *set, int position);
DefElem *role_option(Grammar *p, Token word);
Node *alter_role(Grammar *p, RoleSpec *role, const DefElemVec *options, int action, int position);
Node *alter_group(Grammar *p, RoleSpec *role, const RoleSpecVec *members, int action, int position);
Node *alter_role_set(Grammar *p, RoleSpec *role, Str database, VariableSetStmt *set, int position);
AccessPriv *access_priv(Grammar *p, Str name, const StrVec *columns, int position);
PrivilegeTarget privileges_on(GrantTargetType target, ObjectType type, const NodeVec *objects);
PrivilegeTarget privileges_relations(Grammar *p, ObjectType type, const RangeVarVec *relations);
void grant_make_revoke(Node *grant, DropBehavior behavior);
Node *transaction(Grammar *p, TransactionStmtKind kind, const DefElemVec *options, bool chain,
                  int position);
Node *transaction_savepoint(Grammar *p, TransactionStmtKind kind, Token name, int position);
Node *transaction_prepared(Grammar *p, TransactionStmtKind kind, Token gid, int position);
Node *discard(Grammar *p, DiscardMode target, int position);
VariableSetStmt *variable_set(Grammar *p, VariableSetKind kind, Str name, const NodeVec *args);
VariableSetStmt *variable_set_one(Grammar *p, const char *name, Node *value);
VariableSetStmt *variable_multi(Grammar *p, const char *name, const DefElemVec *modes);
Node *variable_show(Grammar *p, Str name, int position);
Node *vacuum(Grammar *p, bool is_vacuum, const DefElemVec *options,
             const VacuumRelationVec *relations, int position);
Node *vacuum_old(Grammar *p, const Token *words, const VacuumRelationVec *relations, int position);
Node *cluster(Grammar *p, RangeVar *relation, Str index, const DefElemVec *options, int position);
Node *reindex(Grammar *p, const ReindexStmt *parts, bool concurrent, int position);
Node *copy_stmt(Grammar *p, const CopyParts *parts, int position);
#endif
