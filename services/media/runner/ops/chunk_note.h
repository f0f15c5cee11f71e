/*
 * chunk_note: what was seen of a chunk's pictures before they were encoded, in the chunk's own file: a box behind the
 * last one, which nobody else reads. So it is there wherever the chunk is, whoever goes on with it.
 *
 * Trust    a note that cannot be read, or says what cannot be, is none.
 */
#ifndef MED_OPS_CHUNK_NOTE_H
#define MED_OPS_CHUNK_NOTE_H

#include "cs/base/err.h"
#include "graph/watch.h"

/* Behind the finished file. first: of the whole, where frame 0 of the findings is. "write_failed" */
enum cs_status med_chunk_note_write(int fd, const struct med_picture_findings *seen, int64_t first,
                                    struct cs_err *err) CS_MUST_USE;
/* Joins what one chunk's note says to that of the chunks before it. frames: of the whole. */
void med_chunk_note_read(int fd, int64_t frames, struct med_picture_findings *whole);

#endif
