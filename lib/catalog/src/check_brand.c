/* What is checked of branding. */
#include "check.h"

#include <stddef.h>

static enum cs_status check_logo(const Callsheet__V1__Brand *params, struct cs_err *err) {
    static const char *const corners[] = {"topLeft", "topRight", "bottomLeft", "bottomRight", NULL};
    CS_TRY(check_ref("logo", params->logo, false, err));
    CS_TRY(check_word("logoPosition", params->logo_position, corners, err));
    CS_TRY(check_opt_real("logoSize", params->logo_size, 0.01, 1, err));
    CS_TRY(check_opt_real("logoOpacity", params->logo_opacity, 0, 1, err));
    CS_TRY(check_opt_real("logoStart", params->logo_start, 0, MEDIA_SECONDS_MAX, err));
    CS_TRY(check_opt_real("logoEnd", params->logo_end, 0, MEDIA_SECONDS_MAX, err));
    if (params->logo_end != NULL &&
        params->logo_end->value <= (params->logo_start != NULL ? params->logo_start->value : 0)) {
        return cs_fail_at(err, "logoEnd", "out_of_range", "a logo ends after it starts");
    }
    return check_opt_u32("logoMargin", params->logo_margin, 0, 1000, err);
}

static enum cs_status check_level(const Callsheet__V1__Brand *params, struct cs_err *err) {
    if (!params->keep_loudness) {
        return check_opt_real("loudness", params->loudness, CS_LOUDNESS_MIN, CS_LOUDNESS_MAX, err);
    }
    if (params->loudness != NULL && params->loudness->value != 0) {
        return cs_fail_at(err, "loudness", "one_of", "loudness and keepLoudness exclude each other");
    }
    return CS_OK;
}

enum cs_status check_brand(const Callsheet__V1__Brand *params, struct cs_err *err) {
    CS_TRY(check_ref("video", params->video, true, err));
    CS_TRY(check_ref("intro", params->intro, false, err));
    CS_TRY(check_ref("outro", params->outro, false, err));
    CS_TRY(check_opt_real("introDuration", params->intro_duration, 0.1, 600, err));
    CS_TRY(check_opt_real("outroDuration", params->outro_duration, 0.1, 600, err));
    CS_TRY(check_opt_real("fadeDuration", params->fade_duration, 0, 10, err));
    CS_TRY(check_logo(params, err));
    CS_TRY(check_lower_third(params->lower_third, err));
    return check_level(params, err);
}
