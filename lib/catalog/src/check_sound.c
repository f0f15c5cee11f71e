/* What is checked of the operations on sound. */
#include "check.h"
#include "cs/base/text.h"

enum {
    BITRATE_KBPS_MIN = 32,
    BITRATE_KBPS_MAX = 320,
};

/* ---- files of sound ---- */

struct format {
    const char *name;
    const char *extension;
    bool lossy;
    const uint32_t *rates; /* that it knows, 0 ends them; the usual one is first */
};

static const uint32_t mp3_rates[] = {44100, 48000, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 0};
static const uint32_t aac_rates[] = {48000, 96000, 88200, 64000, 44100, 32000, 24000,
                                     22050, 16000, 12000, 11025, 8000,  0};
static const uint32_t any_rates[] = {48000, 96000, 88200, 64000, 44100, 32000, 24000,
                                     22050, 16000, 12000, 11025, 8000,  0};
static const uint32_t opus_rates[] = {48000, 0};

static const struct format formats[] = {
    {"mp3", "mp3", true, mp3_rates},  {"m4a", "m4a", true, aac_rates},    {"aac", "m4a", true, aac_rates},
    {"wav", "wav", false, any_rates}, {"flac", "flac", false, any_rates}, {"opus", "opus", true, opus_rates},
    {"ogg", "ogg", true, opus_rates},
};

static const struct format *find_format(const char *name) {
    for (size_t i = 0; i < CS_COUNT(formats); i++) {
        if (cs_str_eq(formats[i].name, name)) {
            return &formats[i];
        }
    }
    return &formats[0];
}

static enum cs_status check_format(const char *name, struct cs_err *err) {
    static const char *const names[] = {"mp3", "m4a", "aac", "wav", "flac", "opus", "ogg", NULL};
    return check_word("format", name, names, err);
}

const char *cs_sound_extension(const char *format) {
    return find_format(format)->extension;
}

uint32_t cs_sound_rate(const char *format, uint32_t wanted) {
    const uint32_t *rates = find_format(format)->rates;
    for (const uint32_t *rate = rates; *rate != 0; rate++) {
        if (*rate == wanted) {
            return wanted;
        }
    }
    return rates[0];
}

enum cs_status check_extract_audio(const Callsheet__V1__ExtractAudio *params, struct cs_err *err) {
    CS_TRY(check_ref("media", params->media, true, err));
    CS_TRY(check_format(params->format, err));
    CS_TRY(check_opt_u32("channels", params->channels, 1, 2, err));
    CS_TRY(check_opt_u32("bitrateKbps", params->bitrate_kbps, BITRATE_KBPS_MIN, BITRATE_KBPS_MAX, err));
    if (params->sample_rate != NULL &&
        cs_sound_rate(params->format, params->sample_rate->value) != params->sample_rate->value) {
        return cs_fail_at(err, "sampleRate", "out_of_range", "this format has no sample rate of %u Hz",
                          params->sample_rate->value);
    }
    if (params->bitrate_kbps != NULL && !find_format(params->format)->lossy) {
        return cs_fail_at(err, "bitrateKbps", "not_applicable", "this format has no bit rate to choose");
    }
    return CS_OK;
}

/* ---- other sound for a video ---- */

enum cs_status check_lip_sync(const Callsheet__V1__LipSync *params, struct cs_err *err) {
    static const char *const fits[] = {"shortest", "video", "audio", "tempo", NULL};
    CS_TRY(check_ref("video", params->video, true, err));
    CS_TRY(check_ref("audio", params->audio, true, err));
    CS_TRY(check_word("fit", params->fit, fits, err));
    return check_opt_real("volume", params->volume, 0, 1, err);
}

/* Of the two that a sound may be taken from, the one that is given; the other way to say the format of a file. */
static enum cs_status check_main(const Callsheet__V1__MediaRef *video, const Callsheet__V1__MediaRef *audio,
                                 const char *format, struct cs_err *err) {
    CS_TRY(check_ref(audio != NULL ? "audio" : "video", audio != NULL ? audio : video, true, err));
    CS_TRY(check_format(format, err));
    if (audio == NULL && !cs_str_empty(format)) {
        return cs_fail_at(err, "format", "not_applicable", "a video stays an MP4; format is of a sound alone");
    }
    return CS_OK;
}

static enum cs_status check_track(const Callsheet__V1__AudioTrack *track, size_t index, struct cs_err *err) {
#define AT(member) check_at("tracks", index, member).text
    CS_TRY(check_ref(AT(".audio"), track->audio, true, err));
    CS_TRY(check_opt_real(AT(".start"), track->start, 0, MEDIA_SECONDS_MAX, err));
    CS_TRY(check_opt_real(AT(".trimStart"), track->trim_start, 0, MEDIA_SECONDS_MAX, err));
    CS_TRY(check_opt_real(AT(".duration"), track->duration, 0.001, MEDIA_SECONDS_MAX, err));
    CS_TRY(check_opt_real(AT(".volume"), track->volume, 0, 1, err));
    CS_TRY(check_opt_real(AT(".gainDb"), track->gain_db, -60, 20, err));
    CS_TRY(check_opt_real(AT(".fadeIn"), track->fade_in, 0, FADE_S_MAX, err));
    CS_TRY(check_opt_real(AT(".fadeOut"), track->fade_out, 0, FADE_S_MAX, err));
    if (track->volume != NULL && track->gain_db != NULL) {
        return cs_fail_at(err, AT(".gainDb"), "one_of", "volume and gainDb exclude each other");
    }
#undef AT
    return CS_OK;
}

static enum cs_status check_ducking(const Callsheet__V1__Ducking *ducking, struct cs_err *err) {
    if (ducking == NULL) {
        return CS_OK;
    }
    CS_TRY(check_opt_real("ducking.thresholdDb", ducking->threshold_db, -80, 0, err));
    CS_TRY(check_opt_real("ducking.ratio", ducking->ratio, 1, 20, err));
    CS_TRY(check_opt_real("ducking.attackMs", ducking->attack_ms, 0, 2000, err));
    CS_TRY(check_opt_real("ducking.releaseMs", ducking->release_ms, 0, 10000, err));
    return check_opt_real("ducking.reductionMaxDb", ducking->reduction_max_db, 0, 60, err);
}

enum cs_status check_mix_audio(const Callsheet__V1__MixAudio *params, struct cs_err *err) {
    bool pictured = params->main_case != CALLSHEET__V1__MIX_AUDIO__MAIN_AUDIO;
    CS_TRY(check_main(pictured ? params->video : NULL, pictured ? NULL : params->audio, params->format, err));
    if (params->n_tracks == 0 || params->n_tracks > AUDIO_TRACKS_MAX) {
        return cs_fail_at(err, "tracks", params->n_tracks == 0 ? "required" : "too_many", "a mix has 1 to %d tracks",
                          AUDIO_TRACKS_MAX);
    }
    for (size_t i = 0; i < params->n_tracks; i++) {
        CS_TRY(check_track(params->tracks[i], i, err));
    }
    CS_TRY(check_opt_real("volume", params->volume, 0, 1, err));
    CS_TRY(check_ducking(params->ducking, err));
    return check_opt_real("fadeOut", params->fade_out, 0, FADE_S_MAX, err);
}

/* ---- loudness ---- */

bool cs_loudness_preset(const char *word, double *ret_target_lufs, double *ret_true_peak_max_db) {
    static const struct {
        const char *word;
        double target_lufs, true_peak_max_db;
    } presets[] = {{"streaming", -14, -1}, {"podcast", -16, -1}, {"ebuR128", -23, -1}, {"atscA85", -24, -2}};
    for (size_t i = 0; i < CS_COUNT(presets); i++) {
        if (cs_str_eq(presets[i].word, cs_str_empty(word) ? "podcast" : word)) {
            *ret_target_lufs = presets[i].target_lufs;
            *ret_true_peak_max_db = presets[i].true_peak_max_db;
            return true;
        }
    }
    return false;
}

enum cs_status check_loudness(const Callsheet__V1__Loudness *params, struct cs_err *err) {
    static const char *const presets[] = {"streaming", "podcast", "ebuR128", "atscA85", NULL};
    bool pictured = params->main_case != CALLSHEET__V1__LOUDNESS__MAIN_AUDIO;
    CS_TRY(check_main(pictured ? params->video : NULL, pictured ? NULL : params->audio, params->format, err));
    CS_TRY(check_opt_real("target", params->target, CS_LOUDNESS_MIN, CS_LOUDNESS_MAX, err));
    CS_TRY(check_word("preset", params->preset, presets, err));
    CS_TRY(check_opt_real("truePeakMax", params->true_peak_max, CS_TRUE_PEAK_MIN, CS_TRUE_PEAK_MAX, err));
    if (params->target != NULL && !cs_str_empty(params->preset)) {
        return cs_fail_at(err, "preset", "one_of", "target and preset exclude each other");
    }
    return CS_OK;
}
