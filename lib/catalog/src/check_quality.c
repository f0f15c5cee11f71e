/* What is checked of cleaning pictures and sound, and of steadying them. */
#include "check.h"

#include <stddef.h>

enum cs_status check_denoise(const Callsheet__V1__Denoise *params, struct cs_err *err) {
    static const char *const strengths[] = {"off", "low", "medium", "high", NULL};
    CS_TRY(check_ref("video", params->video, true, err));
    CS_TRY(check_word("picture", params->picture, strengths, err));
    return check_word("sound", params->sound, strengths, err);
}

enum cs_status check_stabilise(const Callsheet__V1__Stabilise *params, struct cs_err *err) {
    static const char *const strengths[] = {"low", "medium", "high", NULL};
    CS_TRY(check_ref("video", params->video, true, err));
    return check_word("strength", params->strength, strengths, err);
}
