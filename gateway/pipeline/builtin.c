#include <string.h>

#include "pipeline/pipeline.h"

const struct gw_builtin_pipeline gw_builtin_pipelines[] = {
#include "pipelines_table.h"
};
const size_t gw_builtin_pipeline_count = sizeof(gw_builtin_pipelines) / sizeof(gw_builtin_pipelines[0]);

const struct gw_builtin_pipeline *gw_builtin_pipeline_find(const char *name, unsigned version) {
    const struct gw_builtin_pipeline *found = NULL;
    for (size_t i = 0; i < gw_builtin_pipeline_count; i++) {
        const struct gw_builtin_pipeline *row = &gw_builtin_pipelines[i];
        if (strcmp(row->name, name) == 0 &&
            (version == 0 ? found == NULL || row->version > found->version : row->version == version)) {
            found = row;
        }
    }
    return found;
}
