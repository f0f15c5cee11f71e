#include "cs/base/mem.h"

#include <stdalign.h>
#include <stdio.h>
#include <string.h>

static void *checked(void *memory) {
    if (memory == NULL) {
        (void)fputs("{\"level\":\"error\",\"event\":\"out of memory\"}\n", stderr);
        abort();
    }
    return memory;
}

void *cs_alloc(size_t size_bytes) {
    return checked(calloc(1, size_bytes != 0 ? size_bytes : 1));
}

void *cs_alloc_array(size_t count, size_t size) {
    return checked(calloc(count != 0 ? count : 1, size != 0 ? size : 1));
}

void *cs_realloc(void *old, size_t size_bytes) {
    return checked(realloc(old, size_bytes != 0 ? size_bytes : 1));
}

char *cs_strdup(const char *text) {
    return checked(strdup(text));
}

char *cs_strndup(const char *text, size_t length_max) {
    return checked(strndup(text, length_max));
}

char *cs_sprintf(const char *fmt, ...) {
    struct cs_buf buf = {0};
    va_list args;
    va_start(args, fmt);
    cs_buf_vprintf(&buf, fmt, args);
    va_end(args);
    return cs_buf_steal(&buf);
}

/* ---- arena ---- */

enum { BLOCK_SIZE = 16 * 1024, BLOCK_SIZE_MIN = 1024, ALIGNMENT = 16 };

struct block {
    struct block *next;
    size_t used;
    size_t capacity;
    alignas(ALIGNMENT) unsigned char bytes[];
};

struct cs_arena {
    struct block *head; /* the newest */
    size_t block_size;  /* of the next, unless more is asked for at once */
};

static struct block *block_create(size_t capacity, struct block *next) {
    struct block *block = checked(malloc(sizeof(*block) + capacity));
    block->next = next;
    block->used = 0;
    block->capacity = capacity;
    return block;
}

static size_t aligned(size_t size_bytes) {
    return (size_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static struct cs_arena *create(size_t first_bytes, size_t block_size) {
    struct cs_arena *arena = cs_alloc(sizeof(*arena));
    arena->head = block_create(first_bytes, NULL);
    arena->block_size = block_size;
    return arena;
}

struct cs_arena *cs_arena_create(void) {
    return create(BLOCK_SIZE, BLOCK_SIZE);
}

struct cs_arena *cs_arena_create_sized(size_t first_bytes) {
    size_t later = first_bytes / 4 < BLOCK_SIZE_MIN ? BLOCK_SIZE_MIN
                   : first_bytes / 4 > BLOCK_SIZE   ? BLOCK_SIZE
                                                    : first_bytes / 4;
    return create(aligned(first_bytes), aligned(later));
}

void cs_arena_reset(struct cs_arena *arena) {
    while (arena->head->next != NULL) {
        struct block *next = arena->head->next;
        free(arena->head);
        arena->head = next;
    }
    arena->head->used = 0;
}

void cs_arena_destroy(struct cs_arena *arena) {
    if (arena == NULL) {
        return;
    }
    cs_arena_reset(arena);
    free(arena->head);
    free(arena);
}

void *cs_arena_alloc(struct cs_arena *arena, size_t size_bytes) {
    if (size_bytes > SIZE_MAX / 2) {
        checked(NULL);
    }
    size_t need = aligned(size_bytes);
    if (arena->head->capacity - arena->head->used < need) {
        arena->head = block_create(need > arena->block_size ? need : arena->block_size, arena->head);
    }
    void *memory = arena->head->bytes + arena->head->used;
    arena->head->used += need;
    memset(memory, 0, need);
    return memory;
}

void *cs_arena_array(struct cs_arena *arena, size_t count, size_t size) {
    size_t total = 0;
    if (__builtin_mul_overflow(count, size, &total)) {
        checked(NULL);
    }
    return cs_arena_alloc(arena, total);
}

void *cs_arena_copy(struct cs_arena *arena, const void *bytes, size_t size_bytes) {
    void *copy = cs_arena_alloc(arena, size_bytes);
    if (size_bytes != 0) {
        memcpy(copy, bytes, size_bytes);
    }
    return copy;
}

char *cs_arena_strndup(struct cs_arena *arena, const char *text, size_t length_max) {
    size_t length = strnlen(text, length_max);
    char *copy = cs_arena_alloc(arena, length + 1);
    memcpy(copy, text, length);
    return copy;
}

char *cs_arena_strdup(struct cs_arena *arena, const char *text) {
    const char *source = text != NULL ? text : "";
    return cs_arena_strndup(arena, source, strlen(source));
}

char *cs_arena_sprintf(struct cs_arena *arena, const char *fmt, ...) {
    CS_AUTO_BUF buf = {0};
    va_list args;
    va_start(args, fmt);
    cs_buf_vprintf(&buf, fmt, args);
    va_end(args);
    return cs_arena_strndup(arena, buf.data != NULL ? buf.data : "", buf.size);
}

/* ---- buf ---- */

void cs_buf_fini(struct cs_buf *buf) {
    free(buf->data);
    *buf = (struct cs_buf){0};
}

void cs_buf_clear(struct cs_buf *buf) {
    buf->size = 0;
    if (buf->data != NULL) {
        buf->data[0] = '\0';
    }
}

static void reserve(struct cs_buf *buf, size_t more) {
    size_t need = 0;
    if (__builtin_add_overflow(buf->size, more + 1, &need)) {
        checked(NULL);
    }
    if (need <= buf->capacity) {
        return;
    }
    size_t capacity = buf->capacity != 0 ? buf->capacity : 64;
    while (capacity < need) {
        capacity *= 2;
    }
    buf->data = cs_realloc(buf->data, capacity);
    buf->capacity = capacity;
}

void cs_buf_put(struct cs_buf *buf, const void *bytes, size_t size_bytes) {
    reserve(buf, size_bytes);
    if (size_bytes != 0) {
        memcpy(buf->data + buf->size, bytes, size_bytes);
    }
    buf->size += size_bytes;
    buf->data[buf->size] = '\0';
}

void cs_buf_puts(struct cs_buf *buf, const char *text) {
    cs_buf_put(buf, text, strlen(text));
}

void cs_buf_putc(struct cs_buf *buf, char c) {
    cs_buf_put(buf, &c, 1);
}

void cs_buf_vprintf(struct cs_buf *buf, const char *fmt, va_list args) {
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (length < 0) {
        return;
    }
    reserve(buf, (size_t)length);
    (void)vsnprintf(buf->data + buf->size, (size_t)length + 1, fmt, args);
    buf->size += (size_t)length;
}

void cs_buf_printf(struct cs_buf *buf, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    cs_buf_vprintf(buf, fmt, args);
    va_end(args);
}

char *cs_buf_steal(struct cs_buf *buf) {
    reserve(buf, 0);
    char *data = buf->data;
    data[buf->size] = '\0';
    *buf = (struct cs_buf){0};
    return data;
}
