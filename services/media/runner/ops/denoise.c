/* A video with less noise, in its picture and in its sound. */
#include "graph/denoise.h"

#include "cs/base/text.h"
#include "ops/ops.h"

struct denoise {
    struct med_clip clip;
    enum med_strength picture;
    enum med_strength sound;
};

static enum cs_status read_strength(const char *word, const char *path, enum med_strength absent,
                                    enum med_strength *ret_strength, struct cs_err *err) {
    static const char *const words[] = {"off", "low", "medium", "high"};
    if (cs_str_empty(word)) {
        *ret_strength = absent;
        return CS_OK;
    }
    for (size_t i = 0; i < CS_COUNT(words); i++) {
        if (cs_str_eq(word, words[i])) {
            *ret_strength = (enum med_strength)i;
            return CS_OK;
        }
    }
    return cs_fail_at(err, path, "unknown_word", "%s is off, low, medium or high", path);
}

static enum cs_status build_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                    struct cs_err *err) {
    const struct denoise *denoise = made->self;
    struct med_video *picture =
        med_clip_video(graph, &denoise->clip, &made->format, made->frames, MED_FIT_PAD, MED_ANCHOR_CENTER);
    (void)err;
    *ret_video = med_denoise_picture(graph, picture, denoise->picture);
    return CS_OK;
}

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    const struct denoise *denoise = made->self;
    (void)err;
    *ret_audio = med_denoise_sound(graph, med_clip_audio(graph, &denoise->clip, made->samples, 1), denoise->sound);
    return CS_OK;
}

enum cs_status med_op_denoise(struct med_job *job, const Callsheet__V1__Denoise *params, struct med_made *ret_made,
                              struct cs_err *err) {
    struct denoise *denoise = cs_arena_alloc(job->arena, sizeof(*denoise));
    CS_TRY(read_strength(params->picture, "picture", MED_STRENGTH_MEDIUM, &denoise->picture, err));
    CS_TRY(read_strength(params->sound, "sound", MED_STRENGTH_OFF, &denoise->sound, err));
    CS_TRY(med_job_video_input(job, params->video, "video", &denoise->clip, err));
    *ret_made = med_made_like(&denoise->clip);
    ret_made->divisible = ret_made->divisible && denoise->picture == MED_STRENGTH_OFF; /* it remembers frames */
    ret_made->self = denoise;
    ret_made->picture = build_picture;
    ret_made->sound = build_sound;
    return CS_OK;
}
