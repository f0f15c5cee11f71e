#include "stamps.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cs/base/clock.h"

static enum cs_status map_memory(struct stamps_map *map, struct cs_err *err) {
    void *memory = mmap(NULL, sizeof(*map->shared), PROT_READ | PROT_WRITE, MAP_SHARED, map->memory_fd, 0);
    if (memory == MAP_FAILED) {
        return cs_fail_errno(err, errno, "mapping the stamps");
    }
    map->shared = memory;
    return CS_OK;
}

enum cs_status stamps_create(struct stamps_map *ret_map, struct cs_err *err) {
    *ret_map = (struct stamps_map){
        .memory_fd = memfd_create("stamps", MFD_CLOEXEC),
        .event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
    };
    if (ret_map->memory_fd < 0 || ret_map->event_fd < 0 || ftruncate(ret_map->memory_fd, sizeof(struct stamps)) != 0) {
        return cs_fail_errno(err, errno, "making the stamps");
    }
    return map_memory(ret_map, err);
}

enum cs_status stamps_open(int memory_fd, int event_fd, struct stamps_map *ret_map, struct cs_err *err) {
    *ret_map = (struct stamps_map){.memory_fd = memory_fd, .event_fd = event_fd};
    return map_memory(ret_map, err);
}

void stamps_close(struct stamps_map *map) {
    if (map->shared != NULL) {
        (void)munmap(map->shared, sizeof(*map->shared));
        (void)close(map->memory_fd);
        (void)close(map->event_fd);
        map->shared = NULL;
    }
}

/* ---- the bench ---- */

void stamps_reset(const struct stamps_map *map) {
    struct stamps *shared = map->shared;
    shared->started = 0;
    shared->ended = 0;
    shared->await_started = 0;
    shared->await_ended = 0;
    shared->first_ns = 0;
    for (int i = 0; i < STAMPS_PROBE_JOBS_MAX; i++) {
        shared->started_ns[i] = shared->reported_ns[i] = 0;
    }
}

static enum cs_status await(const struct stamps_map *map, const atomic_uint_fast64_t *count,
                            atomic_uint_fast64_t *awaited, uint64_t jobs, int64_t timeout_ms, struct cs_err *err) {
    int64_t until_ms = cs_clock_mono_ms() + timeout_ms;
    atomic_store(awaited, jobs);
    while (atomic_load(count) < jobs) {
        int64_t left_ms = until_ms - cs_clock_mono_ms();
        if (left_ms <= 0) {
            return cs_fail(err, CS_DEADLINE_EXCEEDED, "timeout", "%llu of %llu jobs came so far",
                           (unsigned long long)atomic_load(count), (unsigned long long)jobs);
        }
        struct pollfd told = {.fd = map->event_fd, .events = POLLIN};
        (void)poll(&told, 1, (int)left_ms);
        uint64_t times = 0;
        (void)!read(map->event_fd, &times, sizeof(times)); /* whether it was told or not */
    }
    atomic_store(awaited, 0);
    return CS_OK;
}

enum cs_status stamps_await_started(const struct stamps_map *map, uint64_t jobs, int64_t timeout_ms,
                                    struct cs_err *err) {
    return await(map, &map->shared->started, &map->shared->await_started, jobs, timeout_ms, err);
}

enum cs_status stamps_await_ended(const struct stamps_map *map, uint64_t jobs, int64_t timeout_ms, struct cs_err *err) {
    return await(map, &map->shared->ended, &map->shared->await_ended, jobs, timeout_ms, err);
}

/* ---- workers ---- */

int stamps_probe(const char *job) {
    return job[0] == 'p' ? (int)(strtoul(job + 1, NULL, 10) % STAMPS_PROBE_JOBS_MAX) : -1;
}

static void count(const struct stamps_map *map, atomic_uint_fast64_t *counter, const atomic_uint_fast64_t *awaited) {
    static const uint64_t once = 1;
    if (atomic_fetch_add(counter, 1) + 1 == atomic_load(awaited)) {
        (void)!write(map->event_fd, &once, sizeof(once));
    }
}

void stamps_note_started(const struct stamps_map *map, int probe) {
    struct stamps *shared = map->shared;
    int64_t now_ns = cs_clock_mono_ns();
    int64_t none = 0;
    if (probe >= 0) {
        shared->started_ns[probe] = now_ns;
    }
    if (atomic_load(&shared->first_ns) == 0) {
        (void)atomic_compare_exchange_strong(&shared->first_ns, &none, now_ns);
    }
    count(map, &shared->started, &shared->await_started);
}

void stamps_note_ended(const struct stamps_map *map) {
    count(map, &map->shared->ended, &map->shared->await_ended);
}
