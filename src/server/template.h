/*
 * The template that this program carries behind its own bytes: a directory as `sengi init` makes
 * it, made when the program was built (tools/embed_template.sh), so that init writes it out
 * instead of running what makes it.
 *
 *   program, template (storage/store_template.h), trailer {magic, template's length}
 *
 * A program without one, such as a test's or a stripped one, makes everything itself.
 */
#ifndef SERVER_TEMPLATE_H
#define SERVER_TEMPLATE_H

#include "base/base.h"
#include "base/str.h"

/* STR_NONE: there is none. */
MUST_CHECK bool server_template_find(Arena *arena, Str *ret_template);

#endif
