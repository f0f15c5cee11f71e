/*
 * script: drives an execution event by event, checking its rules after each.
 */
#ifndef ORC_DOMAIN_TESTS_SCRIPT_H
#define ORC_DOMAIN_TESTS_SCRIPT_H

#include "cs/test.h"
#include "domain/tests/fixture.h"

enum { CREATED_MS = 1000, TIME_LIMIT_MS = 24 * 3600 * 1000 };

struct script {
    struct cs_arena *arena;
    struct orc_execution *execution;
    struct orc_commands commands; /* of the last step */
    int64_t now_ms;
};

static inline void script_start(struct script *s, const char *const *lines, size_t count, bool webhook) {
    *s = (struct script){.arena = cs_arena_create(), .now_ms = CREATED_MS};
    struct orc_plan *plan = fixture_plan(s->arena, lines, count);
    s->execution = orc_execution_create("x1", "acme", plan, CREATED_MS, CREATED_MS + TIME_LIMIT_MS, webhook);
    orc_execution_check(s->execution);
}

static inline void script_end(struct script *s) {
    orc_commands_fini(&s->commands);
    orc_execution_destroy(s->execution);
    cs_arena_destroy(s->arena);
}

static inline enum cs_status script_try(struct script *s, struct orc_event event, struct cs_err *err) {
    s->commands.count = 0;
    event.at_ms = event.at_ms != 0 ? event.at_ms : ++s->now_ms;
    enum cs_status status = orc_execution_step(s->execution, &event, &s->commands, err);
    orc_execution_check(s->execution);
    return status;
}

#define script_do(s, ...)                                                                                              \
    do {                                                                                                               \
        struct cs_err script_err = {0};                                                                                \
        assert_ok(script_try(s, (struct orc_event){__VA_ARGS__}, &script_err), &script_err);                           \
    } while (0)

#define script_refused(s, why, ...)                                                                                    \
    do {                                                                                                               \
        struct cs_err script_err = {0};                                                                                \
        CS_AUTO_BUF script_before = {0};                                                                               \
        CS_AUTO_BUF script_after = {0};                                                                                \
        fixture_print((s)->execution, false, &script_before);                                                          \
        assert_fails(script_try(s, (struct orc_event){__VA_ARGS__}, &script_err), &script_err, CS_FAILED_PRECONDITION, \
                     why);                                                                                             \
        fixture_print((s)->execution, false, &script_after);                                                           \
        assert_string_equal(script_before.data, script_after.data);                                                    \
        assert_int_equal((s)->commands.count, 0);                                                                      \
    } while (0)

static inline void script_begin(struct script *s) {
    script_do(s, .kind = ORC_EVENT_BEGIN);
}

static inline void script_assign(struct script *s, uint32_t job) {
    script_do(s, .kind = ORC_EVENT_ASSIGNED, .job = job, .fence = {(unsigned char)(job + 1), 7});
}

/* Assigns and ends an attempt. */
static inline void script_succeed(struct script *s, uint32_t job) {
    script_assign(s, job);
    script_do(s, .kind = ORC_EVENT_SUCCEEDED, .job = job, .attempt = s->execution->jobs[job].attempt, .payload = "ok",
              .payload_size = 2);
}

static inline void script_fail(struct script *s, uint32_t job, enum orc_failure_class failure_class,
                               const char *message) {
    script_assign(s, job);
    script_do(s, .kind = ORC_EVENT_FAILED, .job = job, .attempt = s->execution->jobs[job].attempt,
              .failure_class = failure_class, .code = "boom", .message = message, .chance = UINT32_MAX);
}

/* How often the last step asked for it. */
static inline size_t script_commands(const struct script *s, enum orc_command_kind kind, int64_t job) {
    size_t count = 0;
    for (size_t i = 0; i < s->commands.count; i++) {
        count += s->commands.items[i].kind == kind && (job < 0 || s->commands.items[i].job == job);
    }
    return count;
}

static inline int script_state(const struct script *s, uint32_t job) {
    return s->execution->jobs[job].state;
}

#endif
