/* The tables themselves, and docs/fsm made from them. `orc_fsm_test --write DIR` writes the pages. */
#include <ctype.h>

#include "cs/test.h"
#include "domain/run.h"
#include "domain/tests/fixture.h"

static const struct cs_fsm *const machines[] = {&orc_job_fsm, &orc_execution_fsm, &orc_delivery_fsm, &orc_run_fsm};

/* ---- the page of a machine ---- */

static bool has_edge(const struct cs_fsm *fsm, int state, bool outgoing) {
    for (size_t i = 0; i < fsm->edge_count; i++) {
        if ((outgoing ? fsm->edges[i].from : fsm->edges[i].to) == state && fsm->edges[i].from != fsm->edges[i].to) {
            return true;
        }
    }
    return false;
}

static void put_diagram(const struct cs_fsm *fsm, struct cs_buf *out) {
    cs_buf_puts(out, "```mermaid\nstateDiagram-v2\n");
    for (int state = 0; state < fsm->state_count; state++) {
        if (has_edge(fsm, state, true) && !has_edge(fsm, state, false)) {
            cs_buf_printf(out, "    [*] --> %s\n", fsm->state_names[state]);
        }
    }
    for (size_t i = 0; i < fsm->edge_count; i++) {
        const struct cs_fsm_edge *edge = &fsm->edges[i];
        cs_buf_printf(out, "    %s --> %s: %s\n", fsm->state_names[edge->from], fsm->state_names[edge->to],
                      fsm->event_names[edge->event]);
    }
    for (int state = 0; state < fsm->state_count; state++) {
        if (has_edge(fsm, state, false) && !has_edge(fsm, state, true)) {
            cs_buf_printf(out, "    %s --> [*]\n", fsm->state_names[state]);
        }
    }
    cs_buf_puts(out, "```\n");
}

static void put_page(const struct cs_fsm *fsm, struct cs_buf *out) {
    cs_buf_printf(out,
                  "<!-- Generated from services/orchestrator/domain by `orc_fsm_test --write docs/fsm`. -->\n\n# "
                  "The states of a%s %s\n\n",
                  strchr("aeiou", fsm->name[0]) != NULL ? "n" : "", fsm->name);
    put_diagram(fsm, out);
    cs_buf_puts(out, "\n| from | move | to | why |\n|---|---|---|---|\n");
    for (size_t i = 0; i < fsm->edge_count; i++) {
        const struct cs_fsm_edge *edge = &fsm->edges[i];
        cs_buf_printf(out, "| %s | %s | %s | %s |\n", fsm->state_names[edge->from], fsm->event_names[edge->event],
                      fsm->state_names[edge->to], edge->why);
    }
}

static void read_file(const char *path, struct cs_buf *out) {
    FILE *file = fopen(path, "re");
    char block[4096];
    size_t size = 0;
    while (file != NULL && (size = fread(block, 1, sizeof(block), file)) > 0) {
        cs_buf_put(out, block, size);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

static int write_pages(const char *folder) {
    for (size_t i = 0; i < CS_COUNT(machines); i++) {
        CS_AUTO_BUF page = {0};
        put_page(machines[i], &page);
        CS_AUTO_FREE char *path = cs_sprintf("%s/%s.md", folder, machines[i]->name);
        FILE *file = fopen(path, "we");
        if (file == NULL || fwrite(page.data, 1, page.size, file) != page.size || fclose(file) != 0) {
            perror(path);
            return 1;
        }
    }
    return 0;
}

/* ---- tests ---- */

TEST(the_pages_say_what_the_tables_say) {
    for (size_t i = 0; i < CS_COUNT(machines); i++) {
        CS_AUTO_BUF want = {0};
        CS_AUTO_BUF is = {0};
        put_page(machines[i], &want);
        CS_AUTO_FREE char *path = cs_sprintf("%s/docs/fsm/%s.md", CS_SOURCE_DIR, machines[i]->name);
        read_file(path, &is);
        assert_non_null(is.data);
        assert_string_equal(is.data, want.data);
    }
}

TEST(each_edge_is_there_once_and_says_why) {
    for (size_t m = 0; m < CS_COUNT(machines); m++) {
        for (size_t i = 0; i < machines[m]->edge_count; i++) {
            const struct cs_fsm_edge *edge = &machines[m]->edges[i];
            assert_in_range(edge->from, 0, machines[m]->state_count - 1);
            assert_in_range(edge->to, 1, machines[m]->state_count - 1);
            assert_in_range(edge->event, 0, machines[m]->event_count - 1);
            assert_ptr_equal(cs_fsm_find(machines[m], edge->from, edge->event), edge); /* the first of its kind */
            assert_true(strlen(edge->why) > 10 && islower((unsigned char)edge->why[0]));
        }
    }
}

TEST(every_state_has_a_name_and_every_move_an_edge) {
    for (size_t m = 0; m < CS_COUNT(machines); m++) {
        for (int state = 0; state < machines[m]->state_count; state++) {
            assert_non_null(machines[m]->state_names[state]);
        }
        for (int move = 0; move < machines[m]->event_count; move++) {
            assert_non_null(machines[m]->event_names[move]);
            bool used = false;
            for (int state = 0; state < machines[m]->state_count; state++) {
                used |= cs_fsm_find(machines[m], state, move) != NULL;
            }
            assert_true(used);
        }
    }
}

TEST(sy_054_w15_terminal_states_are_final) {
    for (int move = 0; move < ORC_JOB_MOVES; move++) {
        for (int state = ORC_JOB_COMPLETED; state <= ORC_JOB_SKIPPED; state++) {
            assert_null(cs_fsm_find(&orc_job_fsm, state, move));
        }
    }
    for (int move = 0; move < ORC_EXECUTION_MOVES; move++) {
        for (int state = ORC_EXECUTION_COMPLETED; state < ORC_EXECUTION_STATES; state++) {
            assert_null(cs_fsm_find(&orc_execution_fsm, state, move));
        }
    }
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--write") == 0) {
        return write_pages(argv[2]);
    }
    const struct CMUnitTest tests[] = {
        CS_TEST(the_pages_say_what_the_tables_say),
        CS_TEST(each_edge_is_there_once_and_says_why),
        CS_TEST(every_state_has_a_name_and_every_move_an_edge),
        CS_TEST(sy_054_w15_terminal_states_are_final),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
