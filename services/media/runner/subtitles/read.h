/*
 * read: the readers of the formats, each from UTF-8 into a cue list.
 */
#ifndef MED_SUBTITLES_READ_H
#define MED_SUBTITLES_READ_H

#include "subtitles/cue_list.h"

/* SRT and WebVTT differ in their times and markup. */
void med_read_blocks(const char *text, size_t size_bytes, bool vtt, struct med_cue_list *list, size_t *bad_times);
/* Advanced SubStation Alpha, and SSA before it. */
void med_read_ass(const char *text, size_t size_bytes, struct med_cue_list *list, size_t *bad_times);

#endif
