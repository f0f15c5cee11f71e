// Tracked runs against the real stack: one runs at a time, leases end by themselves, a restart keeps what runs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Stack } from '../../tools/stack.mjs';
import { Api } from './support/api.mjs';

let stack, api;

before(async () => {
  stack = await Stack.start();
  api = new Api(stack.url);
});

after(async () => {
  await stack?.stop();
});

const call = (method, path, body) => api.request(method, path, body);

const start = (body) => call('POST', '/v1/runs', body);
const complete = (id, body) => call('POST', `/v1/runs/${id}/complete`, body);

// Reads until the answer is as wanted; the stack, not a clock, says when that is.
async function until(path, wanted) {
  for (;;) {
    const answer = await call('GET', path).catch((error) => {
      if (error instanceof assert.AssertionError) throw error;
      return { json: {} };
    });
    if (wanted(answer)) return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('PB-003: of many starts at once one wins and the others are told of it', { timeout: 60_000 }, async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => start({ jobType: 'contended' })));
  assert.equal(answers.filter((answer) => answer.status === 202).length, 1);
  assert.equal(answers.filter((answer) => answer.status === 200 && answer.json.alreadyRunning).length, 19);
  assert.equal(new Set(answers.map((answer) => answer.json.runId)).size, 1);
  const { json } = await start({ jobType: 'contended' });
  assert.equal(json.message, `Job of type contended is already running (started at ${json.startTime})`);
});

test('PB-008, PB-010: every run has an id of its own and of the one form', { timeout: 60_000 }, async () => {
  const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => start({ jobType: `type${i}`, clientId: 'Guy-Wilson' })));
  assert.equal(new Set(answers.map((answer) => answer.json.runId)).size, 12);
  for (const { json } of answers) assert.match(json.runId, /^\d{6}-\d{6}(-[\w-]+)?$/);
});

test('PB-009, PB-016: client runs join a run and add up', { timeout: 60_000 }, async () => {
  const { json: base } = await start({ jobType: 'batch' });
  for (const [clientId, posts] of [['north', 3], ['south', '4']]) {
    const joined = await start({ jobType: 'batch', clientId, parentRunId: base.runId });
    assert.equal(joined.status, 202);
    assert.equal(joined.json.runId, `${base.runId}-${clientId}`);
    const ended = await complete(base.runId, { jobType: 'batch', clientId, finalMetrics: { posts }, ...(clientId === 'south' && { error: 'no connection' }) });
    assert.equal(ended.json.status, clientId === 'south' ? 'Failed' : 'Completed');
  }
  const again = await start({ jobType: 'batch', clientId: 'north', parentRunId: base.runId });
  assert.equal(again.json.alreadyExists, true);
  const { json } = await call('GET', `/v1/runs/${base.runId}`);
  assert.equal(json.totals.posts, 7);
  assert.equal(json.totals['Clients Processed'], 2);
  assert.equal(json.totals['Clients With Errors'], 1);
});

test('PB-005, PB-007: only the run that runs can be completed, and only once', { timeout: 60_000 }, async () => {
  const { json: first } = await start({ jobType: 'nightly' });
  assert.equal((await complete(first.runId, { jobType: 'nightly' })).json.status, 'Completed');
  const { json: second } = await start({ jobType: 'nightly' });
  const late = await complete(first.runId, { jobType: 'nightly', status: 'Failed' });
  assert.deepEqual([late.status, late.json.code], [409, 'run_ended']);
  const wrong = await complete('200101-000000', { jobType: 'nightly' });
  assert.deepEqual([wrong.status, wrong.json.code], [409, 'wrong_run_id']);
  const listed = await call('GET', '/v1/runs?jobType=nightly&running=true');
  assert.deepEqual(listed.json.runs.map((run) => run.runId), [second.runId]);
});

test('PB-021: a silent run times out, one with a heartbeat goes on', { timeout: 60_000 }, async () => {
  const { json: silent } = await start({ jobType: 'silent', leaseMs: 300 });
  const { json: alive } = await start({ jobType: 'alive', leaseMs: 60_000 });
  const beat = await call('POST', `/v1/runs/${alive.runId}/heartbeat`, { note: 'still here', metrics: { posts: 1 } });
  assert.equal(beat.status, 200);
  assert.ok(beat.json.leaseUntil >= alive.leaseUntil);
  const { json } = await until(`/v1/runs/${silent.runId}`, (answer) => answer.json.status !== 'Running');
  assert.equal(json.status, 'Timed_out');
  assert.equal(json.endTime, silent.leaseUntil);
  assert.equal((await call('POST', `/v1/runs/${silent.runId}/heartbeat`)).status, 409);
});

test('PB-022: a run outlives kill -9 of the orchestrator', { timeout: 120_000 }, async () => {
  const { json: run } = await start({ jobType: 'durable', initialData: { posts: 2 } });
  await stack.kill('orchestrator');
  const { json } = await until(`/v1/runs/${run.runId}`, (answer) => answer.status === 200);
  assert.equal(json.status, 'Running');
  assert.equal(json.metrics.posts, 2);
  assert.equal((await start({ jobType: 'durable' })).json.runId, run.runId);
  assert.equal((await complete(run.runId, { jobType: 'durable' })).json.status, 'Completed');
});
