#include "graph/aac.h"

#include <libavutil/intreadwrite.h>

enum {
    CONFIG_BYTES = 2, /* of AAC-LC */
    OBJECT_AAC_LC = 2,
    RATES = 13,
    SURE_RATE_MIN = 32000,
    REPLICATION_SYNC = 0x2b7
};

bool med_aac_is_plain(const AVCodecParameters *params) {
    const uint8_t *config = params->extradata;
    if (params->codec_id != AV_CODEC_ID_AAC || params->extradata_size < CONFIG_BYTES) {
        return false;
    }
    int object = config[0] >> 3;
    int rate = (config[0] & 7) << 1 | config[1] >> 7;
    int channels = config[1] >> 3 & 15;
    bool whole_frames = (config[1] & 7) == 0;
    bool extended = params->extradata_size >= CONFIG_BYTES + 3 &&
                    AV_RB16(config + CONFIG_BYTES) >> 5 == REPLICATION_SYNC && (config[4] & 0x80) != 0;
    return object == OBJECT_AAC_LC && rate < RATES && channels >= 1 && channels <= MED_AAC_CHANNELS_MAX &&
           channels == params->ch_layout.nb_channels && whole_frames && !extended &&
           params->sample_rate >= SURE_RATE_MIN;
}
