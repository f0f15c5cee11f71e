/*
 * auto: owners that clean up at the end of their scope.
 *
 *     CS_DEFINE_AUTO(cs_arena, cs_arena_destroy)      in the header of a type `struct cs_arena`
 *     CS_AUTO(cs_arena) *arena = NULL;                a local owner; the destructor accepts NULL
 *     return cs_steal(&arena);                        hands it over
 */
#ifndef CS_BASE_AUTO_H
#define CS_BASE_AUTO_H

#include <stdlib.h>
#include <unistd.h>

#define CS_DEFINE_AUTO(type, destroy)                                                                                  \
    __attribute__((unused)) static inline void type##_auto_(struct type **owner) {                                     \
        destroy(*owner);                                                                                               \
    }

#define CS_AUTO(type) __attribute__((cleanup(type##_auto_))) struct type

/* A value whose fini takes its address: CS_AUTO_FINI(cs_buf, cs_buf_fini) buf = {0}; */
#define CS_AUTO_VALUE(type, fini) __attribute__((cleanup(fini))) struct type

#define cs_steal(owner)                                                                                                \
    (__extension__({                                                                                                   \
        __typeof__(*(owner)) cs_stolen_ = *(owner);                                                                    \
        *(owner) = NULL;                                                                                               \
        cs_stolen_;                                                                                                    \
    }))

static inline void cs_auto_free_(void *owner) {
    free(*(void **)owner);
}
static inline void cs_auto_fd_(const int *fd) {
    if (*fd >= 0) {
        (void)close(*fd);
    }
}

/* CS_AUTO_FREE char *text = NULL;   CS_AUTO_FD int fd = -1; */
#define CS_AUTO_FREE __attribute__((cleanup(cs_auto_free_)))
#define CS_AUTO_FD __attribute__((cleanup(cs_auto_fd_)))

static inline int cs_steal_fd(int *fd) {
    int stolen = *fd;
    *fd = -1;
    return stolen;
}

#define CS_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
