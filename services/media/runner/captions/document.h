/*
 * document: captions as an ASS document.
 *
 * Without highlight a caption is one event; with it, one event a word, each lasting until the next word starts. Text is
 * escaped by ass_text; nothing of it is ever read as markup.
 */
#ifndef MED_DOCUMENT_H
#define MED_DOCUMENT_H

#include "captions/fonts.h"
#include "captions/group.h"

enum { MED_DOCUMENT_BYTES_MAX = 64 << 20 };

/* out grows; ret_fonts gets what the text needs. OUT_OF_RANGE "captions_too_big". */
enum cs_status med_document(const struct med_words *words, const struct med_style *style, const char *language,
                            int canvas_width, int canvas_height, struct cs_arena *arena, struct cs_buf *out,
                            struct med_font_set *ret_fonts, struct cs_err *err) CS_MUST_USE;

#endif
