// A chain of jobs in one run, and the media service dies when all of it lies in storage but nobody knows yet: the run is made
// again, and each job ends once.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Api, FileServer, Stack, temporaryDirectory } from '../../tools/stack.mjs';
import { download, makeClip, probe } from '../e2e/support/media.mjs';

let stack, api, files, work;

before(async () => {
  work = await temporaryDirectory('callsheet-fusion-');
  files = await FileServer.start([await makeClip(path.join(work, 'clip.mp4'), { seconds: 1 })]);
  stack = await Stack.start({ env: { CALLSHEET_ALLOW_PRIVATE_TARGETS: 'true', CALLSHEET_CRASH_AT: 'media.before_result:2' } });
  api = new Api(stack.url);
});

after(async () => {
  await stack?.stop();
  await files?.stop();
  if (work) await rm(work, { recursive: true, force: true });
});

const plan = {
  intermediates: 'discard',
  jobs: [
    { id: 'square', operation: 'reframe', params: { video: { url: '' }, aspectRatio: '1:1' } },
    { id: 'words', operation: 'addSubtitles', params: { video: { job: 'square' }, text: 'one two' } },
    { id: 'text', operation: 'overlayText', params: { video: { job: 'words' }, texts: [{ text: 'hello' }] } },
  ],
};

async function run() {
  plan.jobs[0].params.video.url = files.url(0);
  const created = await api.post('/v1/executions', { plan });
  assert.equal(created.status, 202, created.text);
  return api.finished(created.json.id);
}

test('a run of several jobs that dies before its result is told is made again, as one run', { timeout: 120_000 }, async () => {
  const first = await run(); // the first result of the process
  const second = await run(); // dies with its second
  for (const execution of [first, second]) {
    assert.equal(execution.status, 'completed', JSON.stringify(execution.jobs.map((job) => job.error)));
    assert.deepEqual(execution.jobs.map((job) => [job.id, job.status, job.fusedInto]), [['square', 'completed', 'text'], ['words', 'completed', 'text'], ['text', 'completed', null]]);
    assert.equal((await probe(await download(execution.result.url, path.join(work, 'out.mp4')))).frames, 25);
  }
  assert.ok(stack.logs.some((line) => line.includes('worker lost, running it elsewhere')), 'the second run was lost once');
});
