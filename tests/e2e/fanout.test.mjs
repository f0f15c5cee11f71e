import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { FileServer, Stack, temporaryDirectory } from '../../tools/stack.mjs';
import { Api } from './support/api.mjs';
import { download, probe } from './support/media.mjs';
import { generate } from './support/plans.mjs';

let stack, api, work, files;

before(async () => {
  work = await temporaryDirectory();
  files = await FileServer.start([]); // whatever one asks for is not there
  stack = await Stack.start();
  api = new Api(stack.url);
});

after(async () => {
  await stack?.stop();
  await files?.stop();
  if (work) await rm(work, { recursive: true, force: true });
});

const scene = (title, duration) => ({ title, duration });

/** A map over scenes, and the film of what it gives. */
function storyboard(items, { template, ...params } = {}) {
  const { operation, params: values, cache } = generate('scene', { prompt: '{{index}}: {{item.title}}' });
  return {
    jobs: [
      {
        id: 'scenes',
        operation: 'map',
        params: { items, job: template ?? { operation, params: { ...values, duration: '{{item.duration}}' }, cache }, ...params },
      },
      { id: 'film', operation: 'merge', params: { items: [{ media: 'scenes' }] } },
    ],
  };
}

async function create(plan, more = {}) {
  const created = await api.post('/v1/executions', { plan, ...more });
  assert.equal(created.status, 202, created.text);
  return created.json.executionId;
}

async function finish(id) {
  await api.finished(id);
  const { json } = await api.get(`/v1/executions/${id}`);
  return { ...json, by: Object.fromEntries(json.jobs.map((job) => [job.id, job])) };
}

test('E5: a map makes a job of each item, and a merge takes what they gave in their order', async () => {
  const done = await finish(await create(storyboard([scene('Attic', 0.5), scene('Bath', 1.5), scene('Court', 1)])));
  assert.equal(done.status, 'completed', done.error);
  assert.deepEqual(done.jobs.map((job) => job.id), ['scenes', 'film', 'scenes.0', 'scenes.1', 'scenes.2']);
  assert.deepEqual([done.by['scenes.1'].parent, done.by['scenes.1'].index], ['scenes', 1]);
  assert.equal(done.by.scenes.outputs.length, 3);
  assert.deepEqual(done.by.scenes.outputs.map((output) => output.key.split('/')[3]), ['scenes.0', 'scenes.1', 'scenes.2']);
  const facts = await probe(await download(done.result.url, path.join(work, 'film.mp4')));
  assert.ok(Math.abs(facts.videoSeconds - 3) <= 3 / facts.rate + 1e-3, `0.5 + 1.5 + 1 s, got ${facts.videoSeconds}`);
});

test('EX-024, E7: items that fail are left out where the map says so', async () => {
  const plan = storyboard([{ video: 'clip' }, { video: files.url(0) }, { video: 'clip' }], {
    template: { operation: 'reframe', params: { video: '{{item.video}}', aspectRatio: '1:1' }, retry: { attempts: 1 } },
    onItemFailure: 'skip',
  });
  plan.jobs.unshift(generate('clip'));
  const done = await finish(await create(plan));
  assert.equal(done.status, 'completed', done.error);
  assert.deepEqual(['scenes.0', 'scenes.1', 'scenes.2'].map((id) => done.by[id].status), ['completed', 'failed', 'completed']);
  assert.deepEqual([done.by.scenes.metrics.itemsCompleted, done.by.scenes.metrics.itemsFailed], [2, 1]);
  const facts = await probe(await download(done.result.url, path.join(work, 'partial.mp4')));
  assert.ok(Math.abs(facts.videoSeconds - 2) <= 2 / facts.rate + 1e-3, `two of three, got ${facts.videoSeconds}`);
});

test('a map makes a job of each output of another job', async () => {
  const plan = storyboard('clip', { template: { operation: 'reframe', params: { video: '{{item}}', aspectRatio: '9:16' } } });
  plan.jobs.unshift(generate('clip'));
  const done = await finish(await create(plan));
  assert.equal(done.status, 'completed', done.error);
  assert.equal(done.by['scenes.0'].status, 'completed');
});

test('jobs are appended, edited and removed while an execution is open', async () => {
  const id = await create({ jobs: [{ ...generate('a'), requiresApproval: true }] }); // keeps it open
  const where = `/v1/executions/${id}/jobs`;
  const jobs = [
    { id: 'r', operation: 'reframe', params: { video: { job: 'a' }, aspectRatio: '9:16' } },
    { id: 's', operation: 'reframe', params: { video: { job: 'r' }, aspectRatio: '1:1' } },
  ];
  const grown = await api.post(where, { jobs });
  assert.equal(grown.status, 200, grown.text);
  assert.deepEqual(grown.json.jobs.map((job) => job.id), ['a', 'r', 's']);
  assert.equal((await api.post(where, { jobs })).json.jobs.length, 3, 'the same jobs are not appended again');

  const other = await api.post(where, { jobs: [{ ...jobs[0], params: { ...jobs[0].params, aspectRatio: '1:1' } }] });
  assert.deepEqual([other.status, other.json.code, other.json.path], [409, 'job_exists', 'jobs[0].id']);
  const unknown = await api.post(where, { jobs: [{ ...jobs[0], id: 'x', params: { ...jobs[0].params, video: { job: 'nobody' } } }] });
  assert.deepEqual([unknown.status, unknown.json.code, unknown.json.path], [400, 'unknown_dependency', 'jobs[0].params.video']);

  const edited = await api.request('PATCH', `${where}/r`, { params: { video: { job: 'a' }, aspectRatio: '21:9' } });
  assert.equal(edited.status, 200, edited.text);
  const bad = await api.request('PATCH', `${where}/r`, { params: { video: { job: 'a' }, aspectRatio: '2:1' } });
  assert.deepEqual([bad.status, bad.json.path], [400, 'params.aspectRatio']);
  const refused = await api.request('DELETE', `${where}/r`);
  assert.deepEqual([refused.status, refused.json.code], [409, 'has_dependents']);
  assert.equal((await api.request('DELETE', `${where}/s`)).status, 200);
  assert.equal((await api.request('DELETE', `${where}/nobody`)).status, 404);

  assert.equal((await api.post(`/v1/executions/${id}/approve`, { jobId: 'a' })).status, 200);
  const done = await finish(id);
  assert.equal(done.status, 'completed', done.error);
  assert.deepEqual([done.by.s.status, done.by.s.error.code], ['skipped', 'removed']);
  assert.deepEqual([done.by.r.outputs[0].facts.video.width, done.by.r.outputs[0].facts.video.height], [2520, 1080]);
  assert.equal((await api.post(where, { jobs })).status, 409);
});

test('E3: a map goes on after kill -9 of the orchestrator', async () => {
  const id = await create(storyboard([scene('Attic', 0.5), scene('Bath', 0.5), scene('Court', 0.5), scene('Den', 0.5)], { maxParallel: 1 }));
  for await (const event of api.events(id)) {
    if (event.data.jobs?.some((job) => job.id === 'scenes.0')) break;
  }
  process.kill((await stack.process('orchestrator')).pid, 'SIGKILL');
  const done = await finish(id);
  assert.equal(done.status, 'completed', done.error);
  assert.equal(done.jobs.length, 6);
  assert.deepEqual(done.by.scenes.outputs.map((output) => output.key.split('/')[3]), ['scenes.0', 'scenes.1', 'scenes.2', 'scenes.3']);
});

test('bad maps are a 400 with their path', async () => {
  const bad = [
    [storyboard([{ duration: 1 }]), 'no_such_member', 'plan.jobs[0].params.job'],
    [storyboard([scene('Attic', 1000)]), 'out_of_range', 'plan.jobs[0].params.job.params.duration'],
    [storyboard([scene('Attic', 1)], { onItemFailure: 'panic' }), 'unknown_word', 'plan.jobs[0].params.onItemFailure'],
    [storyboard([]), 'required', 'plan.jobs[0].params.items'],
    [storyboard([1], { template: { operation: 'map', params: {} } }), 'nested_map', 'plan.jobs[0].params.job.operation'],
    [storyboard([1], { template: { id: 'x', ...generate('x') } }), 'unknown_field', 'plan.jobs[0].params.job.id'],
  ];
  for (const [plan, code, where] of bad) {
    const answer = await api.post('/v1/executions', { plan });
    assert.deepEqual([answer.status, answer.json.code, answer.json.path], [400, code, where], answer.text);
  }
});
