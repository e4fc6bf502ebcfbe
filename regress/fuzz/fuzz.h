/*
 * What the fuzz targets share: the entry that libFuzzer (or replay.c) calls, and a reader that
 * takes an input apart.
 *
 * A target is one file fuzz_NAME.c with FUZZ_TARGET and seeds in seeds/NAME. It must end the same
 * way for the same bytes, leave no error set, and call fuzz_require where more than "no crash" is
 * promised: what is accepted is printed, what is printed is accepted, and so on.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/os.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_TARGET(data, size) int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)

/* A promise that does not hold ends the run, and the input is kept. */
#define fuzz_require(condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            if (error_is_set())                                                                    \
                fprintf(stderr, "error: %.*s\n", STR_ARGS(error_fields()->message));               \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The rest of an input; taking from an empty one gives zeros. */
typedef struct Input {
    Str rest;
} Input;

static inline Input input_of(const uint8_t *data, size_t size)
{
    return (Input){.rest = str_make(data, size)};
}

static inline uint8_t input_byte(Input *input)
{
    if (input->rest.length == 0)
        return 0;
    input->rest.length--;
    return (uint8_t)*input->rest.data++;
}

static inline uint32_t input_number(Input *input, int bytes)
{
    uint32_t number = 0;

    for (int i = 0; i < bytes; i++)
        number |= (uint32_t)input_byte(input) << (8 * i);
    return number;
}

/* The next `length` bytes, or as many as are left. */
static inline Str input_bytes(Input *input, size_t length)
{
    const Str taken = str_slice(input->rest, 0, length);

    input->rest = str_slice(input->rest, taken.length, input->rest.length);
    return taken;
}

/* A piece with its length in front. */
static inline Str input_piece(Input *input)
{
    return input_bytes(input, input_byte(input));
}

#endif
