#include "captions/fonts.h"

#include <fcntl.h>
#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_TRUETYPE_TABLES_H
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "captions/cmap.h"
#include "cs/base/auto.h"
#include "cs/base/text.h"

enum { MAIN_FAMILIES = 3 };

/* One row a family; %s is the weight. In the order of fallback. */
static struct family {
    const char *name;
    const char *path;
    const char *regular;
    const char *bold;
    int face_index; /* inside a collection */
    /* below: filled by load */
    struct {
        void *bytes;
        size_t size;
    } files[2];
    FT_Face face;
} families[] = {
#define LIBERATION(kind)                                                                                               \
    { "Liberation " kind, "/usr/share/fonts/truetype/liberation2/Liberation" kind "-%s.ttf", "Regular", "Bold", 0 }
#define NOTO(name, file)                                                                                               \
    { "Noto Sans" name, "/usr/share/fonts/truetype/noto/NotoSans" file "-%s.ttf", "Regular", "Bold", 0 }
#define CJK(region, index)                                                                                             \
    { "Noto Sans CJK " region, "/usr/share/fonts/opentype/noto/NotoSansCJK-%s.ttc", "Regular", "Bold", index }
    LIBERATION("Sans"),
    LIBERATION("Serif"),
    LIBERATION("Mono"),
    {"DejaVu Sans", "/usr/share/fonts/truetype/dejavu/DejaVuSans%s.ttf", "", "-Bold", 0},
    NOTO("", ""),
    NOTO(" Arabic", "Arabic"),
    NOTO(" Hebrew", "Hebrew"),
    NOTO(" Devanagari", "Devanagari"),
    NOTO(" Bengali", "Bengali"),
    NOTO(" Gujarati", "Gujarati"),
    NOTO(" Gurmukhi", "Gurmukhi"),
    NOTO(" Kannada", "Kannada"),
    NOTO(" Malayalam", "Malayalam"),
    NOTO(" Oriya", "Oriya"),
    NOTO(" Sinhala", "Sinhala"),
    NOTO(" Tamil", "Tamil"),
    NOTO(" Telugu", "Telugu"),
    NOTO(" Thai", "Thai"),
    NOTO(" Lao", "Lao"),
    NOTO(" Khmer", "Khmer"),
    NOTO(" Myanmar", "Myanmar"),
    NOTO(" Georgian", "Georgian"),
    NOTO(" Armenian", "Armenian"),
    NOTO(" Ethiopic", "Ethiopic"),
    NOTO(" Cherokee", "Cherokee"),
    NOTO(" Thaana", "Thaana"),
    NOTO(" Symbols", "Symbols"),
    {"Symbola", "/usr/share/fonts/truetype/ancient-scripts/Symbola%s.ttf", "_hint", "_hint", 0},
    CJK("JP", 0),
    CJK("KR", 1),
    CJK("SC", 2),
    CJK("TC", 3),
    CJK("HK", 4),
#undef LIBERATION
#undef NOTO
#undef CJK
};

static const struct {
    const char *wish;
    const char *family;
} aliases[] = {
    {"Arial", "Liberation Sans"},      {"Helvetica", "Liberation Sans"},
    {"sans-serif", "Liberation Sans"}, {"Times New Roman", "Liberation Serif"},
    {"Times", "Liberation Serif"},     {"Georgia", "Liberation Serif"},
    {"serif", "Liberation Serif"},     {"Courier New", "Liberation Mono"},
    {"Courier", "Liberation Mono"},    {"monospace", "Liberation Mono"},
    {"Verdana", "DejaVu Sans"},        {"Roboto", "Noto Sans"},
    {"Open Sans", "Noto Sans"},        {"Inter", "Noto Sans"},
};

static FT_Library freetype;

/* ---- loading ---- */

static bool map_file(struct family *family, int weight) {
    char path[160];
    snprintf(path, sizeof(path), family->path, weight == 0 ? family->regular : family->bold);
    CS_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    if (fd < 0 || fstat(fd, &facts) != 0 || facts.st_size <= 0) {
        return false;
    }
    void *bytes = mmap(NULL, (size_t)facts.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        return false;
    }
    (void)med_cmap_widen(bytes, (size_t)facts.st_size);
    family->files[weight].bytes = bytes;
    family->files[weight].size = (size_t)facts.st_size;
    return true;
}

/* Members of a collection share one mapping. */
static void share_or_map(struct family *family, int weight) {
    const struct family *before = family > families ? family - 1 : NULL;
    if (before != NULL && family->face_index > 0 && strcmp(before->path, family->path) == 0) {
        family->files[weight] = before->files[weight];
    } else {
        (void)map_file(family, weight);
    }
}

enum cs_status med_fonts_load(struct cs_err *err) {
    size_t found = 0;
    for (size_t i = 0; i < CS_COUNT(families); i++) {
        if (families[i].files[0].bytes == NULL) {
            share_or_map(&families[i], 0);
            share_or_map(&families[i], 1);
        }
        found += families[i].files[0].bytes != NULL;
    }
    if (found == 0) {
        return cs_fail(err, CS_NOT_FOUND, "no_fonts", "no font of the package list is installed");
    }
    if (freetype == NULL && FT_Init_FreeType(&freetype) != 0) {
        return cs_fail(err, CS_INTERNAL, "freetype", "FreeType does not start");
    }
    return CS_OK;
}

uint64_t med_fonts_sum(void) {
    uint64_t sum = 0;
    for (size_t i = 0; i < CS_COUNT(families); i++) {
        sum = (sum * 31 + families[i].files[0].size) * 31 + families[i].files[1].size;
    }
    return sum;
}

/* ---- choosing ---- */

static struct family *find(const char *name) {
    for (size_t i = 0; i < CS_COUNT(families); i++) {
        if (strcasecmp(families[i].name, name) == 0 && families[i].files[0].bytes != NULL) {
            return &families[i];
        }
    }
    return NULL;
}

const char *med_fonts_family(const char *wish) {
    for (size_t i = 0; i < CS_COUNT(aliases) && wish != NULL; i++) {
        if (strcasecmp(aliases[i].wish, wish) == 0) {
            wish = aliases[i].family;
            break;
        }
    }
    const struct family *family = wish == NULL ? NULL : find(wish);
    for (size_t i = 0; family == NULL && i < CS_COUNT(families); i++) {
        family = families[i].files[0].bytes != NULL ? &families[i] : NULL;
    }
    return family == NULL ? families[0].name : family->name;
}

static FT_Face face_of(struct family *family) {
    if (family == NULL || family->files[0].bytes == NULL || freetype == NULL) {
        return NULL;
    }
    if (family->face == NULL && FT_New_Memory_Face(freetype, family->files[0].bytes, (FT_Long)family->files[0].size,
                                                   family->face_index, &family->face) != 0) {
        family->face = NULL;
    }
    return family->face;
}

static bool draws(struct family *family, uint32_t character) {
    FT_Face face = face_of(family);
    return face != NULL && FT_Get_Char_Index(face, character) != 0;
}

/* Line height over letter size, as libass takes it. */
static double line_of(struct family *family) {
    FT_Face face = face_of(family);
    const TT_OS2 *os2 = face == NULL ? NULL : FT_Get_Sfnt_Table(face, FT_SFNT_OS2);
    if (os2 == NULL || face->units_per_EM == 0 || os2->usWinAscent + os2->usWinDescent == 0) {
        return 1.15;
    }
    return (double)(os2->usWinAscent + os2->usWinDescent) / face->units_per_EM;
}

double med_fonts_size_ratio(const char *family, const char *base) {
    return line_of(find(family)) / line_of(find(base));
}

static const char *cjk_family(const char *language) {
    static const struct {
        const char *start;
        const char *family;
    } regions[] = {
        {"ko", "Noto Sans CJK KR"},    {"zh-TW", "Noto Sans CJK TC"}, {"zh-Hant", "Noto Sans CJK TC"},
        {"zh-HK", "Noto Sans CJK HK"}, {"yue", "Noto Sans CJK HK"},   {"zh", "Noto Sans CJK SC"},
        {"ja", "Noto Sans CJK JP"},
    };
    for (size_t i = 0; i < CS_COUNT(regions) && language != NULL; i++) {
        if (strncasecmp(language, regions[i].start, strlen(regions[i].start)) == 0) {
            return regions[i].family;
        }
    }
    return NULL;
}

static bool is_hangul(uint32_t c) {
    return (c >= 0x1100 && c <= 0x11ff) || (c >= 0x3130 && c <= 0x318f) || (c >= 0xac00 && c <= 0xd7a3);
}

static bool is_kana(uint32_t c) {
    return c >= 0x3040 && c <= 0x30ff;
}

const char *med_fonts_for(uint32_t character, const char *family, const char *language) {
    if (draws(find(family), character)) {
        return family;
    }
    if (character >= 0x1100) {
        const char *regional = cjk_family(language);
        if (regional == NULL) {
            regional = is_hangul(character) ? "Noto Sans CJK KR"
                       : is_kana(character) ? "Noto Sans CJK JP"
                                            : "Noto Sans CJK SC";
        }
        if (draws(find(regional), character)) {
            return regional;
        }
    }
    /* Arabic and Hebrew look better in their own Noto than in the wide fonts before it. */
    for (size_t i = MAIN_FAMILIES + 2; i < CS_COUNT(families); i++) {
        if (draws(&families[i], character)) {
            return families[i].name;
        }
    }
    for (size_t i = 0; i < MAIN_FAMILIES + 2; i++) {
        if (draws(&families[i], character)) {
            return families[i].name;
        }
    }
    return NULL;
}

/* ---- handing over ---- */

void med_font_set_add(struct med_font_set *set, const char *family) {
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->families[i], family) == 0) {
            return;
        }
    }
    if (set->count < MED_FAMILIES_MAX) {
        set->families[set->count++] = family;
    }
}

void med_fonts_give(const struct med_font_set *set, ASS_Library *library) {
    const void *given = NULL;
    for (size_t i = 0; i < set->count; i++) {
        const struct family *family = find(set->families[i]);
        if (family == NULL || family->files[0].bytes == given) {
            continue;
        }
        given = family->files[0].bytes;
        for (int weight = 0; weight < 2; weight++) {
            if (family->files[weight].bytes != NULL) {
                ass_add_font(library, family->name, family->files[weight].bytes, (int)family->files[weight].size);
            }
        }
    }
}
