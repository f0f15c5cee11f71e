/* Where a result comes from when its job did not run. */
#include <string.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "domain/moves.h"

static const char *text(const char *maybe) {
    return maybe != NULL ? maybe : "";
}

struct orc_reused *orc_reused_create(const struct orc_event *event) {
    size_t size = strlen(text(event->source_job)) + 1;
    struct orc_reused *reused = cs_alloc(sizeof(*reused) + size);
    cs_str_copy(reused->execution, sizeof(reused->execution), text(event->source_execution));
    cs_str_copy(reused->reason, sizeof(reused->reason), text(event->reason));
    memcpy(reused->job, text(event->source_job), size);
    return reused;
}
