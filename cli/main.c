/* callsheet: the command line. */
#include <stdio.h>

#include "command.h"
#include "cs/base/text.h"

static int version(int argc, char **argv);
static int help(int argc, char **argv);

static const struct cli_command commands[] = {
    {"up", "run the whole stack on this machine", cli_up},
    {"submit", "send a plan", cli_submit},
    {"watch", "follow an execution to its end", cli_watch},
    {"status", "show an execution", cli_status},
    {"cancel", "cancel an execution", cli_cancel},
    {"approve", "say yes to what awaits approval", cli_approve},
    {"reject", "say no to what awaits approval", cli_reject},
    {"version", "print the version", version},
    {"help", "print this", help},
};

static void print_help(FILE *out) {
    (void)fprintf(out, "callsheet: runs video execution plans.\n\nUsage: callsheet COMMAND [arguments]\n\nCommands:\n");
    for (size_t i = 0; i < CS_COUNT(commands); i++) {
        (void)fprintf(out, "  %-10s %s\n", commands[i].word, commands[i].summary);
    }
    (void)fprintf(out, "\n`callsheet COMMAND --help` shows the command's options.\n");
}

static int version(int argc, char **argv) {
    static const struct cs_conf_spec spec = {.program = "callsheet version", .summary = "Prints the version."};
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    int code = CLI_DONE;
    if (cli_load(&spec, argc, argv, arena, NULL, NULL, &code)) {
        (void)printf("callsheet %s\n", cs_version());
    }
    return code;
}

static const struct cli_command *find(const char *word) {
    for (size_t i = 0; i < CS_COUNT(commands); i++) {
        if (cs_str_eq(commands[i].word, word)) {
            return &commands[i];
        }
    }
    return NULL;
}

/* `callsheet help WORD` is `callsheet WORD --help`. */
static int help(int argc, char **argv) {
    const struct cli_command *command = argc > 1 ? find(argv[1]) : NULL;
    if (command == NULL || command->run == help) {
        print_help(stdout);
        return CLI_DONE;
    }
    char flag[] = "--help";
    char *words[] = {argv[1], flag, NULL};
    return command->run(2, words);
}

int main(int argc, char **argv) {
    const char *word = argc > 1 ? argv[1] : "";
    word = cs_str_eq(word, "--help") || cs_str_eq(word, "-h") ? "help"
           : cs_str_eq(word, "--version")                     ? "version"
                                                              : word;
    const struct cli_command *command = find(word);
    if (command == NULL) {
        if (word[0] != '\0') {
            (void)fprintf(stderr, "callsheet: there is no command \"%s\"\n\n", word);
        }
        print_help(stderr);
        return CLI_USAGE;
    }
    return command->run(argc - 1, argv + 1);
}
