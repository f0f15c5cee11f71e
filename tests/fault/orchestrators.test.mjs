// Two orchestrators under `callsheet up`: when one is killed the work goes on, its own executions too, before it is back.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Api, Stack } from '../../tools/stack.mjs';
import { generate } from '../e2e/support/plans.mjs';

let stack, api;

before(async () => {
  stack = await Stack.start({ args: ['--orchestrators', '2'] });
  api = new Api(stack.url);
});

after(() => stack?.stop());

const plan = () => ({ executionPlan: { jobs: [generate('job1', { seconds: 0.5 })], rootJobIds: ['job1'] } });

async function submit() {
  for (;;) {
    const created = await api.post('/api/execute', plan());
    if (created.status === 202) return created.json.id;
    assert.ok(created.status >= 500, created.text); // its orchestrator was just killed: the next try meets the other
  }
}

test('two orchestrators run under names of their own', async () => {
  const names = (await stack.processes()).map((each) => each.name);
  assert.deepEqual(names.filter((name) => name.startsWith('orchestrator')), ['orchestrator', 'orchestrator-2']);
});

for (const name of ['orchestrator', 'orchestrator-2']) {
  test(`work goes on when ${name} is killed`, { timeout: 120_000 }, async () => {
    const before = await Promise.all(Array.from({ length: 4 }, submit)); // they take turns: each has two
    const pid = await stack.kill(name);
    const during = await submit();
    for (const id of [...before, during]) {
      const ended = await api.finished(id);
      assert.equal(ended.status, 'completed', JSON.stringify(ended));
    }
    assert.notEqual((await stack.process(name)).pid, pid);
  });
}
