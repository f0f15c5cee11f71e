/*
 * mem: allocation that cannot return NULL, an arena, and a growing buffer.
 *
 * Out of memory ends the process (the supervisor restarts it, nothing durable is lost). Anything sized by input
 * meets a named limit before it comes here.
 */
#ifndef CS_BASE_MEM_H
#define CS_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "cs/base/auto.h"
#include "cs/base/err.h"

void *cs_alloc(size_t size_bytes);               /* zeroed */
void *cs_alloc_array(size_t count, size_t size); /* zeroed; overflow ends the process */
void *cs_realloc(void *old, size_t size_bytes);
char *cs_strdup(const char *text);
char *cs_strndup(const char *text, size_t length_max);
char *cs_sprintf(const char *fmt, ...) CS_PRINTF(1, 2); /* caller frees */

/* ---- arena: everything is freed at once. Not thread-safe. ---- */
struct cs_arena;

struct cs_arena *cs_arena_create(void);
/* For what lives long and is small: the first block has about that size, later ones a quarter of it, within bounds. */
struct cs_arena *cs_arena_create_sized(size_t first_bytes);
void cs_arena_destroy(struct cs_arena *arena);
void cs_arena_reset(struct cs_arena *arena);                     /* frees all but the first block */
void *cs_arena_alloc(struct cs_arena *arena, size_t size_bytes); /* zeroed, 16-aligned */
void *cs_arena_array(struct cs_arena *arena, size_t count, size_t size);
void *cs_arena_copy(struct cs_arena *arena, const void *bytes, size_t size_bytes);
char *cs_arena_strdup(struct cs_arena *arena, const char *text); /* NULL gives "" */
char *cs_arena_strndup(struct cs_arena *arena, const char *text, size_t length_max);
char *cs_arena_sprintf(struct cs_arena *arena, const char *fmt, ...) CS_PRINTF(2, 3);

CS_DEFINE_AUTO(cs_arena, cs_arena_destroy)

/* ---- buf: bytes that grow. data is always NUL-terminated once something was put. ---- */
struct cs_buf {
    char *data;
    size_t size;
    size_t capacity;
};

void cs_buf_fini(struct cs_buf *buf);
void cs_buf_clear(struct cs_buf *buf);
void cs_buf_put(struct cs_buf *buf, const void *bytes, size_t size_bytes);
void cs_buf_puts(struct cs_buf *buf, const char *text);
void cs_buf_putc(struct cs_buf *buf, char c);
void cs_buf_printf(struct cs_buf *buf, const char *fmt, ...) CS_PRINTF(2, 3);
void cs_buf_vprintf(struct cs_buf *buf, const char *fmt, va_list args) CS_PRINTF(2, 0);
char *cs_buf_steal(struct cs_buf *buf); /* caller frees; buf is empty again; never NULL */

#define CS_AUTO_BUF __attribute__((cleanup(cs_buf_fini))) struct cs_buf

#endif
