/* What an operation's files are called. */
#include <string.h>

#include "cs/base/text.h"
#include "cs/catalog.h"

/* "output.png" in another format is "output.webp". */
static const char *with_format(const char *name, const char *format, struct cs_arena *arena) {
    const char *dot = strrchr(name, '.');
    if (dot == NULL || cs_str_empty(format)) {
        return name;
    }
    return cs_arena_sprintf(arena, "%.*s.%s", (int)(dot - name), name, format);
}

/* Sound is made of sound, where a video would stay one. */
static bool is_audio_alone(const Callsheet__V1__Operation *operation) {
    switch (operation->params_case) {
    case CALLSHEET__V1__OPERATION__PARAMS_MIX_AUDIO:
        return operation->mix_audio->main_case == CALLSHEET__V1__MIX_AUDIO__MAIN_AUDIO;
    case CALLSHEET__V1__OPERATION__PARAMS_LOUDNESS:
        return operation->loudness->main_case == CALLSHEET__V1__LOUDNESS__MAIN_AUDIO;
    default:
        return false;
    }
}

Callsheet__V1__MediaType cs_catalog_output_type(const Callsheet__V1__Operation *operation) {
    const struct cs_operation *row = operation != NULL ? cs_catalog_by_case(operation->params_case) : NULL;
    if (row == NULL) {
        return CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED;
    }
    return is_audio_alone(operation) ? CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_AUDIO : row->output;
}

static bool is_smart(const Callsheet__V1__Operation *operation) {
    return cs_str_eq(operation->reframe->mode, "smart");
}

Callsheet__V1__MediaType cs_catalog_more_type(const Callsheet__V1__Operation *operation) {
    if (operation->params_case == CALLSHEET__V1__OPERATION__PARAMS_REFRAME && is_smart(operation)) {
        return CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_REFRAME_PATH;
    }
    if (operation->params_case == CALLSHEET__V1__OPERATION__PARAMS_ADD_SUBTITLES &&
        operation->add_subtitles->subtitle_files) {
        return CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_TRANSCRIPT;
    }
    return CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED;
}

static const char manifest_name[] = "manifest.mpd";

static const char *main_name(const Callsheet__V1__Operation *operation, const struct cs_operation *row,
                             struct cs_arena *arena) {
    switch (operation->params_case) {
    case CALLSHEET__V1__OPERATION__PARAMS_GENERATE_IMAGE:
        return with_format(row->output_name, operation->generate_image->output_format, arena);
    case CALLSHEET__V1__OPERATION__PARAMS_THUMBNAIL:
        return with_format(row->output_name, operation->thumbnail->format, arena);
    case CALLSHEET__V1__OPERATION__PARAMS_GIF:
        return with_format(row->output_name, operation->gif->format, arena);
    case CALLSHEET__V1__OPERATION__PARAMS_CONVERT:
        return with_format(row->output_name, operation->convert->container, arena);
    case CALLSHEET__V1__OPERATION__PARAMS_PACKAGE:
        return cs_package_has(operation->package, "hls") ? row->output_name : manifest_name;
    case CALLSHEET__V1__OPERATION__PARAMS_EXTRACT_AUDIO:
        return with_format(row->output_name, cs_sound_extension(operation->extract_audio->format), arena);
    case CALLSHEET__V1__OPERATION__PARAMS_MIX_AUDIO:
        return is_audio_alone(operation)
                   ? with_format(row->output_name, cs_sound_extension(operation->mix_audio->format), arena)
                   : row->output_name;
    case CALLSHEET__V1__OPERATION__PARAMS_LOUDNESS:
        return is_audio_alone(operation)
                   ? with_format(row->output_name, cs_sound_extension(operation->loudness->format), arena)
                   : row->output_name;
    default:
        return row->output_name;
    }
}

/* A file of a package and, for HLS, its playlist. */
static size_t add_stream(const Callsheet__V1__Package *package, const char *stem, const char *suffix,
                         const char **names, size_t count, struct cs_arena *arena) {
    names[count++] = cs_arena_sprintf(arena, "%s%s", stem, suffix);
    if (cs_package_has(package, "hls")) {
        names[count++] = cs_arena_sprintf(arena, "%s.m3u8", stem);
    }
    return count;
}

/* Of any video: which of its rungs there are, and whether there is sound, is not known before it is seen. */
static const char *const *package_names(const Callsheet__V1__Package *package, struct cs_arena *arena) {
    struct cs_package_rung rungs[CS_PACKAGE_RUNGS_MAX];
    size_t rung_count = cs_package_rungs(package, rungs);
    const char **names = cs_arena_array(arena, CS_JOB_OUTPUTS_MAX + 1, sizeof(*names));
    size_t count = 0;
    if (cs_package_has(package, "hls") && cs_package_has(package, "dash")) {
        names[count++] = manifest_name;
    }
    count = add_stream(package, "video_source", ".mp4", names, count, arena);
    for (size_t i = 0; i < rung_count; i++) {
        count = add_stream(package, cs_arena_sprintf(arena, "video_%u", rungs[i].height), ".mp4", names, count, arena);
    }
    count = add_stream(package, "audio", ".mp4", names, count, arena);
    if (package->transcript != NULL || package->n_words > 0) {
        add_stream(package, "subtitles", ".vtt", names, count, arena);
    }
    return names;
}

/* Besides the main one. */
static const char *const *more_names(const Callsheet__V1__Operation *operation, const struct cs_operation *row,
                                     struct cs_arena *arena) {
    static const char *const subtitle_files[] = {"transcript.json", "subtitles.srt", "subtitles.vtt", "subtitles.ass",
                                                 NULL};
    static const char *const storyboard[] = {"storyboard.vtt", NULL};
    switch (operation->params_case) {
    case CALLSHEET__V1__OPERATION__PARAMS_THUMBNAIL:
        return cs_str_eq(operation->thumbnail->mode, "sprite") ? storyboard : NULL;
    case CALLSHEET__V1__OPERATION__PARAMS_PACKAGE:
        return package_names(operation->package, arena);
    case CALLSHEET__V1__OPERATION__PARAMS_REFRAME:
        return is_smart(operation) ? row->more_outputs : NULL;
    case CALLSHEET__V1__OPERATION__PARAMS_ADD_SUBTITLES:
        return operation->add_subtitles->subtitle_files ? subtitle_files : NULL;
    default:
        return row->more_outputs;
    }
}

void cs_catalog_output_names(const Callsheet__V1__Operation *operation, struct cs_arena *arena, char ***ret_names,
                             size_t *ret_count) {
    const struct cs_operation *row = cs_catalog_by_case(operation->params_case);
    char **names = cs_arena_array(arena, CS_JOB_OUTPUTS_MAX, sizeof(*names));
    size_t count = 0;
    if (row != NULL && !cs_str_empty(row->output_name)) {
        names[count++] = cs_arena_strdup(arena, main_name(operation, row, arena));
        const char *const *more = more_names(operation, row, arena);
        for (; more != NULL && *more != NULL && count < CS_JOB_OUTPUTS_MAX; more++) {
            names[count++] = cs_arena_strdup(arena, *more);
        }
    }
    *ret_names = names;
    *ret_count = count;
}
