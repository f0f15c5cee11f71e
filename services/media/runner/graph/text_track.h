/*
 * text_track: a video's packets and a text track, in an MP4 file of their own. Nothing is decoded: picture and sound
 * stay as they are, and text tracks that are there already stay, too.
 *
 * Fails    UNIMPLEMENTED "codec_unsupported" when MP4 cannot hold a stream; as input and sink do.
 */
#ifndef MED_TEXT_TRACK_H
#define MED_TEXT_TRACK_H

#include "graph/clip.h"
#include "subtitles/timed_text.h"

struct med_text_track {
    struct med_timed_text text;
    const char *language; /* "eng" */
};

/* ret_tracks: text tracks of the file. */
enum cs_status med_text_track_add(const struct med_clip *clip, const struct med_text_track *track, int fd,
                                  int64_t bytes_max, const struct med_render_events *events, int *ret_tracks,
                                  struct cs_err *err) CS_MUST_USE;

#endif
