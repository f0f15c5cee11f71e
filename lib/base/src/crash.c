#include "cs/base/crash.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"

enum { COUNT_MAX = 1000000 };

enum cs_crash_point cs_crash_armed = CS_CRASH_NONE;
static atomic_int left;
static int signal_number = SIGKILL;

static const char *const names[] = {[CS_CRASH_NONE] = "",
#define NAME(constant, name) [CS_CRASH_##constant] = (name),
                                    CS_CRASH_POINTS(NAME)
#undef NAME
};

static enum cs_status fail(const char *at, struct cs_err *err) {
    return cs_fail_at(err, "crash-at", "bad_setting", "--crash-at wants POINT[:N[:stop]], and there is no \"%s\"", at);
}

static enum cs_crash_point find(const char *name, size_t length) {
    for (size_t i = 1; i < CS_COUNT(names); i++) {
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) {
            return (enum cs_crash_point)i;
        }
    }
    return CS_CRASH_NONE;
}

enum cs_status cs_crash_arm(const char *at, struct cs_err *err) {
    if (cs_str_empty(at)) {
        return CS_OK;
    }
    CS_AUTO_FREE char *text = cs_strdup(at);
    char *count = strchr(text, ':');
    char *action = count != NULL ? strchr(count + 1, ':') : NULL;
    int64_t times = 1;
    enum cs_crash_point point = find(at, count != NULL ? (size_t)(count - text) : strlen(at));
    if (action != NULL) {
        *action++ = '\0';
    }
    bool counted = count == NULL || cs_parse_i64(count + 1, 1, COUNT_MAX, &times);
    bool acts = action == NULL || cs_str_eq(action, "stop");
    if (point == CS_CRASH_NONE || !counted || !acts) {
        return fail(at, err);
    }
    atomic_store(&left, (int)times);
    signal_number = action != NULL ? SIGSTOP : SIGKILL;
    cs_crash_armed = point;
    return CS_OK;
}

void cs_crash_count(void) {
    if (atomic_fetch_sub(&left, 1) == 1) {
        (void)kill(getpid(), signal_number);
    }
}
