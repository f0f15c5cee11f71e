#include "ops/fit_words.h"

#include "cs/base/text.h"
#include "cs/catalog.h"

enum cs_status med_fit_read(const char *word, const char *path, const char *pad_color, struct med_fit *ret_fit,
                            struct cs_err *err) {
    static const struct {
        const char *word;
        enum med_fit_mode mode;
    } modes[] = {
        {"pad", MED_FIT_PAD}, {"crop", MED_FIT_CROP}, {"blurPad", MED_FIT_BLUR_PAD}, {"stretch", MED_FIT_STRETCH}};
    struct med_fit fit = {0};
    if (!cs_str_empty(pad_color) && !cs_color_rgb(pad_color, &fit.pad_rgb)) {
        return cs_fail_at(err, "padColor", "bad_color", "padColor must be #RGB or #RRGGBB");
    }
    for (size_t i = 0; i < CS_COUNT(modes); i++) {
        if (cs_str_eq(modes[i].word, word)) {
            fit.mode = modes[i].mode;
            *ret_fit = fit;
            return CS_OK;
        }
    }
    return cs_fail_at(err, path, "unknown_word", "%s is pad, crop, blurPad or stretch", path);
}
