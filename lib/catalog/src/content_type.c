#include <string.h>
#include <strings.h>

#include "cs/base/text.h"
#include "cs/catalog.h"

static const struct {
    const char *extension;
    const char *type;
} types[] = {
    {".mp4", "video/mp4"},
    {".mov", "video/quicktime"},
    {".webm", "video/webm"},
    {".mkv", "video/x-matroska"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".webp", "image/webp"},
    {".gif", "image/gif"},
    {".mp3", "audio/mpeg"},
    {".wav", "audio/wav"},
    {".m4a", "audio/mp4"},
    {".flac", "audio/flac"},
    {".ogg", "audio/ogg"},
    {".opus", "audio/ogg"},
    {".srt", "application/x-subrip"},
    {".vtt", "text/vtt"},
    {".ass", "text/x-ssa"},
    {".json", "application/json"},
    {".m3u8", "application/vnd.apple.mpegurl"},
    {".mpd", "application/dash+xml"},
};

const char *cs_catalog_content_type(const char *name) {
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < CS_COUNT(types); i++) {
        if (strcasecmp(dot, types[i].extension) == 0) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}
