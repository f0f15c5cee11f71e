import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Stack } from '../../tools/stack.mjs';
import { Api } from './support/api.mjs';
import { generate } from './support/plans.mjs';

let stack, api;

before(async () => {
  stack = await Stack.start();
  api = new Api(stack.url);
});

after(async () => {
  await stack?.stop();
});

// What the local provider sold for jobs of these executions, by its ledger.
async function sold(...ids) {
  const predictions = path.join(stack.dataDir, 'ledger', 'predictions');
  const names = await readdir(predictions).catch(() => []);
  const keys = await Promise.all(names.map((name) => readFile(path.join(predictions, name, 'key'), 'utf8')));
  return keys.filter((key) => ids.some((id) => key.includes(id))).length;
}

// As SDKs send it: nothing is said about caches.
const paid = (prompt, params = {}, more = {}) => {
  const { cache, ...job } = generate('clip', { prompt, ...params });
  return { ...job, ...more };
};

async function create(body) {
  const created = await api.post('/api/execute', body);
  assert.equal(created.status, 202, created.text);
  return created.json.executionId;
}

async function run(job) {
  const done = await api.finished(await create({ jobs: [job] }));
  assert.equal(done.status, 'completed', done.error);
  return done;
}

test('SY-138, W24: the same generation is bought once, whatever the order of its JSON', async () => {
  const first = await run(paid('a lighthouse'));
  assert.deepEqual(first.jobs[0].cache, { mode: 'on', outcome: 'miss', reason: 'never_seen' });
  const turned = paid('a lighthouse');
  turned.params = Object.fromEntries(Object.entries(turned.params).reverse());
  const second = await run(turned);
  assert.deepEqual(second.jobs[0].cache, { mode: 'on', outcome: 'hit', reason: null });
  assert.deepEqual(second.jobs[0].reused, { executionId: first.id, jobId: 'clip', reason: 'cache' });
  assert.equal(second.jobs[0].attempt, 0);
  assert.equal(second.result.sha256, first.result.sha256);
  assert.equal((await fetch(second.result.url)).status, 200);
  assert.equal(await sold(first.id, second.id), 1);
});

test('SY-138: twenty at once are bought once', async () => {
  const ids = await Promise.all(Array.from({ length: 20 }, () => create({ jobs: [paid('a crowd', { duration: 2 })] })));
  const done = await Promise.all(ids.map((id) => api.finished(id)));
  assert.deepEqual(done.map((each) => each.status), Array(20).fill('completed'));
  assert.equal(done.filter((each) => each.jobs[0].cache.outcome === 'hit').length, 19);
  assert.equal(await sold(...ids), 1);
});

test('SY-138: refresh and off buy it again, of a job or of a plan', async () => {
  const first = await run(paid('a harbour'));
  const anew = await run(paid('a harbour', {}, { cache: 'refresh' }));
  assert.deepEqual(anew.jobs[0].cache, { mode: 'refresh', outcome: 'miss', reason: 'refresh' });
  const apart = await api.finished(await create({ executionPlan: { cache: 'off', jobs: [paid('a harbour')] } }));
  assert.equal(apart.jobs[0].cache, null);
  assert.equal(await sold(first.id, anew.id, apart.id), 3);
  assert.equal((await run(paid('a harbour'))).jobs[0].reused.executionId, anew.id);
});

test('what is not paid for is done again unless the plan asks', async () => {
  const edit = (more) => ({ executionPlan: { ...more, jobs: [paid('a pier'), { id: 'tall', operation: 'reframe', params: { input: 'clip', aspectRatio: '9:16' } }] } });
  const first = await api.finished(await create(edit({})));
  assert.equal(first.jobs[1].cache, null);
  const second = await api.finished(await create(edit({ cache: 'on' })));
  assert.deepEqual(second.jobs.map((job) => job.cache.outcome), ['hit', 'miss']);
  const third = await api.finished(await create(edit({ cache: 'on' })));
  assert.deepEqual(third.jobs.map((job) => job.reused.executionId), [first.id, second.id]);
});

test('SY-043, W24: a cache that was invalidated is not used; others are told that there is no such execution', async () => {
  const first = await run(paid('a storm'));
  const second = await run(paid('a storm'));
  assert.equal(second.jobs[0].cache.outcome, 'hit');
  const gone = await api.request('DELETE', `/api/execute/${second.id}/cache`);
  assert.deepEqual([gone.status, gone.json], [200, { message: 'Cache invalidated' }]);
  assert.deepEqual((await run(paid('a storm'))).jobs[0].cache, { mode: 'on', outcome: 'miss', reason: 'invalidated' });
  assert.equal((await api.request('DELETE', `/v1/executions/${first.id}/cache`)).status, 200);
  for (const where of ['/api/execute/aaaaaaaaaaaaaaaaaaaaa/cache', '/v1/executions/none/cache']) {
    const missing = await api.request('DELETE', where);
    assert.equal(missing.status, 404);
    assert.equal(missing.json.error, 'Execution not found');
  }
});

test('a mode that nobody knows, or that an operation cannot have, is refused with its path', async () => {
  for (const [body, where] of [
    [{ jobs: [paid('x', {}, { cache: 'always' })] }, 'jobs[0].cache'],
    [{ plan: { cache: true, jobs: [] } }, 'plan.cache'],
    [{ plan: { jobs: [{ id: 'e', operation: 'external', params: { name: 'x' }, cache: 'on' }] } }, 'plan.jobs[0].cache'],
  ]) {
    const refused = await api.post('/api/execute', body);
    assert.equal(refused.status, 400, refused.text);
    assert.equal(refused.json.path, where);
  }
});

test('hits, misses and waits are counted', async () => {
  const text = (await api.get('/metrics')).text;
  const value = (name) => Number(text.match(new RegExp(`^${name} (\\d+)`, 'm'))?.[1]);
  assert.ok(value('callsheet_cache_hits_total') > 0, text);
  assert.ok(value('callsheet_cache_misses_total') > 0);
  assert.ok(value('callsheet_cache_waits_total') > 0);
});
