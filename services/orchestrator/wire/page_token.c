#include "wire/page_token.h"

#include <string.h>

#include "cs/base/id.h"
#include "cs/base/text.h"
#include "cs/crypto.h"

/* Base64 of "1:<created_at_ms>:<id>"; the number in front is the version. */
#define VERSION "1:"

char *orc_page_token_format(int64_t created_at_ms, const char *id, struct cs_arena *arena) {
    char *plain = cs_arena_sprintf(arena, VERSION "%lld:%s", (long long)created_at_ms, id);
    CS_AUTO_BUF token = {0};
    cs_base64_format(plain, strlen(plain), &token);
    return cs_arena_strdup(arena, token.data);
}

/* "1:<ms>:<id>" -> start. */
static bool read_plain(char *plain, struct orc_page_start *start) {
    if (!cs_str_starts(plain, VERSION)) {
        return false;
    }
    char *time_text = plain + strlen(VERSION);
    char *colon = strchr(time_text, ':');
    if (colon == NULL) {
        return false;
    }
    *colon = '\0';
    const char *id = colon + 1;
    if (!cs_parse_i64(time_text, 0, INT64_MAX, &start->before_ms) || !cs_id_valid(id, sizeof(start->before_id) - 1)) {
        return false;
    }
    cs_str_copy(start->before_id, sizeof(start->before_id), id);
    return true;
}

enum cs_status orc_page_token_parse(const char *token, struct orc_page_start *ret_start, struct cs_err *err) {
    struct orc_page_start start = {.before_ms = INT64_MAX};
    CS_AUTO_BUF plain = {0};
    if (token[0] != '\0') {
        bool good = strlen(token) <= ORC_PAGE_TOKEN_BYTES_MAX && cs_base64_parse(token, &plain) && plain.size > 0 &&
                    strlen(plain.data) == plain.size && read_plain(plain.data, &start);
        if (!good) {
            return cs_fail_at(err, "pageToken", "bad_page_token", "this page token was not made here");
        }
    }
    *ret_start = start;
    return CS_OK;
}
