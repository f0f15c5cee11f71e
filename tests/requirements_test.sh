#!/bin/sh
# requirements_test TOOL: what tools/requirements-coverage says of a small project of its own.
set -eu
tool=$(realpath "$1")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/tests" "$dir/docs" "$dir/lib"
fail() { echo "$*" >&2; exit 1; }
refused() { # what stderr must say, arguments of the tool
    want=$1
    shift
    ! "$tool" "$@" "$dir" 2> "$dir/said" || fail "not refused: $want"
    grep -q "$want" "$dir/said" || fail "said $(cat "$dir/said"), wanted $want"
}

printf 'SY-001\tone\nSY-002\ttwo\tplanned: later\nW1\tthree\tno behaviour: none\nW2\tfour\n' > "$dir/tests/requirements.tsv"
printf 'TEST(sy_001_w2_it_works) {\nTEST(w_is_a_word) {\n' > "$dir/lib/a_test.c"
printf "test('SY-001, W2: it works too', () => {});\ntest('W20', () => {});\n" > "$dir/tests/b.test.mjs"
refused 'out of date' --check
"$tool" "$dir"
"$tool" --check "$dir"
page=$dir/docs/requirements-coverage.md
grep -qF '| SY-001 | one | [a_test.c](../lib/a_test.c): sy_001_w2_it_works<br>[b.test.mjs](../tests/b.test.mjs): SY-001, W2: it works too |' "$page" || fail "no row for SY-001"
grep -qF '| W1 | three | no behaviour: none |' "$page" || fail "no row for W1"
grep -qF '| all | 4 | 2 | 1 | 1 | 0 |' "$page" || fail "wrong counts"

printf 'TEST(sy_002_new) {\n' >> "$dir/lib/a_test.c"
refused 'out of date' --check
printf 'TEST(sy_009_nobody_asked) {\n' >> "$dir/lib/a_test.c"
refused 'no requirement SY-009: lib/a_test.c: sy_009_nobody_asked'
printf 'TEST(SY_001_shouted) {\n' > "$dir/lib/a_test.c"
refused 'no requirement in capitals: lib/a_test.c: SY_001_shouted'
printf 'SY-001\ttwice\n' >> "$dir/tests/requirements.tsv"
refused 'bad row: SY-001'
