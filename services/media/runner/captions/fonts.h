/*
 * fonts: the font files that captions are drawn with, mapped once before the sandbox closes.
 *
 * The list is fixed (Liberation, DejaVu, Noto with CJK), so the same text looks the same on every machine that has the
 * packages. Files are mapped (privately; see cmap.h), not read: only pages of fonts in use become resident. Fallback is
 * decided here, per character, by asking the fonts themselves; libass is given just the files that a text needs.
 *
 * Threads  med_fonts_load before any thread; the rest on one thread at a time.
 */
#ifndef MED_FONTS_H
#define MED_FONTS_H

#include <ass/ass.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cs/base/err.h"

enum { MED_FAMILIES_MAX = 32 };

/* The fonts that one text uses. */
struct med_font_set {
    const char *families[MED_FAMILIES_MAX];
    size_t count;
};

enum cs_status med_fonts_load(struct cs_err *err) CS_MUST_USE;

/* Another number where a file is missing, or has another size. */
uint64_t med_fonts_sum(void);

/* The installed family for a wish: "Arial" and "Helvetica" are Liberation Sans, "Times New Roman" its Serif, "Courier
 * New" its Mono; an unknown one is Liberation Sans. */
const char *med_fonts_family(const char *wish);
/* The family that draws this character: `family` when it can, else the first that can, CJK by language ("ja", "ko",
 * "zh-TW" …); NULL when none can. */
const char *med_fonts_for(uint32_t character, const char *family, const char *language);

/* What to multiply a font size of `base` with so that `family` looks equally big: libass sizes fonts by their line
 * height, and those of some scripts are twice as high for the same letters. */
double med_fonts_size_ratio(const char *family, const char *base);

void med_font_set_add(struct med_font_set *set, const char *family);
/* Regular and bold of each family in the set. */
void med_fonts_give(const struct med_font_set *set, ASS_Library *library);

#endif
