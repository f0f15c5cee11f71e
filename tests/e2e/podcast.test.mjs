// The podcast-edit pipeline against the real stack, on a talk of real speech where the set of real media is here.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { FileServer, Stack, temporaryDirectory } from '../../tools/stack.mjs';
import { Api } from './support/api.mjs';
import { download, probe, realMedia } from './support/media.mjs';

const run = promisify(execFile);
const rate = 25;
const states = ['audio-extraction', 'transcription', 'smart-cut-planner', 'video-cuts', 'subtitles-post-edit', 'branding-layer'];
const pauseSeconds = 2.5;
const kennedy = 'and so my fellow americans ask not what your country can do for you ask what you can do for your country';
let stack, api, work, files, speech;

// Speech, a pause, speech: people's where it is here, else a machine's.
function speakers() {
  const real = ['jfk_inaugural_16k_mono_11s.wav', 'librivox_austen_0870_16k_mono.wav'].map((name) => realMedia && path.join(realMedia, 'speech', name));
  if (real.every((file) => file && existsSync(file))) return real.map((file) => ['-i', file]);
  console.log('# CALLSHEET_TEST_MEDIA is not set: a synthetic voice speaks instead of people');
  return ['good morning and welcome to the show where we talk about the weather', 'thank you for listening and see you again next week'].map((text) => ['-f', 'lavfi', '-i', `flite=text='${text}'`]);
}

async function makeTalk(file) {
  const [first, second] = speakers();
  await run('ffmpeg', ['-v', 'error', '-y', ...first, ...second, '-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=${rate}`,
    '-filter_complex', `[0:a]aresample=16000,apad=pad_dur=${pauseSeconds}[a];[1:a]aresample=16000[b];[a][b]concat=n=2:v=0:a=1[s]`,
    '-map', '2:v', '-map', '[s]', '-shortest', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac', file]);
  return file;
}

before(async () => {
  work = await temporaryDirectory();
  const talk = await makeTalk(path.join(work, 'talk.mp4'));
  const logo = path.join(work, 'logo.png');
  const broken = path.join(work, 'broken.mp4');
  await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'color=red:s=64x64', '-frames:v', '1', logo]);
  await writeFile(broken, 'this was a talk once');
  speech = realMedia && path.join(realMedia, 'speech', 'jfk_inaugural_16k_mono_11s.wav');
  files = await FileServer.start([talk, logo, broken, speech]);
  stack = await Stack.start();
  api = new Api(stack.url);
});

after(async () => {
  await stack?.stop();
  await files?.stop();
  if (work) await rm(work, { recursive: true, force: true });
});

async function edit(params) {
  const created = await api.post('/v1/pipelines/podcast-edit/runs', { params });
  assert.equal(created.status, 202, created.text);
  return api.finished(created.json.id);
}

const jobOf = (execution, id) => execution.jobs.find((job) => job.id === id);

function outputOf(execution, id, name) {
  const output = jobOf(execution, id).outputs.find((each) => each.name === name);
  assert.ok(output, `${id} gave ${jobOf(execution, id).outputs.map((each) => each.name)}`);
  return output;
}

async function textOf(output) {
  return readFile(await download(output.url, path.join(work, output.name)), 'utf8');
}

const factsOf = async (output) => probe(await download(output.url, path.join(work, output.name)));

async function keepsOf(execution) {
  const plan = JSON.parse(await textOf(outputOf(execution, 'smart-cut-planner', 'cut_plan.json')));
  return plan.cuts.filter((cut) => cut.type === 'keep').map(({ start, end }) => ({ start: Number(start), end: Number(end) }));
}

const frame = 1 / rate + 1e-3;
const lengthOf = (keeps) => keeps.reduce((sum, { start, end }) => sum + end - start, 0);

test('TA-015, TA-016, TA-019, TA-040, TA-045, TA-046: the steps run in their order, without transitions, and the execution completes', { timeout: 300_000 }, async () => {
  const execution = await edit({ source: files.url(0), logo: files.url(1), intro: files.url(1), introDuration: 1, minSegmentDuration: 1 });
  assert.equal(execution.status, 'completed', JSON.stringify(execution.jobs.map((job) => job.error)));
  assert.ok(execution.completedAt);
  assert.deepEqual(execution.pipeline, { name: 'podcast-edit', version: 2 });
  const steps = [...states.slice(0, 5), 'subtitles-with-intro', 'branding-layer'];
  assert.deepEqual(execution.jobs.map((job) => job.id), steps);
  for (let i = 1; i < steps.length; i++) {
    assert.ok(jobOf(execution, steps[i]).startedAt >= jobOf(execution, steps[i - 1]).completedAt, `${steps[i]} began before ${steps[i - 1]} had ended`);
  }

  const keeps = await keepsOf(execution);
  const before = (await probe(path.join(work, 'talk.mp4'))).videoSeconds;
  assert.ok(lengthOf(keeps) <= before - pauseSeconds / 2, `the pause is cut: ${JSON.stringify(keeps)} of ${before}`);
  const cut = await factsOf(outputOf(execution, 'video-cuts', 'cut.mp4'));
  assert.ok(Math.abs(cut.videoSeconds - lengthOf(keeps)) <= frame, `TA-040: ${cut.videoSeconds} of ${lengthOf(keeps)}`);
  assert.ok(Math.abs(cut.videoSeconds - cut.audioSeconds) <= 0.05, 'TA-040: drift');

  const srt = await textOf(outputOf(execution, 'subtitles-post-edit', 'subtitles.srt'));
  const vtt = await textOf(outputOf(execution, 'subtitles-post-edit', 'subtitles.vtt'));
  assert.match(srt, /^1\n\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}\n\S/);
  assert.match(vtt, /^WEBVTT/);
  const ends = [...srt.matchAll(/--> (\d\d):(\d\d):(\d\d),(\d{3})/g)].map(([, h, m, s, ms]) => h * 3600 + m * 60 + Number(s) + ms / 1000);
  assert.ok(ends.at(-1) <= cut.videoSeconds + frame, `TA-045: a cue ends at ${ends.at(-1)} of ${cut.videoSeconds}`);

  const final = await factsOf(execution.result);
  const intro = 1 - Math.min(Math.round(0.5 * rate), Math.floor(rate / 2)) / rate; // a fade takes at most half of what it joins
  assert.ok(Math.abs(final.videoSeconds - (cut.videoSeconds + intro)) <= frame, `TA-046: ${final.videoSeconds}`);
  const behind = await textOf(outputOf(execution, 'subtitles-with-intro', 'subtitles.srt'));
  const begins = (text) => [...text.matchAll(/(\d\d):(\d\d):(\d\d),(\d{3}) -->/g)].map(([, h, m, s, ms]) => h * 3600 + m * 60 + Number(s) + ms / 1000);
  assert.equal(begins(behind).length, begins(srt).length);
  assert.ok(begins(behind).every((at, i) => Math.abs(at - begins(srt)[i] - intro) <= 0.034), `TA-045: ${begins(behind)} after ${begins(srt)}`);
  assert.ok(Math.abs(jobOf(execution, 'branding-layer').metrics.integratedLoudness + 16) <= 1, JSON.stringify(jobOf(execution, 'branding-layer').metrics));
});

test('TA-016, TA-043: transitions are a switch, and shorten what they join', { timeout: 300_000 }, async () => {
  const execution = await edit({ source: files.url(0), applyTransitions: true, transitionMs: 200, burnSubtitles: true, minSegmentDuration: 1 });
  assert.equal(execution.status, 'completed', JSON.stringify(execution.jobs.map((job) => job.error)));
  assert.deepEqual(execution.jobs.map((job) => job.id), [...states.slice(0, 3), 'video-transitions', 'subtitles-post-edit', 'subtitles-burn-in', 'branding-layer']);
  const joins = (await keepsOf(execution)).length - 1;
  assert.ok(joins > 0);
  const frames = lengthOf(await keepsOf(execution)) * rate;
  const soft = await factsOf(outputOf(execution, 'video-transitions', 'cut.mp4'));
  assert.ok(Math.abs(soft.frames - (frames - joins * Math.round(0.2 * rate))) <= 1, `TA-043: ${soft.frames} of ${frames} and ${joins} joins`);
  const final = await factsOf(execution.result);
  assert.equal(final.frames, soft.frames);
});

test('TA-017, TA-018: a recording that is none fails the execution at once with the reason', { timeout: 60_000 }, async () => {
  const execution = await edit({ source: files.url(2) });
  assert.equal(execution.status, 'failed');
  assert.ok(execution.completedAt);
  assert.equal(jobOf(execution, 'audio-extraction').status, 'failed');
  assert.equal(jobOf(execution, 'audio-extraction').attempt, 1, 'TA-017: bad input is not tried again');
  assert.equal(jobOf(execution, 'branding-layer').status, 'skipped');
  assert.match(JSON.stringify(execution.error), /extractAudio.*no media file/);
  assert.equal(jobOf(execution, 'audio-extraction').error.class, 'invalid_input');
});

// Edits that make the words said into the words heard, per word said.
function wordErrors(said, heard) {
  let row = heard.map((_, i) => i).concat(heard.length);
  for (const [i, word] of said.entries()) {
    const next = [i + 1];
    for (const [k, other] of heard.entries()) next.push(Math.min(row[k] + (word === other ? 0 : 1), row[k + 1] + 1, next[k] + 1));
    row = next;
  }
  return row.at(-1) / said.length;
}

test('TA-026, TA-027: speech becomes words with times, in the sandbox', { timeout: 120_000 }, async (context) => {
  if (!speech || !existsSync(speech)) return context.skip('CALLSHEET_TEST_MEDIA has no recorded speech');
  const created = await api.post('/v1/executions', { plan: { jobs: [{ id: 't', operation: 'transcribe', params: { media: files.url(3) } }] } });
  assert.equal(created.status, 202, created.text);
  const execution = await api.finished(created.json.id);
  assert.equal(execution.status, 'completed', JSON.stringify(execution.jobs[0].error));
  const transcript = JSON.parse(await textOf(outputOf(execution, 't', 'transcript.json')));
  const words = transcript.segments.flatMap((segment) => segment.words);
  for (const [i, { start, end }] of words.entries()) assert.ok(start >= (words[i - 1]?.end ?? 0) && end >= start && end <= 11.1, JSON.stringify(words[i]));
  const heard = words.map(({ word }) => word.toLowerCase());
  const rateOfErrors = wordErrors(kennedy.split(' '), heard);
  console.log(`# word error rate ${rateOfErrors.toFixed(2)}: ${heard.join(' ')}`);
  assert.ok(rateOfErrors <= 0.5, heard.join(' '));
  assert.ok(Math.max(...(await textOf(outputOf(execution, 't', 'subtitles.srt'))).split('\n').map((line) => line.length)) <= 42);
});
