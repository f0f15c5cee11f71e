// A chain of real media jobs in one run, and the same one by one.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { FileServer, Stack, temporaryDirectory } from '../../tools/stack.mjs';
import { Api } from './support/api.mjs';
import { download, makeClip, probe, realClips } from './support/media.mjs';

const run = promisify(execFile);
const steps = ['join', 'square', 'words', 'mark'];
let stack, api, work, files, clips, logo;

before(async () => {
  work = await temporaryDirectory();
  const made = realClips(['bbb_720p25_h264_aac51_5s.mp4', 'flower_960x540p2997_h264_aac_5s.mp4']) ?? [
    await makeClip(path.join(work, 'a.mp4'), { seconds: 3 }), await makeClip(path.join(work, 'b.mp4'), { seconds: 3, size: '480x270' })];
  const mark = path.join(work, 'logo.png');
  await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'color=red:s=64x64', '-frames:v', '1', mark]);
  files = await FileServer.start([...made, mark]);
  [clips, logo] = [made.map((_, index) => files.url(index)), files.url(made.length)];
  stack = await Stack.start();
  api = new Api(stack.url);
});

after(async () => {
  await stack?.stop();
  await files?.stop();
  if (work) await rm(work, { recursive: true, force: true });
});

const chain = (more = {}, mark = logo) => ({
  ...more,
  jobs: [
    { id: 'join', operation: 'merge', params: { items: clips.map((url) => ({ media: { url } })), transition: { type: 'fade', duration: 0.5 } } },
    { id: 'square', operation: 'reframe', params: { video: { job: 'join' }, aspectRatio: '1:1' } },
    { id: 'words', operation: 'addSubtitles', params: { video: { job: 'square' }, text: 'in one run or one by one' } },
    { id: 'mark', operation: 'brand', params: { video: { job: 'words' }, logo: { url: mark } } },
  ],
});

async function create(plan) {
  const created = await api.post('/v1/executions', { plan });
  assert.equal(created.status, 202, created.text);
  return api.finished(created.json.id);
}

async function metric(name) {
  const text = await (await fetch(`${stack.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
}

// Processor time of everything below this process, that which has ended too.
async function processorSeconds() {
  const stats = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name))
    .map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  const all = stats.filter(Boolean).map((stat) => {
    const rest = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { pid: parseInt(stat, 10), parent: Number(rest[1]), ticks: rest.slice(11, 15).reduce((sum, each) => sum + Number(each), 0) };
  });
  const ours = new Set([process.pid]);
  for (let before = 0; before !== ours.size;) {
    before = ours.size;
    all.filter((each) => ours.has(each.parent)).forEach((each) => ours.add(each.pid));
  }
  return all.filter((each) => ours.has(each.pid) && each.pid !== process.pid).reduce((sum, each) => sum + each.ticks, 0) / 100;
}

async function timed(plan) {
  const before = await processorSeconds();
  const execution = await create(plan);
  assert.equal(execution.status, 'completed', execution.error);
  return { execution, cpu: await processorSeconds() - before };
}

test('a chain whose intermediates nobody wants is decoded once, encoded once, and each job tells its own story', async () => {
  const fused = await timed(chain({ intermediates: 'discard' }));
  assert.equal(await metric('callsheet_fused_runs_total'), 1);
  assert.equal(await metric('callsheet_fused_jobs_total'), 4);
  assert.equal(await metric('callsheet_split_runs_total'), 0);
  const jobs = fused.execution.jobs;
  assert.deepEqual(jobs.map((job) => [job.id, job.status, job.attempt, job.fusedInto, job.outputs.length]),
    steps.map((id) => [id, 'completed', 1, id === 'mark' ? null : 'mark', id === 'mark' ? 1 : 0]));
  assert.equal(jobs[2].metrics.wordCount, 7);

  const alone = await timed(chain());
  assert.equal(await metric('callsheet_fused_runs_total'), 1);
  assert.ok(alone.execution.jobs.every((job) => job.outputs.length >= 1 && job.fusedInto === null));
  const [one, four] = await Promise.all([fused, alone].map(async ({ execution }) =>
    probe(await download(execution.result.url, path.join(work, `${execution.id}.mp4`)))));
  assert.deepEqual([one.frames, one.width, one.height, one.rate], [four.frames, four.width, four.height, four.rate]);
  assert.ok(Math.abs(one.audioSeconds - four.audioSeconds) < 0.05, `${one.audioSeconds} and ${four.audioSeconds}`);
  console.log(`# a chain of four: ${fused.cpu.toFixed(2)} s of processor in one run, ${alone.cpu.toFixed(2)} s one by one: ${(fused.cpu / alone.cpu).toFixed(2)}`);
  assert.ok(fused.cpu < alone.cpu, 'one run costs less than four');
});

test('a run that fails is split, and the job that failed is named', async () => {
  const execution = await create(chain({ intermediates: 'discard' }, files.url(99)));
  assert.equal(execution.status, 'failed');
  assert.deepEqual(execution.jobs.map((job) => job.status), ['completed', 'completed', 'completed', 'failed']);
  assert.deepEqual(execution.jobs.map((job) => job.outputs.length >= 1), [true, true, true, false]);
  assert.equal(await metric('callsheet_split_runs_total'), 1);
});
