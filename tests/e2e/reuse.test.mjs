import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FileServer, Stack } from '../../tools/stack.mjs';
import { Api } from './support/api.mjs';
import { generate } from './support/plans.mjs';

let stack, api, files;

before(async () => {
  files = await FileServer.start([]); // whatever one asks for is not there
  stack = await Stack.start();
  api = new Api(stack.url);
});

after(async () => {
  await stack?.stop();
  await files?.stop();
});

const reframe = (id, aspectRatio, params = {}, more = {}) => ({ id, operation: 'reframe', params: { aspectRatio, ...params }, ...more });
const byId = (execution) => Object.fromEntries(execution.jobs.map((job) => [job.id, job]));

async function create(body) {
  const created = await api.post('/api/execute', body);
  assert.equal(created.status, 202, created.text);
  return created.json.executionId;
}

async function run(body) {
  return api.finished(await create(body));
}

test('SY-055, SY-058, SY-061, W17: variants of a base run only what is new', async () => {
  const base = await run({ executionPlan: { jobs: [generate('job1'), reframe('job2', '9:16', { input: 'job1' }, { dependsOn: ['job1'] })] } });
  assert.equal(base.status, 'completed');
  const [square, tall] = await Promise.all([
    run({ executionPlan: { jobs: [generate('job1'), reframe('job2', '1:1', { input: 'job1' }, { dependsOn: ['job1'] })] }, options: { baseExecutionId: base.id } }),
    run({ executionPlan: { baseExecutionId: base.id, jobs: [reframe('job1', '4:5')] } }), // as SDKs number them; its input is the base's result
  ]);
  const jobs = byId(square);
  assert.deepEqual(jobs.job1.reused, { executionId: base.id, jobId: 'job1', reason: 'base' });
  assert.equal(jobs.job1.attempt, 0);
  assert.equal(jobs.job2.reused, null);
  assert.equal(square.links.baseExecutionId, base.id);
  assert.equal(tall.status, 'completed');
  assert.equal(tall.totalJobs, 1);
  assert.equal(tall.jobs[0].reused, null);
});

test('SY-057, W16: what is made on a running base waits for it', async () => {
  const base = await create({ executionPlan: { jobs: [generate('a', { seconds: 2 })] } });
  const variants = await Promise.all(['1:1', '9:16'].map((ratio) => create({ jobs: [reframe('v', ratio)], baseExecutionId: base })));
  const done = await Promise.all(variants.map((id) => api.finished(id)));
  assert.deepEqual(done.map((execution) => execution.status), ['completed', 'completed']);
  const ended = (await api.get(`/v1/executions/${base}`)).json.completedAt;
  for (const execution of done) assert.ok(execution.startedAt >= ended, `${execution.startedAt} after ${ended}`);
});

test('SY-056, SY-057: a base that is missing or has failed is refused by name', async () => {
  const missing = await api.post('/api/execute', { executionPlan: { jobs: [] }, options: { baseExecutionId: 'nobody' } });
  assert.equal(missing.status, 404);
  assert.equal(missing.json.error, 'Base execution not found: nobody');
  const failed = await run({ jobs: [reframe('r', '1:1', { videoUrl: files.url(0) }, { retry: { attempts: 1 } })] });
  assert.equal(failed.status, 'failed');
  const refused = await api.post('/api/execute', { jobs: [reframe('v', '9:16')], baseExecutionId: failed.id });
  assert.equal(refused.status, 409);
  assert.equal(refused.json.error, `Base execution not completed: ${failed.id} (failed)`);
});

test('SY-042: a retry is a new execution that reuses what had completed', async () => {
  const jobs = [generate('good'), reframe('bad', '1:1', { videoUrl: files.url(0) }, { retry: { attempts: 1 } })];
  const old = await run({ executionPlan: { jobs } });
  assert.equal(old.status, 'failed');
  const [first, second] = await Promise.all([0, 1].map(() => api.post(`/api/execute/${old.id}/retry`)));
  assert.equal(first.status, 202);
  assert.equal(first.json.id, second.json.id, 'a double click makes one');
  assert.equal(first.json.retryOf, old.id);
  const again = await api.finished(first.json.id);
  assert.equal(again.status, 'failed');
  assert.deepEqual(byId(again).good.reused, { executionId: old.id, jobId: 'good', reason: 'retry' });
  assert.equal(again.links.retryOf, old.id);
  assert.deepEqual((await api.get(`/v1/executions/${old.id}`)).json.links.successors, [again.id]);
  assert.equal((await api.post('/v1/executions/nobody/retry')).status, 404);
  const completed = await run({ executionPlan: { jobs: [] } });
  assert.equal((await api.post(`/v1/executions/${completed.id}/retry`)).status, 409);
});

test('a rerun runs a job with new params, and what depends on it', async () => {
  const old = await run({
    executionPlan: {
      jobs: [generate('a'), generate('b'), { id: 'm', operation: 'merge', params: { inputs: ['a', 'b'] }, dependsOn: ['a', 'b'] }],
    },
  });
  assert.equal(old.status, 'completed');
  const rerun = await api.post(`/v1/executions/${old.id}/rerun`, { jobs: [{ id: 'b', params: generate('b', { seconds: 2 }).params }] });
  assert.equal(rerun.status, 202, rerun.text);
  const done = await api.finished(rerun.json.id);
  assert.equal(done.status, 'completed');
  const jobs = byId(done);
  assert.deepEqual(jobs.a.reused, { executionId: old.id, jobId: 'a', reason: 'rerun' });
  assert.equal(jobs.b.reused, null);
  assert.equal(jobs.m.reused, null);
  const wrong = await api.post(`/v1/executions/${old.id}/rerun`, { jobs: [{ id: 'b', params: { provider: 'local' } }] });
  assert.equal(wrong.status, 400);
  assert.equal(wrong.json.path, 'jobs[0].params.prompt');
});
