#include "domain/run_id.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cs/base/text.h"

#define DIGITS "0123456789"
#define WORD DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"

enum { GROUP = 6, SECOND_LENGTH = 2 * GROUP + 1 };

enum cs_status orc_run_client_check(const char *client, struct cs_err *err) {
    size_t length = strlen(client);
    if (length > ORC_RUN_CLIENT_BYTES_MAX || client[0] == '_' || strspn(client, WORD "-") != length) {
        return cs_fail_at(err, "client", "bad_client", "a client is at most %d bytes of [A-Za-z0-9_-], not _ in front",
                          ORC_RUN_CLIENT_BYTES_MAX);
    }
    return CS_OK;
}

/* text and base are filled from base and client. */
static void join(struct orc_run_id *id) {
    (void)snprintf(id->text, sizeof(id->text), "%.*s%s%.*s", ORC_RUN_ID_SIZE - ORC_RUN_CLIENT_BYTES_MAX - 2, id->base,
                   id->client[0] != '\0' ? "-" : "", ORC_RUN_CLIENT_BYTES_MAX, id->client);
}

void orc_run_id_make(int64_t unix_s, int64_t number, const char *client, struct orc_run_id *ret_id) {
    struct orc_run_id id = {0};
    struct tm utc = {0};
    const time_t seconds = (time_t)unix_s;
    (void)gmtime_r(&seconds, &utc);
    size_t length = strftime(id.base, sizeof(id.base), "%y%m%d-%H%M%S", &utc);
    if (number > 1) {
        (void)snprintf(id.base + length, sizeof(id.base) - length, "-_%lld", (long long)number);
    }
    cs_str_copy(id.client, sizeof(id.client), client);
    join(&id);
    *ret_id = id;
}

/* "123456-123456" in front. */
static bool has_second(const char *text) {
    return strspn(text, DIGITS) == GROUP && text[GROUP] == '-' && strspn(text + GROUP + 1, DIGITS) == GROUP;
}

/* Length of the "-_N" in front, 0 when there is none, or -1 when it is no number of ours. */
static int number_length(const char *rest) {
    if (!cs_str_starts(rest, "-_")) {
        return 0;
    }
    size_t digits = strspn(rest + 2, DIGITS);
    char after = rest[2 + digits];
    return digits != 0 && digits <= GROUP && rest[2] != '0' && (after == '\0' || after == '-') ? (int)(2 + digits) : -1;
}

static bool read(const char *text, struct orc_run_id *id) {
    if (!has_second(text)) {
        return false;
    }
    int number = number_length(text + SECOND_LENGTH);
    if (number < 0) {
        return false;
    }
    size_t base = (size_t)SECOND_LENGTH + (size_t)number;
    struct cs_err unused;
    memcpy(id->base, text, base);
    if (text[base] == '\0') {
        return true;
    }
    const char *client = text + base + 1;
    if (text[base] != '-' || client[0] == '\0' || orc_run_client_check(client, &unused) != CS_OK) {
        return false;
    }
    cs_str_copy(id->client, sizeof(id->client), client);
    return true;
}

enum cs_status orc_run_id_parse(const char *text, struct orc_run_id *ret_id, struct cs_err *err) {
    struct orc_run_id id = {0};
    char stripped[ORC_RUN_ID_SIZE + 2] = "";
    size_t length = text != NULL ? strlen(text) : 0;
    bool fits = length != 0 && length < sizeof(stripped);
    if (fits) {
        memcpy(stripped, text, length - (cs_str_ends(text, ".0") ? 2 : 0));
    }
    if (!fits || strlen(stripped) >= ORC_RUN_ID_SIZE || !read(stripped, &id)) {
        return cs_fail_at(err, "runId", "bad_run_id", "a run id is YYMMDD-HHMMSS, with -_N and -client behind it");
    }
    join(&id);
    *ret_id = id;
    return CS_OK;
}

enum cs_status orc_run_id_with_client(const struct orc_run_id *id, const char *client, struct orc_run_id *ret_id,
                                      struct cs_err *err) {
    struct orc_run_id joined = *id;
    CS_TRY(orc_run_client_check(client, err));
    if (client[0] != '\0' && joined.client[0] != '\0' && !cs_str_eq(client, joined.client)) {
        return cs_fail_at(err, "client", "client_mismatch", "run %s is not of the client %s", id->text, client);
    }
    if (client[0] != '\0') {
        cs_str_copy(joined.client, sizeof(joined.client), client);
        join(&joined);
    }
    *ret_id = joined;
    return CS_OK;
}
