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

const broken = (id, more = {}) => ({
  id, operation: 'reframe', params: { video: { url: files.url(0) }, aspectRatio: '16:9' }, retry: { attempts: 1 }, ...more,
});

async function run(plan) {
  const created = await api.post('/v1/executions', { plan });
  assert.equal(created.status, 202, created.text);
  const { executionId } = created.json;
  await api.finished(executionId);
  const { json } = await api.get(`/v1/executions/${executionId}`);
  return { ...json, states: Object.fromEntries(json.jobs.map((job) => [job.id, job.status])) };
}

test('EX-024, E7: a merge does without the optional scene that failed', async () => {
  const done = await run({
    jobs: [
      generate('s1'),
      broken('s2'),
      { id: 'm', operation: 'merge', params: { items: [{ media: { job: 's1' } }, { media: { job: 's2' } }] }, optionalDependencies: ['s2'] },
    ],
  });
  assert.equal(done.status, 'completed');
  assert.deepEqual(done.states, { s1: 'completed', s2: 'failed', m: 'completed' });
  const facts = await probe(await download(done.result.url, path.join(work, 'merged.mp4')));
  assert.ok(Math.abs(facts.videoSeconds - 1) <= 1 / facts.rate + 1e-3, `only the scene of 1 s, got ${facts.videoSeconds}`);
});

test('a job after any runs with what came first, one that always runs does not hide the failure', async () => {
  const done = await run({
    jobs: [
      generate('good'),
      broken('bad'),
      { id: 'any', operation: 'merge', params: { items: [{ media: { job: 'bad' } }, { media: { job: 'good' } }] }, dependencyPolicy: 'any' },
      { ...generate('cleanup'), dependsOn: ['any'], dependencyPolicy: 'always' },
      broken('lost'),
      { ...generate('after'), dependsOn: ['lost'], dependencyPolicy: 'always' },
    ],
  });
  assert.equal(done.status, 'failed');
  assert.deepEqual(done.states, { good: 'completed', bad: 'failed', any: 'completed', cleanup: 'completed', lost: 'failed', after: 'completed' });
});

test('SY-038: a plan that fails fast does not wait for what still runs', async () => {
  const done = await run({
    onFailure: 'fail_fast',
    jobs: [generate('long', { seconds: 60 }), broken('bad'), { id: 'r', operation: 'reframe', params: { input: 'long', aspectRatio: '1:1' } }],
  });
  assert.equal(done.status, 'failed');
  assert.equal(done.states.bad, 'failed');
  assert.equal(done.states.long, 'cancelled');
  assert.match(done.error, /^Job 'reframe' failed: /);
  assert.equal(done.jobs[2].error.code, 'failed_fast');
});

test('an attempt ends by the time limit of its job', async () => {
  const done = await run({ jobs: [{ ...generate('long', { seconds: 60 }), timeoutMs: 300, retry: { attempts: 1 } }] });
  assert.equal(done.status, 'failed');
  assert.deepEqual([done.jobs[0].attempt, done.jobs[0].error.code], [1, 'attempt_timeout']);
});

test('bad rules are a 400 with their path', async () => {
  const bad = [
    [{ jobs: [{ ...generate('a'), dependencyPolicy: 'some' }] }, 'plan.jobs[0].dependencyPolicy'],
    [{ jobs: [{ ...generate('a'), optionalDependencies: ['b'] }] }, 'plan.jobs[0].optionalDependencies[0]'],
    [{ jobs: [{ ...generate('a'), timeoutMs: -1 }] }, 'plan.jobs[0].timeoutMs'],
    [{ jobs: [{ ...generate('a'), queueTimeoutMs: 1e12 }] }, 'plan.jobs[0].queueTimeoutMs'],
    [{ jobs: [{ ...generate('a'), retry: { attempts: 99 } }] }, 'plan.jobs[0].retry.attempts'],
    [{ jobs: [], onFailure: 'panic' }, 'plan.onFailure'],
  ];
  for (const [plan, where] of bad) {
    const answer = await api.post('/v1/executions', { plan });
    assert.equal(answer.status, 400, answer.text);
    assert.equal(answer.json.path, where);
  }
});
