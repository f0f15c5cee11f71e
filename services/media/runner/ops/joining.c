#include "ops/joining.h"

#include "cs/base/text.h"
#include "cs/catalog.h"

static const double transition_s_max = 10;

enum cs_status med_joining_read(const Callsheet__V1__Transition *wire, double seconds_default, AVRational rate,
                                struct med_joining *ret_joining, struct cs_err *err) {
    struct med_joining joining = {0};
    if (wire != NULL && !cs_str_empty(wire->type)) {
        double seconds = wire->duration != NULL ? wire->duration->value : seconds_default;
        joining.transition = cs_transition_name(wire->type);
        if (joining.transition == NULL) {
            return cs_fail_at(err, "transition.type", "unknown_transition", "this transition is unknown");
        }
        if (!(seconds > 0 && seconds <= transition_s_max)) {
            return cs_fail_at(err, "transition.duration", "out_of_range", "a transition lasts at most %g seconds",
                              transition_s_max);
        }
        joining.frames = med_frames_at(med_ticks_from_seconds(seconds), rate);
        joining.frames = joining.frames < 1 ? 1 : joining.frames;
    }
    *ret_joining = joining;
    return CS_OK;
}

enum cs_status med_joining_check(const struct med_joining *joining, const struct med_segment *segments, size_t count,
                                 struct cs_err *err) {
    for (size_t i = 0; count > 1 && i < count; i++) {
        bool inner = i > 0 && i + 1 < count;
        if (segments[i].frames < joining->frames * (inner ? 2 : 1)) {
            return cs_fail_at(err, "transition.duration", "segment_too_short",
                              "part %zu is shorter than its transitions", i + 1);
        }
    }
    return CS_OK;
}

int64_t med_joining_lay(const struct med_joining *joining, struct med_segment *segments, size_t count) {
    int64_t at = 0;
    for (size_t i = 0; i < count; i++) {
        segments[i].start_frame = at;
        segments[i].overlap = i + 1 < count ? joining->frames : 0;
        at += segments[i].frames - segments[i].overlap;
    }
    return at;
}
