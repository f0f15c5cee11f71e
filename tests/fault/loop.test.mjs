// A slice of the fault loop with a fresh seed (CALLSHEET_SEED repeats one); tools/run-faults is the long one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { campaign } from './support/campaign.mjs';

const seed = Number(process.env.CALLSHEET_SEED ?? Date.now() % 1_000_000);

// timeMs bounds the faults, not what follows: the last plans have to end, and everything is checked.
for (const [fleet, timeMs] of [['scripted', 18_000], ['real', 10_000]]) {
  test(`every promise is kept under faults (${fleet} workers)`, { timeout: 240_000 }, async () => {
    const lines = [];
    const report = await campaign({ seed, fleet, timeMs, log: (line) => lines.push(line) });
    console.log(`# seed ${seed}: ${report.kills} kills, ${report.executions} executions, ${report.ms} ms, ${JSON.stringify(report.faults)}`);
    assert.deepEqual(report.violations, [], `seed ${seed}\n${lines.slice(-30).join('\n')}`);
    assert.ok(report.completed > report.executions / 2, `${report.completed} of ${report.executions} completed`);
  });
}
