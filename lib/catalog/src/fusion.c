/* Operations that can be done in one run with others. */
#include "cs/base/text.h"
#include "cs/catalog.h"

/* It makes, with these parameters, something beside the pictures and sound that go on. */
static bool makes_more(const Callsheet__V1__Operation *operation, const struct cs_operation *row) {
    switch (operation->params_case) {
    case CALLSHEET__V1__OPERATION__PARAMS_ADD_SUBTITLES:
        return operation->add_subtitles->subtitle_files || cs_str_eq(operation->add_subtitles->mode, "soft");
    case CALLSHEET__V1__OPERATION__PARAMS_REFRAME:
        return cs_str_eq(operation->reframe->mode, "smart"); /* the path of the window */
    default:
        return row->more_outputs != NULL;
    }
}

bool cs_catalog_fusible(const Callsheet__V1__Operation *operation) {
    const struct cs_operation *row = operation != NULL ? cs_catalog_by_case(operation->params_case) : NULL;
    return row != NULL && row->fusible && row->worker == CS_WORKER_MEDIA &&
           cs_catalog_output_type(operation) == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO &&
           !makes_more(operation, row);
}

bool cs_catalog_ends_run(const Callsheet__V1__Operation *operation) {
    const struct cs_operation *row = operation != NULL ? cs_catalog_by_case(operation->params_case) : NULL;
    return cs_catalog_fusible(operation) || (row != NULL && row->ends_run);
}
