#include "command.h"

#include "cs/svc.h"

bool cli_load(const struct cs_conf_spec *spec, int argc, char **argv, struct cs_arena *arena, void *ret_config,
              const char ***ret_positional, int *ret_code) {
    enum cs_conf_outcome outcome = CS_CONF_RUN;
    struct cs_err err = {0};
    if (cs_conf_load(spec, argc, argv, arena, ret_config, &outcome, ret_positional, &err) != CS_OK) {
        *ret_code = cs_svc_fail(spec->program, &err);
        return false;
    }
    *ret_code = CLI_DONE;
    return outcome == CS_CONF_RUN;
}
