/*
 * id: random names.
 *
 * Trust    from getrandom(2); unguessable.
 */
#ifndef CS_BASE_ID_H
#define CS_BASE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CS_ID_LENGTH = 21, /* of [0-9A-Za-z]: 125 bits */
    CS_ID_SIZE = 22,   /* with NUL */
};

void cs_random_bytes(void *ret_bytes, size_t size_bytes);
uint64_t cs_random_u64(void);
void cs_id_make(char ret_id[CS_ID_SIZE]);

/* 1 … length_max bytes of [A-Za-z0-9_.:-], and neither "." nor ".." */
bool cs_id_valid(const char *id, size_t length_max);

#endif
