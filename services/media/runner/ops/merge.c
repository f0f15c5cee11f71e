/* Visual items one after the other, normalised to one size and rate, audio items laid over them. */
#include "cs/base/text.h"
#include "cs/catalog.h"
#include "ops/fit_words.h"
#include "ops/number.h"
#include "ops/sequence.h"

static const double transition_duration_s = 1;

static enum cs_status check_item(const Callsheet__V1__MergeItem *wire, const char *path, struct cs_err *err) {
    double volume = med_number_or(wire->volume, 1);
    double duration = med_number_or(wire->duration, 1);
    double offset = med_number_or(wire->offset, 0);
    if (!(volume >= 0 && volume <= 1) || !(duration > 0 && duration < 1e5) || !(offset >= 0 && offset < 1e5)) {
        return cs_fail_at(err, path, "out_of_range", "a volume, duration or offset is out of range");
    }
    return CS_OK;
}

static enum cs_status add_visual(const Callsheet__V1__MergeItem *wire, const struct med_clip *clip,
                                 struct med_sequence *sequence, struct cs_err *err) {
    const char *name = cs_merge_sound_field(wire);
    if (name != NULL) {
        return cs_fail_at(err, clip->path, "not_applicable",
                          "%s is for audio items; videos and images follow one another", name);
    }
    sequence->visuals[sequence->visual_count++] = (struct med_sequence_item){
        .clip = *clip, .volume = med_number_or(wire->volume, 1), .duration_s = med_number_or(wire->duration, 0)};
    return CS_OK;
}

static void add_sound(const Callsheet__V1__MergeItem *wire, const struct med_clip *clip, const char *trim_path,
                      struct med_sequence *sequence) {
    sequence->overlays[sequence->overlay_count++] = (struct med_sound_track){
        .clip = *clip,
        .start_s = med_number_or(wire->offset, 0),
        .trim_s = med_number_or(wire->trim_start, 0),
        .trim_path = trim_path,
        .duration_s = med_number_or(wire->duration, 0),
        .loop = wire->loop,
        .gain_db = med_gain_of_volume(med_number_or(wire->volume, 1)),
        .fade_in_s = med_number_or(wire->fade_in, 0),
        .fade_out_s = med_number_or(wire->fade_out, 0),
    };
}

/* Sorts the items by what their content is; a declared type only decides whether a video serves as sound. */
static enum cs_status read_items(struct med_job *job, const Callsheet__V1__Merge *params, struct med_sequence *sequence,
                                 struct cs_err *err) {
    sequence->visuals = cs_arena_array(job->arena, params->n_items + 1, sizeof(*sequence->visuals));
    sequence->overlays = cs_arena_array(job->arena, params->n_items + 1, sizeof(*sequence->overlays));
    for (size_t i = 0; i < params->n_items; i++) {
        const Callsheet__V1__MergeItem *wire = params->items[i];
        const char *path = cs_arena_sprintf(job->arena, "items[%zu].media", i);
        struct med_clip clip;
        CS_TRY(check_item(wire, path, err));
        CS_TRY(med_job_input(job, wire->media, path, &clip, err));
        bool as_sound = wire->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_AUDIO;
        if (clip.facts->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_TRANSCRIPT) {
            return cs_fail_at(err, path, "not_media", "a transcript cannot be merged");
        }
        if (!as_sound && clip.facts->video.stream >= 0) {
            CS_TRY(add_visual(wire, &clip, sequence, err));
        } else if (clip.facts->audio.stream >= 0) {
            add_sound(wire, &clip, cs_arena_sprintf(job->arena, "items[%zu].trimStart", i), sequence);
        } else {
            return cs_fail_at(err, path, "no_audio", "the item has no sound");
        }
    }
    if (sequence->visual_count == 0) {
        return cs_fail_at(err, "items", "no_visual", "At least 1 visual item (video or image) required for merging");
    }
    return CS_OK;
}

enum cs_status med_op_merge(struct med_job *job, const Callsheet__V1__Merge *params, struct med_made *ret_made,
                            struct cs_err *err) {
    struct med_sequence sequence = {0};
    const char *fit = cs_str_empty(params->fit) ? "pad" : params->fit;
    CS_TRY(read_items(job, params, &sequence, err));
    CS_TRY(med_sequence_format(&sequence, params->aspect_ratio, params->frame_rate, err));
    CS_TRY(med_fit_read(fit, "fit", params->pad_color, &sequence.fit, err));
    CS_TRY(med_joining_read(params->transition, transition_duration_s, sequence.format.rate, &sequence.joining, err));
    CS_TRY(med_sequence_make(job, &sequence, ret_made, err));
    med_job_add_metric(job, "itemCount", (double)params->n_items);
    med_job_add_metric(job, "audioCount", (double)sequence.overlay_count);
    return CS_OK;
}
