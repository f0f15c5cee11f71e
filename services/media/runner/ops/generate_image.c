/* A preview picture: a still of the moving preview, or the first given picture, with the prompt on it. */
#include <string.h>

#include "cs/base/text.h"
#include "generate/caption.h"
#include "generate/scene.h"
#include "graph/still.h"
#include "ops/ops.h"
#include "ops/size.h"

enum { SHORT_SIDE = 1024 };

static enum cs_status format_of(const char *word, enum med_still_format *ret_format, struct cs_err *err) {
    if (cs_str_empty(word) || strcmp(word, "png") == 0) {
        *ret_format = MED_PNG;
    } else if (strcmp(word, "jpg") == 0 || strcmp(word, "jpeg") == 0) {
        *ret_format = MED_JPG;
    } else if (strcmp(word, "webp") == 0) {
        *ret_format = MED_WEBP;
    } else {
        return cs_fail_at(err, "outputFormat", "unknown_format", "an output format is png, jpg or webp");
    }
    return CS_OK;
}

enum cs_status med_op_generate_image(struct med_job *job, const Callsheet__V1__GenerateImage *params,
                                     struct cs_err *err) {
    struct med_picture_format size = {.rate = {1, 1}};
    enum med_still_format format = MED_PNG;
    struct med_clip given = {0};
    int fd = -1;
    CS_TRY(med_job_output_fd(job, &fd, err));
    CS_TRY(format_of(params->output_format, &format, err));
    CS_TRY(med_size_from_short_side(SHORT_SIDE, params->aspect_ratio, "1:1", &size, err));
    if (params->n_image > 0) {
        CS_TRY(med_job_input(job, params->image[0], "image[0]", &given, err));
        if (given.facts->video.stream < 0) {
            return cs_fail_at(err, "image[0]", "no_picture", "the input has no picture");
        }
    }
    CS_AUTO(med_graph) *graph = med_graph_create(job->wire->limits, job->events);
    struct med_seed seed = med_seed_from(params->prompt, params->seed == NULL ? 0 : params->seed->value);
    struct med_video *picture = given.facts == NULL
                                    ? med_scene(graph, &size, 1, seed)
                                    : med_clip_video(graph, &given, &size, 1, MED_FIT_CROP, MED_ANCHOR_CENTER);
    CS_TRY(med_preview_caption(graph, picture, params->prompt, &picture, err));
    Callsheet__V1__MediaFacts *facts = NULL;
    CS_TRY(med_still_write(graph, picture, format, fd, job->arena, &facts, err));
    med_job_add_output(job, facts);
    return CS_OK;
}
