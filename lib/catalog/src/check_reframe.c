/* What is checked of reframing, and of how pictures become frames. */
#include "check.h"
#include "cs/base/text.h"

enum { REFRAME_SIDE_MIN = 16, REFRAME_SIDE_MAX = 4096, RECT_SIDE_MIN = 16, RECT_SIDE_MAX = 16384 };

enum cs_status check_reframe_ratio(const char *aspect_ratio, struct cs_err *err) {
    static const char *const ratios[] = {"16:9", "9:16", "1:1", "4:5", "4:3", "3:4", "21:9", "9:21", NULL};
    return check_word("aspectRatio", aspect_ratio, ratios, err);
}

static enum cs_status check_pad_color(const char *color, const char *mode, struct cs_err *err) {
    uint32_t rgb = 0;
    if (color[0] == '\0') {
        return CS_OK;
    }
    if (!cs_color_rgb(color, &rgb)) {
        return cs_fail_at(err, "padColor", "bad_color", "padColor must be #RGB or #RRGGBB");
    }
    return cs_str_eq(mode, "pad") ? CS_OK : cs_fail_at(err, "padColor", "one_of", "only what is padded has a padColor");
}

enum cs_status check_fit(const char *fit, const char *pad_color, struct cs_err *err) {
    static const char *const fits[] = {"pad", "crop", "blurPad", "stretch", NULL};
    CS_TRY(check_word("fit", fit, fits, err));
    return check_pad_color(pad_color, fit[0] == '\0' ? "pad" : fit, err);
}

static enum cs_status check_side(const char *path, const Google__Protobuf__UInt32Value *side, struct cs_err *err) {
    CS_TRY(check_opt_u32(path, side, REFRAME_SIDE_MIN, REFRAME_SIDE_MAX, err));
    return side == NULL || side->value % 2 == 0 ? CS_OK
                                                : cs_fail_at(err, path, "out_of_range", "%s must be even", path);
}

static enum cs_status check_size(const Callsheet__V1__Reframe *params, struct cs_err *err) {
    bool named = params->aspect_ratio[0] != '\0';
    bool sized = params->width != NULL && params->height != NULL;
    CS_TRY(check_reframe_ratio(params->aspect_ratio, err));
    CS_TRY(check_side("width", params->width, err));
    CS_TRY(check_side("height", params->height, err));
    if (!sized && (params->width != NULL || params->height != NULL)) {
        return cs_fail_at(err, params->width == NULL ? "width" : "height", "required", "width and height go together");
    }
    if (named && sized) {
        return cs_fail_at(err, "aspectRatio", "one_of", "aspectRatio excludes width and height");
    }
    return named || sized || params->rect != NULL
               ? CS_OK
               : cs_fail_at(err, "aspectRatio", "required", "aspectRatio, or width and height, is required");
}

static enum cs_status check_rect(const Callsheet__V1__CropRect *rect, struct cs_err *err) {
    if (rect == NULL) {
        return CS_OK;
    }
    CS_TRY(check_real("rect.x", rect->x, 0, RECT_SIDE_MAX, err));
    CS_TRY(check_real("rect.y", rect->y, 0, RECT_SIDE_MAX, err));
    CS_TRY(check_real("rect.width", rect->width, RECT_SIDE_MIN, RECT_SIDE_MAX, err));
    return check_real("rect.height", rect->height, RECT_SIDE_MIN, RECT_SIDE_MAX, err);
}

/* What only some modes have. */
static enum cs_status check_options(const Callsheet__V1__Reframe *params, const char *mode, struct cs_err *err) {
    bool smart = cs_str_eq(mode, "smart");
    CS_TRY(check_pad_color(params->pad_color, mode, err));
    if (params->crop != CALLSHEET__V1__CROP_ANCHOR__CROP_ANCHOR_UNSPECIFIED && !cs_str_eq(mode, "crop")) {
        return cs_fail_at(err, "crop", "one_of", "only the mode crop has an anchor");
    }
    if (smart && params->rect != NULL) {
        return cs_fail_at(err, "rect", "one_of", "the mode smart looks at the whole picture; it has no rect");
    }
    return smart || params->path == NULL ? CS_OK : cs_fail_at(err, "path", "one_of", "only the mode smart has a path");
}

enum cs_status check_reframe(const Callsheet__V1__Reframe *params, struct cs_err *err) {
    static const char *const modes[] = {"crop", "pad", "blurPad", "stretch", "smart", NULL};
    CS_TRY(check_ref("video", params->video, true, err));
    CS_TRY(check_ref("path", params->path, false, err));
    CS_TRY(check_word("mode", params->mode, modes, err));
    CS_TRY(check_size(params, err));
    CS_TRY(check_rect(params->rect, err));
    CS_TRY(check_enum("crop", &callsheet__v1__crop_anchor__descriptor, (int)params->crop, err));
    return check_options(params, params->mode[0] == '\0' ? "crop" : params->mode, err);
}
