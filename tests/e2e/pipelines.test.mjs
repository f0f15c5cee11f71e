// Pipelines against the real stack: a template is stored, changed and run; a run keeps what it was made from.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
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

const call = (...request) => api.request(...request);
const ended = (id) => api.finished(id);

function shape(execution) {
  const { width, height } = execution.result.facts.video;
  return width > height ? 'wide' : 'tall';
}

const template = (ratio) => ({
  description: 'A clip, made vertical when asked for',
  params: {
    prompt: { type: 'string', maxLength: 200, example: 'a calm sea' },
    vertical: { type: 'boolean', default: true },
    seconds: { type: 'number', minimum: 0.5, maximum: 5, default: 1 },
  },
  plan: {
    jobs: [
      { id: 'clip', operation: 'generateVideo', params: { provider: 'local', prompt: 'film: {{params.prompt}}', duration: { $param: 'seconds' }, resolution: '480p' } },
      { id: 'frame', operation: 'reframe', when: { param: 'vertical' }, otherwise: 'clip', params: { video: { job: 'clip' }, aspectRatio: ratio } },
      { id: 'captions', operation: 'addSubtitles', params: { video: { job: 'frame' }, text: '{{params.prompt}}' } },
    ],
  },
  labels: { kind: 'clip' },
});

test('a template is stored in versions, and a run keeps the one it was made from', { timeout: 60_000 }, async () => {
  const first = await call('PUT', '/v1/pipelines/vertical', template('9:16'));
  assert.equal(first.status, 201);
  assert.equal(first.json.version, 1);
  assert.equal((await call('PUT', '/v1/pipelines/vertical', template('9:16'))).status, 200);

  const run = await call('POST', '/v1/pipelines/vertical/runs', { params: { prompt: 'rain' }, labels: { who: 'me' } }, { 'idempotency-key': 'one' });
  assert.equal(run.status, 202, JSON.stringify(run.json));
  assert.deepEqual(run.json.pipeline, { name: 'vertical', version: 1 });
  assert.equal((await call('PUT', '/v1/pipelines/vertical', template('1:1'))).json.version, 2);

  const execution = await ended(run.json.id);
  assert.equal(execution.status, 'completed', JSON.stringify(execution.error));
  assert.deepEqual(execution.pipeline, { name: 'vertical', version: 1 });
  assert.deepEqual(execution.labels, { kind: 'clip', who: 'me' });
  assert.deepEqual(execution.jobs.map((job) => job.id), ['clip', 'frame', 'captions']);
  assert.equal(shape(execution), 'tall');

  const again = await call('POST', '/v1/pipelines/vertical/runs', { params: { prompt: 'rain' }, labels: { who: 'me' }, version: 1 }, { 'idempotency-key': 'one' });
  assert.equal(again.json.id, run.json.id);
  assert.equal(again.headers.get('idempotency-replayed'), 'true');
  assert.equal((await call('GET', '/v1/pipelines/vertical?version=1')).json.template.plan.jobs[1].params.aspectRatio, '9:16');
  assert.equal((await call('GET', '/v1/pipelines/vertical')).json.version, 2);
});

test("the README's pipeline is good as it is written", { timeout: 60_000 }, async () => {
  const readme = await readFile(new URL('../../gateway/README.md', import.meta.url), 'utf8');
  const [, text] = readme.match(/PUT \/v1\/pipelines\/vertical\n([^]*?)\n\n/);
  const written = JSON.parse(text);
  written.params.clip.example = 'https://example.com/a.mp4';
  const answer = await call('PUT', '/v1/pipelines/readme', written);
  assert.equal(answer.status, 201, JSON.stringify(answer.json));
});

test('TA-016: a step that is off or skipped is not run, and what follows takes what was before it', { timeout: 60_000 }, async () => {
  await call('PUT', '/v1/pipelines/steps', template('9:16'));
  for (const body of [{ params: { prompt: 'rain', vertical: false } }, { params: { prompt: 'rain' }, skip: ['frame'] }]) {
    const execution = await ended((await call('POST', '/v1/pipelines/steps/runs', body)).json.id);
    assert.equal(execution.status, 'completed');
    assert.deepEqual(execution.jobs.map((job) => job.id), ['clip', 'captions']);
    assert.equal(shape(execution), 'wide');
  }
});

test('EX-013, EX-022, EX-024: a storyboard becomes one video, scene by scene, after it was approved', { timeout: 120_000 }, async () => {
  const scenes = [{ title: 'Hook', description: 'dawn', duration: 1 }, { description: 'noon', duration: 1.5 }, { description: 'dusk', duration: 1 }];
  const run = await call('POST', '/v1/pipelines/storyboard-video/runs', { params: { scenes, resolution: '480p', requiresApproval: true, transitionDuration: 0.4, caption: 'A day' } });
  assert.equal(run.status, 202, JSON.stringify(run.json));
  const waiting = await call('GET', `/v1/executions/${run.json.id}`);
  assert.equal(waiting.json.jobs.find((job) => job.id === 'scenes').status, 'awaiting_approval');
  assert.ok(!waiting.json.jobs.some((job) => job.id.startsWith('scenes.')), 'nothing is rendered before the approval');
  const approved = await call('POST', `/v1/executions/${run.json.id}/approve`, { jobId: 'scenes' });
  assert.equal(approved.status, 200, JSON.stringify(approved.json));
  const execution = await ended(run.json.id);
  assert.equal(execution.status, 'completed', JSON.stringify(execution.error));
  assert.equal(execution.pipeline.name, 'storyboard-video');
  assert.equal(execution.jobs.filter((job) => job.id.startsWith('scenes.')).length, 3);
  const seconds = execution.result.facts.durationUs / 1e6;
  assert.ok(Math.abs(seconds - (3.5 - 2 * 0.4)) < 0.1, `3.5 s less two transitions, got ${seconds}`);
});

test('bad templates and bad parameters are refused with their path and change nothing', { timeout: 60_000 }, async () => {
  await call('PUT', '/v1/pipelines/good', template('9:16'));
  const cases = [
    ['PUT', '/v1/pipelines/good', { plan: { jobs: [{ id: 'a', operation: 'nonsense', params: {} }] } }, 400, 'unknown_operation', 'plan.jobs[0].operation'],
    ['PUT', '/v1/pipelines/storyboard-video', template('9:16'), 409, 'reserved_name'],
    ['PUT', '/v1/pipelines/Bad%20Name', template('9:16'), 404, 'no_such_pipeline'],
    ['POST', '/v1/pipelines/nobody/runs', { params: {} }, 404, 'no_such_pipeline'],
    ['POST', '/v1/pipelines/good/runs', { params: {}, version: 7 }, 404, 'no_such_pipeline'],
    ['POST', '/v1/pipelines/good/runs', { params: {} }, 400, 'required', 'params.prompt'],
    ['POST', '/v1/pipelines/good/runs', { params: { prompt: 'x', seconds: 99 } }, 400, 'out_of_range', 'params.seconds'],
    ['POST', '/v1/pipelines/good/runs', { params: { prompt: 'x' }, skip: ['clip'] }, 400, 'not_optional', 'skip[0]'],
    ['POST', '/v1/pipelines/good/runs', { params: { prompt: 'x' }, colour: 1 }, 400, 'unknown_field', 'colour'],
    ['POST', '/v1/pipelines/good/runs', { params: { prompt: 'x' }, webhook: 'gopher://x' }, 400, 'bad_url', 'webhook'],
  ];
  for (const [method, path, body, status, code, at] of cases) {
    const answer = await call(method, path, body);
    assert.equal(answer.status, status, `${path} ${JSON.stringify(answer.json)}`);
    assert.equal(answer.json.code, code, `${path} ${JSON.stringify(answer.json)}`);
    if (at !== undefined) assert.equal(answer.json.path, at);
  }
  const { json } = await call('GET', '/v1/pipelines');
  assert.equal(json.pipelines.find((pipeline) => pipeline.name === 'good').version, 1);
});
