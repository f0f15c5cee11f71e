/*
 * markup: the text of a cue as SRT, WebVTT and ASS mark it up, put into a cue list.
 *
 * Kept     bold, italic, underlined and coloured. Everything else that is meant for players goes: other tags, override
 *          blocks in braces, drawings. What only looks like markup ("a < b", "{ so }") is text.
 */
#ifndef MED_MARKUP_H
#define MED_MARKUP_H

#include "subtitles/cue_list.h"

void med_markup_srt(struct med_cue_list *list, const char *text, size_t size_bytes);
void med_markup_vtt(struct med_cue_list *list, const char *text, size_t size_bytes); /* knows entities */
void med_markup_ass(struct med_cue_list *list, const char *text, size_t size_bytes);

#endif
