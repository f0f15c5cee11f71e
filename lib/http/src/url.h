/*
 * url: strict parsing, and what a policy says about the result.
 */
#ifndef CS_HTTP_URL_H
#define CS_HTTP_URL_H

#include "cs/http.h"

enum {
    CS_URL_TEXT_MAX = 2048,
    CS_URL_BUILT_SIZE = 8 + 3 + 258 + 6 + 2049, /* scheme://[host]:port/path */
};

/* Syntax alone. "bad_url"; "target_not_allowed" for hosts written as numbers. */
enum cs_status cs_url_parse(const char *text, struct cs_url *ret_url, struct cs_err *err) CS_MUST_USE;
/* The one error that tenants see; why goes to the debug log. */
enum cs_status cs_target_refused(const char *host, const char *why, struct cs_err *err);
/* What policy says about a parsed URL, without DNS. */
enum cs_status cs_url_judge(const struct cs_url *url, const struct cs_http_policy *policy,
                            struct cs_err *err) CS_MUST_USE;
/* The text again, made of nothing but what was parsed. */
void cs_url_build(const struct cs_url *url, char ret_text[CS_URL_BUILT_SIZE]);

#endif
