/*
 * aac: what the header of AAC says.
 */
#ifndef MED_AAC_H
#define MED_AAC_H

#include <libavcodec/avcodec.h>
#include <stdbool.h>

enum { MED_AAC_CHANNELS_MAX = 6 /* more are laid out in several ways */ };

/* AAC-LC of 1,024 samples a frame, of 1 … MED_AAC_CHANNELS_MAX channels, which decodes to the rate and channels of its
 * header. Of rates below 32 kHz nobody knows that without decoding: half of the sound may be told beside it. */
bool med_aac_is_plain(const AVCodecParameters *params);

#endif
