#include "visits.h"

#include <string.h>
#include <utlist.h>

#include "cs/base/clock.h"
#include "cs/base/text.h"

struct med_visit *med_visit_create(const Callsheet__V1__Assign *assign, struct med_inputs *inputs,
                                   const struct med_division *division) {
    struct med_visit *visit = cs_alloc(sizeof(*visit));
    visit->execution = cs_strdup(assign->execution);
    visit->job = cs_strdup(assign->job);
    visit->inputs = *inputs;
    *inputs = (struct med_inputs){0};
    visit->division = *division;
    visit->division.folder = cs_strdup(division->folder);
    return visit;
}

void med_visit_destroy(struct med_visit *visit) {
    if (visit == NULL) {
        return;
    }
    med_inputs_fini(&visit->inputs);
    free((char *)visit->division.folder);
    free(visit->execution);
    free(visit->job);
    free(visit);
}

static void destroy_all(struct med_visit *visits) {
    struct med_visit *visit = NULL;
    struct med_visit *next = NULL;
    DL_FOREACH_SAFE(visits, visit, next) {
        med_visit_destroy(visit);
    }
}

void med_visits_init(struct med_visits *visits, uint32_t count_max) {
    *visits = (struct med_visits){.count_max = count_max};
    (void)pthread_mutex_init(&visits->lock, NULL);
}

void med_visits_fini(struct med_visits *visits) {
    destroy_all(visits->idle);
    (void)pthread_mutex_destroy(&visits->lock);
}

static bool is_of(const struct med_visit *visit, const Callsheet__V1__Assign *assign) {
    const ProtobufCBinaryData *plan = &assign->share->plan;
    return cs_str_eq(visit->execution, assign->execution) && cs_str_eq(visit->job, assign->job) &&
           plan->len == sizeof(visit->division.plan) && memcmp(plan->data, visit->division.plan, plan->len) == 0;
}

static void remove_locked(struct med_visits *visits, struct med_visit *visit) {
    DL_DELETE(visits->idle, visit); // NOLINT(clang-analyzer-core.NullDereference): it is in it
    visits->count--;
}

struct med_visit *med_visits_take(struct med_visits *visits, const Callsheet__V1__Assign *assign) {
    struct med_visit *visit = NULL;
    pthread_mutex_lock(&visits->lock);
    DL_FOREACH(visits->idle, visit) {
        if (is_of(visit, assign)) {
            remove_locked(visits, visit);
            break;
        }
    }
    pthread_mutex_unlock(&visits->lock);
    return visit;
}

void med_visits_keep(struct med_visits *visits, struct med_visit *visit) {
    struct med_visit *oldest = NULL;
    visit->until_ms = cs_clock_mono_ms() + MED_VISIT_KEPT_MS;
    pthread_mutex_lock(&visits->lock);
    if (visits->count == visits->count_max) {
        oldest = visits->idle;
        remove_locked(visits, oldest);
    }
    DL_APPEND(visits->idle, visit);
    visits->count++;
    pthread_mutex_unlock(&visits->lock);
    med_visit_destroy(oldest);
}

int64_t med_visits_expire(struct med_visits *visits, int64_t now_ms) {
    struct med_visit *over = NULL;
    pthread_mutex_lock(&visits->lock);
    while (visits->idle != NULL && visits->idle->until_ms <= now_ms) {
        struct med_visit *first = visits->idle;
        remove_locked(visits, first);
        DL_APPEND(over, first);
    }
    int64_t next_ms = visits->idle != NULL ? visits->idle->until_ms : INT64_MAX;
    pthread_mutex_unlock(&visits->lock);
    destroy_all(over);
    return next_ms;
}
