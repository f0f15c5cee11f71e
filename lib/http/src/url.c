#include "url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <idn2.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "address.h"
#include "cs/base/log.h"
#include "cs/base/text.h"

enum {
    LABEL_MAX = 63,
    NAME_BYTES_MAX = 253,
    PORT_DIGITS_MAX = 5,
};

static const uint16_t public_ports[] = {80, 443, 8443};
static const char *const private_suffixes[] = {".internal", ".local", ".localhost"};

static enum cs_status bad(struct cs_err *err, const char *sentence) {
    return cs_fail(err, CS_INVALID_ARGUMENT, "bad_url", "%s", sentence);
}

enum cs_status cs_target_refused(const char *host, const char *why, struct cs_err *err) {
    cs_log_debug("target refused", CS_KV("host", host), CS_KV("why", why));
    return cs_fail(err, CS_PERMISSION_DENIED, "target_not_allowed", "this target is not allowed");
}

/* ---- syntax ---- */

static enum cs_status parse_scheme(const char **cursor, struct cs_url *url, struct cs_err *err) {
    if (strncasecmp(*cursor, "https://", 8) == 0) {
        (void)snprintf(url->scheme, sizeof(url->scheme), "https");
        *cursor += 8;
        return CS_OK;
    }
    if (strncasecmp(*cursor, "http://", 7) == 0) {
        (void)snprintf(url->scheme, sizeof(url->scheme), "http");
        *cursor += 7;
        return CS_OK;
    }
    return bad(err, "a URL begins with https:// or http://");
}

/* Letters, digits, "-" and "_" in labels of 1 … 63 bytes. */
static bool name_valid(const char *name) {
    size_t label = 0;
    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '.') {
            if (label == 0) {
                return false;
            }
            label = 0;
        } else if (!(isalnum((unsigned char)*c) || *c == '-' || *c == '_') || ++label > LABEL_MAX) {
            return false;
        }
    }
    return label > 0 && strlen(name) <= NAME_BYTES_MAX;
}

/* Some resolvers read "2130706433", "0x7f.1" or "127.1" as addresses: the last label tells. */
static bool looks_numeric(const char *name) {
    const char *dot = strrchr(name, '.');
    const char *last = dot != NULL ? dot + 1 : name;
    if (last[0] == '0' && (last[1] == 'x' || last[1] == 'X')) {
        return last[2 + strspn(last + 2, "0123456789abcdefABCDEF")] == '\0';
    }
    return last[strspn(last, "0123456789")] == '\0';
}

/* International names become ASCII ("xn--…"), and are then judged like any other. */
static bool name_to_ascii(char host[256]) {
    uint8_t *encoded = NULL;
    bool ok = idn2_lookup_u8((const uint8_t *)host, &encoded, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK &&
              strlen((const char *)encoded) <= NAME_BYTES_MAX;
    if (ok) {
        (void)snprintf(host, 256, "%s", (const char *)encoded);
    }
    idn2_free(encoded);
    return ok;
}

static bool is_ascii(const char *text) {
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text >= 0x80) {
            return false;
        }
    }
    return true;
}

static enum cs_status parse_bracketed(const char *text, size_t length, struct cs_url *url, struct cs_err *err) {
    char literal[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    if (length < 2 || length >= sizeof(literal)) {
        return bad(err, "the URL's IPv6 address is not valid");
    }
    (void)snprintf(literal, sizeof(literal), "%.*s", (int)length, text);
    if (inet_pton(AF_INET6, literal, bytes) != 1 || inet_ntop(AF_INET6, bytes, url->host, sizeof(url->host)) == NULL) {
        return bad(err, "the URL's IPv6 address is not valid");
    }
    url->host_is_ip = true;
    return CS_OK;
}

static enum cs_status parse_name(const char *text, size_t length, struct cs_url *url, struct cs_err *err) {
    if (length == 0) {
        return bad(err, "the URL has no host");
    }
    if (length >= sizeof(url->host)) {
        return bad(err, "the URL's host is too long");
    }
    memcpy(url->host, text, length);
    url->host[length] = '\0';
    if (!is_ascii(url->host) && !name_to_ascii(url->host)) {
        return bad(err, "the URL's host cannot be encoded");
    }
    for (char *c = url->host; *c != '\0'; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    if (!name_valid(url->host)) {
        return bad(err, "the URL's host is not a name");
    }
    unsigned char bytes[4];
    url->host_is_ip = inet_pton(AF_INET, url->host, bytes) == 1;
    if (!url->host_is_ip && looks_numeric(url->host)) {
        return cs_target_refused(url->host, "host is a number in disguise", err);
    }
    return CS_OK;
}

static enum cs_status parse_port(const char *text, size_t length, struct cs_url *url, struct cs_err *err) {
    char digits[PORT_DIGITS_MAX + 1];
    int64_t port = 0;
    if (length == 0 || length > PORT_DIGITS_MAX || text[0] == '0') {
        return bad(err, "the URL's port is not valid");
    }
    memcpy(digits, text, length);
    digits[length] = '\0';
    if (digits[strspn(digits, "0123456789")] != '\0' || !cs_parse_i64(digits, 1, UINT16_MAX, &port)) {
        return bad(err, "the URL's port is not valid");
    }
    url->port = (uint16_t)port;
    return CS_OK;
}

static enum cs_status parse_authority(const char *text, size_t length, struct cs_url *url, struct cs_err *err) {
    if (memchr(text, '@', length) != NULL) {
        return bad(err, "a URL here has no user or password");
    }
    const char *end = text + length;
    const char *port = NULL;
    if (length > 0 && text[0] == '[') {
        const char *close = memchr(text, ']', length);
        if (close == NULL || (close + 1 < end && close[1] != ':')) {
            return bad(err, "the URL's IPv6 address is not valid");
        }
        CS_TRY(parse_bracketed(text + 1, (size_t)(close - text - 1), url, err));
        port = close + 1 < end ? close + 2 : NULL;
    } else {
        const char *colon = memchr(text, ':', length);
        CS_TRY(parse_name(text, (size_t)((colon != NULL ? colon : end) - text), url, err));
        port = colon != NULL ? colon + 1 : NULL;
    }
    if (port != NULL) {
        return parse_port(port, (size_t)(end - port), url, err);
    }
    url->port = cs_str_eq(url->scheme, "https") ? 443 : 80;
    return CS_OK;
}

/* Path and query as they are; bytes beyond ASCII are percent-encoded. */
static enum cs_status parse_path(const char *text, struct cs_url *url, struct cs_err *err) {
    size_t used = 0;
    if (*text != '/') {
        url->path[used++] = '/';
    }
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (used + 4 > sizeof(url->path)) {
            return bad(err, "the URL is too long");
        }
        if (c < 0x80) {
            url->path[used++] = (char)c;
        } else {
            used += (size_t)snprintf(url->path + used, 4, "%%%02X", c);
        }
    }
    url->path[used] = '\0';
    return CS_OK;
}

static enum cs_status check_bytes(const char *text, struct cs_err *err) {
    size_t length = strnlen(text, CS_URL_TEXT_MAX + 1);
    if (length > CS_URL_TEXT_MAX) {
        return bad(err, "a URL has at most 2,048 bytes");
    }
    if (!cs_utf8_valid(text, length)) {
        return bad(err, "the URL is not valid UTF-8");
    }
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7f) {
            return bad(err, "a URL has no spaces or control characters");
        }
        if (*c == '#') {
            return bad(err, "a URL here has no fragment");
        }
        if (strchr("\\\"<>`", *c) != NULL) {
            return bad(err, "the URL has a character that must be encoded");
        }
    }
    return CS_OK;
}

enum cs_status cs_url_parse(const char *text, struct cs_url *ret_url, struct cs_err *err) {
    struct cs_url url = {0};
    if (text == NULL) {
        return bad(err, "the URL is missing");
    }
    CS_TRY(check_bytes(text, err));
    CS_TRY(parse_scheme(&text, &url, err));
    size_t authority = strcspn(text, "/?");
    CS_TRY(parse_authority(text, authority, &url, err));
    CS_TRY(parse_path(text + authority, &url, err));
    *ret_url = url;
    return CS_OK;
}

/* ---- policy ---- */

static bool port_allowed(uint16_t port, const struct cs_http_policy *policy) {
    for (size_t i = 0; i < CS_COUNT(public_ports); i++) {
        if (port == public_ports[i]) {
            return true;
        }
    }
    for (size_t i = 0; i < policy->port_count; i++) {
        if (port == policy->ports[i]) {
            return true;
        }
    }
    return policy->allow_private;
}

static bool name_is_private(const char *host) {
    if (strchr(host, '.') == NULL) {
        return true;
    }
    for (size_t i = 0; i < CS_COUNT(private_suffixes); i++) {
        if (cs_str_ends(host, private_suffixes[i])) {
            return true;
        }
    }
    return false;
}

enum cs_status cs_url_judge(const struct cs_url *url, const struct cs_http_policy *policy, struct cs_err *err) {
    if (!policy->allow_http && !cs_str_eq(url->scheme, "https")) {
        return cs_target_refused(url->host, "https only", err);
    }
    if (!port_allowed(url->port, policy)) {
        return cs_target_refused(url->host, "port", err);
    }
    if (url->host_is_ip && !cs_reach_allowed(cs_address_reach(url->host), policy->allow_private)) {
        return cs_target_refused(url->host, "address", err);
    }
    if (!url->host_is_ip && !policy->allow_private && name_is_private(url->host)) {
        return cs_target_refused(url->host, "private name", err);
    }
    return CS_OK;
}

enum cs_status cs_url_check(const char *text, const struct cs_http_policy *policy, struct cs_url *ret_url,
                            struct cs_err *err) {
    struct cs_url url = {0};
    CS_TRY(cs_url_parse(text, &url, err));
    CS_TRY(cs_url_judge(&url, policy, err));
    *ret_url = url;
    return CS_OK;
}

/* ---- text ---- */

static int format_origin(const struct cs_url *url, char *text, size_t capacity) {
    bool v6 = strchr(url->host, ':') != NULL;
    bool usual = url->port == (cs_str_eq(url->scheme, "https") ? 443 : 80);
    char port[8] = "";
    if (!usual) {
        (void)snprintf(port, sizeof(port), ":%u", url->port);
    }
    return snprintf(text, capacity, "%s://%s%s%s%s", url->scheme, v6 ? "[" : "", url->host, v6 ? "]" : "", port);
}

void cs_url_build(const struct cs_url *url, char ret_text[CS_URL_BUILT_SIZE]) {
    int used = format_origin(url, ret_text, CS_URL_BUILT_SIZE);
    (void)snprintf(ret_text + used, (size_t)(CS_URL_BUILT_SIZE - used), "%s", url->path);
}

void cs_url_for_log(const char *text, char *ret_text, size_t capacity) {
    struct cs_url url;
    char built[CS_URL_BUILT_SIZE];
    char whole[CS_URL_TEXT_MAX + 1];
    (void)snprintf(whole, sizeof(whole), "%.*s", text != NULL ? (int)strcspn(text, "#") : 0, text != NULL ? text : "");
    if (cs_url_parse(whole, &url, NULL) != CS_OK) {
        cs_str_copy(ret_text, capacity, "(bad url)");
        return;
    }
    url.path[strcspn(url.path, "?")] = '\0';
    cs_url_build(&url, built);
    cs_str_copy(ret_text, capacity, built);
}
