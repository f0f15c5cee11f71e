#include "ops/frame_part.h"

#include "ops/number.h"

static const double part_duration_s = 3;
static const double fade_duration_s = 0.5;

enum cs_status med_frame_part_read(struct med_job *job, const Callsheet__V1__MediaRef *ref,
                                   const Google__Protobuf__DoubleValue *duration,
                                   const struct med_frame_part_names *names, struct med_clip *ret_clip,
                                   struct med_segment *ret_segment, struct cs_err *err) {
    double seconds = 0;
    CS_TRY(med_number_read(duration, part_duration_s, 0.1, 600, names->duration, &seconds, err));
    CS_TRY(med_job_input(job, ref, names->part, ret_clip, err));
    const struct med_facts *facts = ret_clip->facts;
    if (facts->video.stream < 0) {
        return cs_fail_at(err, names->part, "no_video", "the %s must be a video or an image", names->part);
    }
    int64_t wanted = med_ticks_from_seconds(seconds);
    bool named = facts->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE || wanted < facts->video.length_ticks;
    *ret_segment = (struct med_segment){.named = named, .length_ticks = named ? wanted : facts->video.length_ticks};
    return CS_OK;
}

enum cs_status med_frame_fade_read(const Google__Protobuf__DoubleValue *duration, AVRational rate, int64_t *ret_frames,
                                   struct cs_err *err) {
    double fade = 0;
    CS_TRY(med_number_read(duration, fade_duration_s, 0, 10, "fadeDuration", &fade, err));
    *ret_frames = med_frames_at(med_ticks_from_seconds(fade), rate);
    return CS_OK;
}
