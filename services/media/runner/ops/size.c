#include "ops/size.h"

#include <math.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/catalog.h"

enum cs_status med_size_from_short_side(int short_side, const char *aspect_ratio, const char *aspect_default,
                                        struct med_picture_format *format, struct cs_err *err) {
    uint32_t num = 0;
    uint32_t den = 0;
    if (!cs_aspect_ratio(cs_str_empty(aspect_ratio) ? aspect_default : aspect_ratio, &num, &den) || num == 0 ||
        den == 0) {
        return cs_fail_at(err, "aspectRatio", "unknown_ratio", "this aspect ratio is unknown");
    }
    double ratio = (double)num / den;
    int long_side = (int)lround(short_side * (ratio > 1 ? ratio : 1 / ratio) / 2) * 2;
    format->width = ratio > 1 ? long_side : short_side;
    format->height = ratio > 1 ? short_side : long_side;
    return CS_OK;
}

enum cs_status med_size_of_generated(const char *resolution, const char *aspect_ratio,
                                     struct med_picture_format *format, struct cs_err *err) {
    int short_side = 720;
    if (!cs_str_empty(resolution)) {
        short_side = strcmp(resolution, "480p") == 0    ? 480
                     : strcmp(resolution, "720p") == 0  ? 720
                     : strcmp(resolution, "1080p") == 0 ? 1080
                                                        : 0;
    }
    if (short_side == 0) {
        return cs_fail_at(err, "resolution", "unknown_resolution", "a resolution is 480p, 720p or 1080p");
    }
    return med_size_from_short_side(short_side, aspect_ratio, "16:9", format, err);
}
