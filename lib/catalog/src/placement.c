#include "cs/placement.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "check.h"
#include "cs/arithmetic.h"
#include "cs/base/auto.h"
#include "cs/base/text.h"

enum {
    SIDE_MIN = 2,
    WORDS_BYTES_MAX = 128,
    WORD_SIZE = 32,
    PART_MAX = 10000, /* of "w-1/3" */
    PIP_PARTS = 4,
    PIP_PADDING = 20,
    RATIO_MAX = 32,
};

#define FIT(word) CALLSHEET__V1__LAYER_FIT__LAYER_FIT_##word

/* What the words and sums ask for; a side of 0 is not known. */
struct wish {
    double width;
    double height;
    double ratio; /* width / height; 0: the picture's */
    bool placed;
    int column;
    int row;
    int padding;
};

/* ---- words ---- */

struct anchor {
    const char *word;
    int column;
    int row;
};

static const struct anchor anchors[] = {
    {"topleft", -1, -1},   {"top", 0, -1},         {"topcenter", 0, -1},  {"topright", 1, -1},   {"left", -1, 0},
    {"centerleft", -1, 0}, {"center", 0, 0},       {"right", 1, 0},       {"centerright", 1, 0}, {"bottomleft", -1, 1},
    {"bottom", 0, 1},      {"bottomcenter", 0, 1}, {"bottomright", 1, 1}, {"middle", 0, 0},
};

bool cs_anchor(const char *word, int *ret_column, int *ret_row) {
    char plain[WORD_SIZE];
    size_t length = 0;
    for (; *word != '\0'; word++) {
        if (length + 1 == sizeof(plain)) {
            return false;
        }
        if (*word != '-' && *word != '_') {
            plain[length++] = (char)tolower((unsigned char)*word);
        }
    }
    plain[length] = '\0';
    for (size_t i = 0; i < CS_COUNT(anchors); i++) {
        if (strcmp(anchors[i].word, plain) == 0) {
            *ret_column = anchors[i].column;
            *ret_row = anchors[i].row;
            return true;
        }
    }
    return false;
}

/* "1/3" or "full". */
static bool read_part(const char *text, double *ret_part) {
    char first[WORD_SIZE];
    int64_t part = 1;
    int64_t whole = 1;
    const char *slash = strchr(text, '/');
    if (strcmp(text, "full") == 0) {
        *ret_part = 1;
        return true;
    }
    if (slash == NULL || (size_t)(slash - text) >= sizeof(first)) {
        return false;
    }
    memcpy(first, text, (size_t)(slash - text));
    first[slash - text] = '\0';
    if (!cs_parse_i64(first, 1, PART_MAX, &part) || !cs_parse_i64(slash + 1, 1, PART_MAX, &whole)) {
        return false;
    }
    *ret_part = (double)part / (double)whole;
    return true;
}

static void place(struct wish *wish, int column, int row, int padding) {
    wish->placed = true;
    wish->column = column;
    wish->row = row;
    wish->padding = padding;
}

static enum cs_status read_word(const char *word, struct cs_size canvas, struct wish *wish, struct cs_err *err) {
    bool pip = strcmp(word, "pip") == 0 || strcmp(word, "picture-in-picture") == 0;
    bool full = strcmp(word, "full") == 0;
    double *side = cs_str_starts(word, "w-") ? &wish->width : cs_str_starts(word, "h-") ? &wish->height : NULL;
    int column = 0;
    int row = 0;
    double part = 0;
    bool sizes = pip || full;
    if (sizes ? wish->width > 0 || wish->height > 0 || wish->placed : side != NULL && *side > 0) {
        return cs_fail_at(err, "words", "one_of", "the placement gives a size twice");
    }
    if (sizes) {
        wish->width = (double)canvas.width / (pip ? PIP_PARTS : 1);
        wish->height = (double)canvas.height / (pip ? PIP_PARTS : 1);
        place(wish, pip, pip, pip ? PIP_PADDING : 0);
        return CS_OK;
    }
    if (side != NULL && read_part(word + 2, &part)) {
        *side = part * (side == &wish->width ? canvas.width : canvas.height);
        return CS_OK;
    }
    if (side != NULL || !cs_anchor(word, &column, &row)) {
        return cs_fail_at(err, "words", "unknown_word",
                          "\"%s\" is not known here: full, center, pip, parts like w-1/2 and h-1/3, top-left and the "
                          "like are",
                          word);
    }
    if (wish->placed) {
        return cs_fail_at(err, "words", "one_of", "the placement names two places");
    }
    place(wish, column, row, 0);
    return CS_OK;
}

static enum cs_status read_words(const char *words, struct cs_size canvas, struct wish *wish, struct cs_err *err) {
    if (strlen(words) > WORDS_BYTES_MAX) {
        return cs_fail_at(err, "words", "too_long", "the words of a placement have at most %d bytes", WORDS_BYTES_MAX);
    }
    for (const char *at = words + strspn(words, " "); *at != '\0'; at += strspn(at, " ")) {
        char word[WORD_SIZE];
        size_t length = strcspn(at, " ");
        cs_str_copy(word, length < sizeof(word) ? length + 1 : sizeof(word), at);
        CS_TRY(read_word(word, canvas, wish, err));
        at += length;
    }
    return CS_OK;
}

/* ---- sums ---- */

static enum cs_status evaluate(const char *path, const char *text, const struct cs_arithmetic_name *names,
                               double *ret_value, struct cs_err *err) {
    return cs_arithmetic(text, names, ret_value, err) == CS_OK ? CS_OK : cs_err_at(err, path);
}

static enum cs_status read_side(const char *path, const char *text, struct cs_size canvas, double *side,
                                struct cs_err *err) {
    const struct cs_arithmetic_name names[] = {
        {"iw", canvas.width}, {"ih", canvas.height}, {"W", canvas.width}, {"H", canvas.height}, {NULL, 0}};
    double value = 0;
    if (text[0] == '\0') {
        return CS_OK;
    }
    if (*side > 0) {
        return cs_fail_at(err, path, "one_of", "the words of the placement give the %s already", path);
    }
    CS_TRY(evaluate(path, text, names, &value, err));
    if (value < SIDE_MIN || value > CS_LAYER_SIDE_MAX) {
        return cs_fail_at(err, path, "out_of_range", "a layer's %s is %d to %d pixels", path, SIDE_MIN,
                          CS_LAYER_SIDE_MAX);
    }
    *side = value;
    return CS_OK;
}

static enum cs_status read_ratio(const char *text, const struct wish *wish, double *ret_ratio, struct cs_err *err) {
    static const struct cs_arithmetic_name no_names[] = {{NULL, 0}};
    char left[WORD_SIZE];
    double width = 0;
    double height = 0;
    const char *colon = text + strcspn(text, ":/");
    if (text[0] == '\0') {
        return CS_OK;
    }
    if (wish->width > 0 && wish->height > 0) {
        return cs_fail_at(err, "aspectRatio", "one_of", "both sides are given: there is no room for an aspect ratio");
    }
    size_t length = (size_t)(colon - text);
    cs_str_copy(left, length < sizeof(left) ? length + 1 : sizeof(left), text);
    if (*colon == '\0' || cs_arithmetic(left, no_names, &width, NULL) != CS_OK ||
        cs_arithmetic(colon + 1, no_names, &height, NULL) != CS_OK || width <= 0 || height <= 0 ||
        width / height > RATIO_MAX || height / width > RATIO_MAX) {
        return cs_fail_at(err, "aspectRatio", "bad_ratio", "an aspect ratio is two numbers like 16:9");
    }
    *ret_ratio = width / height;
    return CS_OK;
}

static enum cs_status read_place(const char *path, const char *text, bool across, struct cs_size canvas,
                                 const struct cs_placed *placed, int *ret_place, struct cs_err *err) {
    const struct cs_arithmetic_name names[] = {{"W", canvas.width},
                                               {"H", canvas.height},
                                               {"w", placed->size.width},
                                               {"h", placed->size.height},
                                               {"iw", canvas.width},
                                               {"ih", canvas.height},
                                               {NULL, 0}};
    double value = 0;
    CS_TRY(evaluate(path, text, names, &value, err));
    if (fabs(value) > CS_LAYER_PLACE_MAX) {
        return cs_fail_at(err, path, "out_of_range", "a layer lies at most %d pixels from the canvas's %s edge",
                          CS_LAYER_PLACE_MAX, across ? "left" : "top");
    }
    *ret_place = (int)floor(value) & ~1;
    return CS_OK;
}

/* ---- sizes ---- */

static enum cs_status read_wish(const Callsheet__V1__Placement *placement, struct cs_size canvas, struct wish *wish,
                                struct cs_err *err) {
    CS_TRY(read_words(placement->words, canvas, wish, err));
    CS_TRY(read_side("width", placement->width, canvas, &wish->width, err));
    CS_TRY(read_side("height", placement->height, canvas, &wish->height, err));
    CS_TRY(read_ratio(placement->aspect_ratio, wish, &wish->ratio, err));
    if (placement->padding != NULL) {
        if (placement->padding->value > CS_LAYER_PADDING_MAX) {
            return cs_fail_at(err, "padding", "out_of_range", "padding must be from 0 to %d", CS_LAYER_PADDING_MAX);
        }
        wish->padding = (int)placement->padding->value;
    }
    return CS_OK;
}

/* The biggest area of this ratio inside width x height. */
static void shrink(double ratio, double *width, double *height) {
    if (*width > *height * ratio) {
        *width = *height * ratio;
    } else {
        *height = *width / ratio;
    }
}

static int even_side(double side) {
    int floored = (int)floor(side + 1e-9) & ~1; /* a third of 3 x 320 is 320 */
    return floored < SIDE_MIN ? SIDE_MIN : floored;
}

static enum cs_status size_of(const struct wish *wish, Callsheet__V1__LayerFit fit, struct cs_size canvas,
                              struct cs_size picture, struct cs_size *ret_size, struct cs_err *err) {
    double width = wish->width;
    double height = wish->height;
    double own = (double)picture.width / picture.height;
    double ratio = wish->ratio > 0 ? wish->ratio : own;
    if (width > 0 && height <= 0) {
        height = width / ratio;
    } else if (height > 0 && width <= 0) {
        width = height * ratio;
    } else if (width <= 0) {
        bool whole = wish->ratio > 0 || picture.width > canvas.width || picture.height > canvas.height;
        width = whole ? canvas.width : picture.width;
        height = whole ? canvas.height : picture.height;
        shrink(ratio, &width, &height);
    }
    if (fit == FIT(CONTAIN)) {
        shrink(own, &width, &height);
    }
    if (width > CS_LAYER_SIDE_MAX || height > CS_LAYER_SIDE_MAX) {
        return cs_fail_at(err, wish->height > 0 ? "height" : "width", "out_of_range",
                          "the layer would be %.0fx%.0f pixels: %d a side are allowed", width, height,
                          CS_LAYER_SIDE_MAX);
    }
    *ret_size = (struct cs_size){even_side(width), even_side(height)};
    return CS_OK;
}

static int anchored(int where, int room, int padding) {
    int place = where < 0 ? padding : where > 0 ? room - padding : (int)floor(room / 2.0);
    return place & ~1;
}

static enum cs_status position_of(const Callsheet__V1__PlacementPosition *position, const struct wish *wish,
                                  struct cs_size canvas, struct cs_placed *placed, struct cs_err *err) {
    static const struct anchor across[] = {{"left", -1, 0}, {"center", 0, 0}, {"right", 1, 0}};
    static const struct anchor down[] = {{"top", 0, -1}, {"center", 0, 0}, {"bottom", 0, 1}};
    const char *x = position == NULL ? "" : position->x;
    const char *y = position == NULL ? "" : position->y;
    int column = wish->column;
    int row = wish->row;
    bool named_x = x[0] == '\0';
    bool named_y = y[0] == '\0';
    if (wish->placed && (!named_x || !named_y)) {
        return cs_fail_at(err, "position", "one_of", "the words of the placement say where already");
    }
    for (size_t i = 0; i < CS_COUNT(across); i++) {
        bool found_x = strcmp(x, across[i].word) == 0;
        bool found_y = strcmp(y, down[i].word) == 0;
        named_x = named_x || found_x;
        named_y = named_y || found_y;
        column = found_x ? across[i].column : column;
        row = found_y ? down[i].row : row;
    }
    placed->x = anchored(column, canvas.width - placed->size.width, wish->padding);
    placed->y = anchored(row, canvas.height - placed->size.height, wish->padding);
    if (!named_x) {
        CS_TRY(read_place("position.x", x, true, canvas, placed, &placed->x, err));
    }
    return named_y ? CS_OK : read_place("position.y", y, false, canvas, placed, &placed->y, err);
}

enum cs_status cs_placement(const Callsheet__V1__Placement *placement, Callsheet__V1__LayerFit fit,
                            struct cs_size canvas, struct cs_size picture, struct cs_placed *ret_placed,
                            struct cs_err *err) {
    static const Callsheet__V1__Placement nothing = CALLSHEET__V1__PLACEMENT__INIT;
    struct wish wish = {0};
    struct cs_placed placed = {0};
    const Callsheet__V1__Placement *asked = placement != NULL ? placement : &nothing;
    if (placement == NULL) {
        wish.width = canvas.width;
        wish.height = canvas.height;
    }
    CS_TRY(read_wish(asked, canvas, &wish, err));
    CS_TRY(size_of(&wish, fit, canvas, picture, &placed.size, err));
    CS_TRY(position_of(asked->position, &wish, canvas, &placed, err));
    *ret_placed = placed;
    return CS_OK;
}

enum cs_status cs_placement_check(const Callsheet__V1__Placement *placement, struct cs_err *err) {
    static const struct cs_size canvas = {1913, 1069}; /* primes: sums that vanish with them vanish by chance */
    static const struct cs_size picture = {631, 353};
    struct cs_placed placed = {0};
    struct cs_err found = {0};
    if (placement != NULL) {
        CS_TRY(check_opt_u32("padding", placement->padding, 0, CS_LAYER_PADDING_MAX, err));
    }
    if (cs_placement(placement, FIT(COVER), canvas, picture, &placed, &found) == CS_OK ||
        cs_str_eq(found.reason, "out_of_range")) {
        return CS_OK; /* with other sizes it may be in range */
    }
    return cs_fail_at(err, found.path, found.reason, "%s", found.message);
}

bool cs_key_color(const char *text, uint32_t *ret_rgb) {
    uint32_t bgr = 0;
    uint8_t alpha = 0;
    const char *digits = cs_str_starts(text, "0x") || cs_str_starts(text, "0X") ? text + 2 : text;
    if (digits[0] == '&' || (digits != text && digits[0] == '#') || !cs_caption_color(digits, &bgr, &alpha)) {
        return false;
    }
    *ret_rgb = (bgr & 0xFFU) << 16 | (bgr & 0xFF00U) | bgr >> 16;
    return true;
}
