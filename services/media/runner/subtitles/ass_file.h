/*
 * ass_file: an ASS file of a user's as a document for libass.
 *
 * Styles, positions and effects stay. Fonts are exchanged for those that are installed, letters that they lack come
 * from another, as in captions of our own. Embedded fonts and pictures, comments and everything that is no style and no
 * event go.
 *
 * Fails    OUT_OF_RANGE "captions_too_big".
 * Trust    the text is a stranger's: only lines that are understood are copied. What its effects cost is limited by the
 *          sandbox.
 */
#ifndef MED_ASS_FILE_H
#define MED_ASS_FILE_H

#include "captions/fonts.h"
#include "cs/base/mem.h"

/* text is UTF-8, and terminated. */
enum cs_status med_ass_file(const char *text, size_t size_bytes, const char *language, struct cs_arena *arena,
                            struct cs_buf *out, struct med_font_set *ret_fonts, struct cs_err *err) CS_MUST_USE;

#endif
