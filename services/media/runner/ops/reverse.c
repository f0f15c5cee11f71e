/* A video from its end to its begin, picture and sound. */
#include "graph/reverse.h"

#include "ops/ops.h"

static enum cs_status build_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                    struct cs_err *err) {
    (void)err;
    *ret_video = med_reverse_video(graph, made->self, &made->format, made->frames);
    return CS_OK;
}

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    (void)err;
    *ret_audio = med_reverse_audio(graph, made->self, made->samples);
    return CS_OK;
}

enum cs_status med_op_reverse(struct med_job *job, const Callsheet__V1__Reverse *params, struct med_made *ret_made,
                              struct cs_err *err) {
    struct med_clip *clip = cs_arena_alloc(job->arena, sizeof(*clip));
    CS_TRY(med_job_video_input(job, params->video, "video", clip, err));
    *ret_made = med_made_like(clip);
    ret_made->self = clip;
    ret_made->picture = build_picture;
    ret_made->sound = build_sound;
    return CS_OK;
}
