#include "domain/execution_id.h"

#include <string.h>

enum { TIME_LETTERS = 6, BASE = 62, SECONDS_A_DAY = 86400 };

#define SECONDS_MAX INT64_C(56800235583) /* 62^6 - 1: in the year 3769 */

#define MARK '_' /* never in an id that is random throughout */

static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

void orc_execution_id_date(char id[static CS_ID_SIZE], int64_t unix_ms) {
    int64_t left_s = unix_ms > 0 ? unix_ms / 1000 : 0;
    left_s = left_s < SECONDS_MAX ? left_s : SECONDS_MAX;
    for (int i = TIME_LETTERS - 1; i >= 0; i--) {
        id[i] = letters[left_s % BASE];
        left_s /= BASE;
    }
    id[TIME_LETTERS] = MARK;
}

static int value_of(char letter) {
    const char *at = letter != '\0' ? strchr(letters, letter) : NULL;
    return at != NULL ? (int)(at - letters) : -1;
}

int32_t orc_execution_id_day(const char *id) {
    int64_t seconds = 0;
    for (int i = 0; i < TIME_LETTERS; i++) {
        int value = value_of(id[i]);
        if (value < 0) {
            return 0;
        }
        seconds = seconds * BASE + value;
    }
    return id[TIME_LETTERS] == MARK ? (int32_t)(seconds / SECONDS_A_DAY) : 0;
}
