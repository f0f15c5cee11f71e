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

/* Besides the main one. */
static const char *const *more_names(const Callsheet__V1__Operation *operation, const struct cs_operation *row) {
    static const char *const subtitle_files[] = {"transcript.json", "subtitles.srt", "subtitles.vtt", "subtitles.ass",
                                                 NULL};
    static const char *const storyboard[] = {"storyboard.vtt", NULL};
    switch (operation->params_case) {
    case CALLSHEET__V1__OPERATION__PARAMS_THUMBNAIL:
        return cs_str_eq(operation->thumbnail->mode, "sprite") ? storyboard : NULL;
    case CALLSHEET__V1__OPERATION__PARAMS_REFRAME:
        return cs_str_eq(operation->reframe->mode, "smart") ? row->more_outputs : NULL;
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
        const char *const *more = more_names(operation, row);
        for (; more != NULL && *more != NULL && count < CS_JOB_OUTPUTS_MAX; more++) {
            names[count++] = cs_arena_strdup(arena, *more);
        }
    }
    *ret_names = names;
    *ret_count = count;
}
