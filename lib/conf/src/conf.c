#include "cs/conf.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/text.h"

const char *cs_version(void) {
    return CS_VERSION;
}

const char *cs_conf_env(const char *name) {
    const char *value = getenv(name);
    return cs_str_empty(value) ? NULL : value;
}

/* ---- values ---- */

struct unit {
    const char *suffix;
    int64_t factor;
};

static const struct unit duration_units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
static const struct unit size_units[] = {{"KiB", 1LL << 10}, {"MiB", 1LL << 20}, {"GiB", 1LL << 30}, {"", 1}};

static bool parse_with_unit(const char *text, const struct unit *units, size_t count, int64_t *ret_value) {
    char number[24];
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits >= sizeof(number)) {
        return false;
    }
    memcpy(number, text, digits);
    number[digits] = '\0';
    for (size_t i = 0; i < count; i++) {
        int64_t value = 0;
        if (cs_str_eq(text + digits, units[i].suffix) && cs_parse_i64(number, 0, INT64_MAX, &value)) {
            return !__builtin_mul_overflow(value, units[i].factor, ret_value);
        }
    }
    return false;
}

static bool parse_bool(const char *text, bool *ret_value) {
    static const char *const yes[] = {"true", "yes", "1", "on"};
    static const char *const no[] = {"false", "no", "0", "off"};
    for (size_t i = 0; i < CS_COUNT(yes); i++) {
        if (cs_str_eq(text, yes[i]) || cs_str_eq(text, no[i])) {
            *ret_value = cs_str_eq(text, yes[i]);
            return true;
        }
    }
    return false;
}

static bool parse_number(const struct cs_conf_option *option, const char *text, int64_t *ret_value) {
    switch (option->type) {
    case CS_CONF_DURATION:
        return parse_with_unit(text, duration_units, CS_COUNT(duration_units), ret_value);
    case CS_CONF_SIZE:
        return parse_with_unit(text, size_units, CS_COUNT(size_units), ret_value);
    default:
        return cs_parse_i64(text, INT64_MIN, INT64_MAX, ret_value);
    }
}

static enum cs_status set(const struct cs_conf_option *option, const char *text, struct cs_arena *arena, void *config,
                          struct cs_err *err) {
    static const char *const wanted[] = {"a text", "a whole number", "true or false", "a time such as 30s or 5m",
                                         "a size such as 64KiB or 4MiB"};
    void *field = (char *)config + option->offset;
    bool valid = true;
    if (option->type == CS_CONF_STRING) {
        *(const char **)field = cs_arena_strdup(arena, text);
    } else if (option->type == CS_CONF_BOOL) {
        valid = parse_bool(text, field);
    } else {
        int64_t value = 0;
        bool bounded = option->min != 0 || option->max != 0;
        valid = parse_number(option, text, &value) && (!bounded || (value >= option->min && value <= option->max));
        if (valid) {
            *(int64_t *)field = value;
        }
    }
    if (!valid) {
        const char *shown = option->secret ? "(secret)" : text;
        return cs_fail_at(err, option->name, "bad_setting", "--%s wants %s, got \"%s\"", option->name,
                          wanted[option->type], shown);
    }
    return CS_OK;
}

/* ---- help ---- */

static const char *metavar(const struct cs_conf_option *option) {
    static const char *const by_type[] = {"TEXT", "N", NULL, "TIME", "SIZE"};
    return option->metavar != NULL ? option->metavar : by_type[option->type];
}

static void print_option(const struct cs_conf_option *option) {
    char flag[96];
    if (option->secret) {
        (void)snprintf(flag, sizeof(flag), "(environment only)");
    } else if (metavar(option) == NULL) {
        (void)snprintf(flag, sizeof(flag), "--%s", option->name);
    } else {
        (void)snprintf(flag, sizeof(flag), "--%s %s", option->name, metavar(option));
    }
    printf("  %-32s %s", flag, option->help);
    if (option->env != NULL) {
        printf(" [$%s]", option->env);
    }
    if (option->default_text == NULL) {
        printf(" (required)");
    } else if (option->default_text[0] != '\0' && option->type != CS_CONF_BOOL) {
        printf(" (default %s)", option->default_text);
    }
    printf("\n");
}

static void print_help(const struct cs_conf_spec *spec) {
    printf("%s: %s\n\nUsage: %s [options]%s%s\n\nOptions:\n", spec->program, spec->summary, spec->program,
           cs_str_empty(spec->usage) ? "" : " ", spec->usage != NULL ? spec->usage : "");
    for (size_t i = 0; i < spec->count; i++) {
        print_option(&spec->options[i]);
    }
    printf("  %-32s %s\n  %-32s %s\n", "--help", "this text", "--version", "the version");
}

/* ---- load ---- */

/* Of what no flag has set: a bad value in the environment does no harm where a flag says it better. */
static enum cs_status load_defaults(const struct cs_conf_spec *spec, struct cs_arena *arena, void *config, bool *given,
                                    struct cs_err *err) {
    for (size_t i = 0; i < spec->count; i++) {
        const struct cs_conf_option *option = &spec->options[i];
        const char *from_env = option->env != NULL ? cs_conf_env(option->env) : NULL;
        const char *text = from_env != NULL ? from_env : option->default_text;
        if (!given[i] && text != NULL) {
            given[i] = true;
            CS_TRY(set(option, text, arena, config, err));
        }
    }
    return CS_OK;
}

enum { LONG_HELP = 10000, LONG_VERSION = 10001 };

static struct option *long_options(const struct cs_conf_spec *spec, struct cs_arena *arena) {
    struct option *rows = cs_arena_array(arena, spec->count + 3, sizeof(*rows));
    size_t used = 0;
    for (size_t i = 0; i < spec->count; i++) {
        if (!spec->options[i].secret) {
            rows[used++] = (struct option){
                .name = spec->options[i].name,
                .has_arg = spec->options[i].type == CS_CONF_BOOL ? optional_argument : required_argument,
                .val = (int)i,
            };
        }
    }
    rows[used++] = (struct option){.name = "help", .val = LONG_HELP};
    rows[used] = (struct option){.name = "version", .val = LONG_VERSION};
    return rows;
}

static enum cs_status load_flags(const struct cs_conf_spec *spec, int argc, char **argv, struct cs_arena *arena,
                                 void *config, bool *given, enum cs_conf_outcome *outcome, struct cs_err *err) {
    const struct option *rows = long_options(spec, arena);
    optind = 0; /* start over: tests load more than once */
    opterr = 0;
    const char *order = cs_str_empty(spec->usage) ? "+:" : ":"; /* flags may follow positional arguments */
    for (;;) {
        int found = getopt_long(argc, argv, order, rows, NULL);
        if (found == -1) {
            return CS_OK;
        }
        if (found == '?' && optopt > 0 && optopt <= UINT8_MAX) {
            return cs_fail(err, CS_INVALID_ARGUMENT, "bad_flag", "there is no flag -%c; see --help", optopt);
        }
        if (found == '?' || found == ':') {
            const char *flag = argv[optind - 1];
            return cs_fail(err, CS_INVALID_ARGUMENT, "bad_flag", "%s %.*s; see --help",
                           found == ':' ? "a value is missing after" : "there is no flag", (int)strcspn(flag, "="),
                           flag);
        }
        if (found == LONG_HELP || found == LONG_VERSION) {
            if (found == LONG_HELP) {
                print_help(spec);
            } else {
                printf("%s %s\n", spec->program, cs_version());
            }
            *outcome = CS_CONF_EXIT;
            return CS_OK;
        }
        given[found] = true;
        CS_TRY(set(&spec->options[found], optarg != NULL ? optarg : "true", arena, config, err));
    }
}

enum cs_status cs_conf_load(const struct cs_conf_spec *spec, int argc, char **argv, struct cs_arena *arena,
                            void *ret_config, enum cs_conf_outcome *ret_outcome, const char ***ret_positional,
                            struct cs_err *err) {
    bool *given = cs_arena_array(arena, spec->count, sizeof(*given));
    *ret_outcome = CS_CONF_RUN;
    CS_TRY(load_flags(spec, argc, argv, arena, ret_config, given, ret_outcome, err));
    if (*ret_outcome == CS_CONF_EXIT) {
        return CS_OK;
    }
    CS_TRY(load_defaults(spec, arena, ret_config, given, err));
    for (size_t i = 0; i < spec->count; i++) {
        if (!given[i]) {
            return cs_fail_at(err, spec->options[i].name, "missing_setting", "--%s is required; see --help",
                              spec->options[i].name);
        }
    }
    size_t left = (size_t)(argc - optind);
    if (left > 0 && cs_str_empty(spec->usage)) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_argument", "unexpected argument %s; see --help", argv[optind]);
    }
    if (ret_positional != NULL) {
        const char **positional = cs_arena_array(arena, left + 1, sizeof(*positional));
        for (size_t i = 0; i < left; i++) {
            positional[i] = cs_arena_strdup(arena, argv[optind + (int)i]);
        }
        *ret_positional = positional;
    }
    return CS_OK;
}

enum cs_status cs_conf_host_port(const char *text, char ret_host[CS_HOST_MAX], uint16_t *ret_port, struct cs_err *err) {
    const char *colon = strrchr(text, ':');
    int64_t port = 0;
    if (colon == NULL || colon == text || !cs_parse_i64(colon + 1, 0, UINT16_MAX, &port)) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_address", "\"%s\" is not HOST:PORT", text);
    }
    const char *host = text;
    size_t length = (size_t)(colon - text);
    if (host[0] == '[' && host[length - 1] == ']') {
        host++;
        length -= 2;
    } else if (memchr(host, ':', length) != NULL) {
        length = 0;
    }
    if (length == 0 || length >= CS_HOST_MAX) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_address", "\"%s\" is not HOST:PORT", text);
    }
    memcpy(ret_host, host, length);
    ret_host[length] = '\0';
    *ret_port = (uint16_t)port;
    return CS_OK;
}
