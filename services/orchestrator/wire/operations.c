/* The engine's view of each operation, made once from lib/catalog. */
#include <pthread.h>

#include "cs/base/text.h"
#include "cs/catalog.h"
#include "wire/plan_wire.h"

_Static_assert(ORC_FAILURE_CANCELLED == (int)CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_CANCELLED, "same numbers");

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct orc_operation *table; /* one for each row of the catalogue; lives as long as the process */

static void fill(struct orc_operation *operation, const struct cs_operation *row) {
    *operation = (struct orc_operation){
        .name = row->name,
        .timeout_ms = row->timeout_ms,
        .no_progress_ms = row->no_progress_ms,
        .paid = row->worker == CS_WORKER_PROVIDERS,
        .inside = row->worker == CS_WORKER_ORCHESTRATOR || row->worker == CS_WORKER_OUTSIDE,
        .external = row->worker == CS_WORKER_OUTSIDE,
    };
    for (int i = 0; i < ORC_FAILURE_CLASSES; i++) {
        struct cs_retry_policy policy = cs_catalog_retry(row, (Callsheet__V1__FailureClass)i);
        operation->retry[i] = (struct orc_retry_policy){policy.attempts_max, policy.base_ms, policy.cap_ms};
    }
}

static void make_table(void) {
    table = cs_alloc_array(cs_catalog_count(), sizeof(*table));
    for (size_t i = 0; i < cs_catalog_count(); i++) {
        fill(&table[i], cs_catalog_at(i));
    }
}

const struct orc_operation *orc_operation_by_case(Callsheet__V1__Operation__ParamsCase which) {
    (void)pthread_once(&once, make_table);
    for (size_t i = 0; i < cs_catalog_count(); i++) {
        if (cs_catalog_at(i)->which == which) {
            return &table[i];
        }
    }
    return NULL;
}

const struct orc_operation *orc_operation_by_name(const char *name) {
    (void)pthread_once(&once, make_table);
    for (size_t i = 0; i < cs_catalog_count(); i++) {
        if (cs_str_eq(table[i].name, name)) {
            return &table[i];
        }
    }
    return NULL;
}
