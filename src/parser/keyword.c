/* The key words of SQL. */
#include "parser/keyword_table.h"

const Keyword *keyword_find(Str name)
{
    size_t low = 0, high = keyword_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_compare(keyword_table[middle].name, name);
        if (order == 0)
            return &keyword_table[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const Keyword *keyword_list(size_t *ret_count)
{
    *ret_count = keyword_count;
    return keyword_table;
}
