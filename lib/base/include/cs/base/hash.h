/*
 * hash: uthash under our rule for memory: out of memory ends the process, like cs_alloc.
 */
#ifndef CS_BASE_HASH_H
#define CS_BASE_HASH_H

#include <stdlib.h>

#include "cs/base/mem.h"

#define uthash_malloc(size) cs_alloc(size)
#define uthash_fatal(message) abort()
#include <uthash.h>

#endif
