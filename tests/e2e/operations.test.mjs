// Every operation of the media service through the front door: in the words of an SDK and in its own parameters.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import loader from '@grpc/proto-loader';
import { FileServer, root, Stack, temporaryDirectory } from '../../tools/stack.mjs';
import { Api } from './support/api.mjs';
import { download, makeClip, probe } from './support/media.mjs';

const run = promisify(execFile);
const rate = 25;
const seconds = 2;
const frame = 1 / rate + 1e-3;
// Operations that always have something to tell in numbers.
const measured = ['merge', 'lipSync', 'addSubtitles', 'planCuts', 'cut', 'brand', 'loudness'];
// What is not a job of the media service.
const others = ['generateVideo', 'generateImage', 'generateAudio', 'deliverWebhook', 'map', 'import', 'external', 'noop'];
const inputs = {
  clip: { name: 'clip.mp4', make: (file) => makeClip(file, { size: '320x180' }) },
  second: { name: 'second.mp4', make: (file) => makeClip(file, { size: '320x180', rate: '30', seconds: 1 }) },
  green: { name: 'green.mp4', make: (file) => ffmpeg('-f', 'lavfi', '-i', `color=0x00ff00:s=160x90:r=${rate}:d=1`, '-pix_fmt', 'yuv420p', file) },
  music: { name: 'music.mp3', make: (file) => ffmpeg('-f', 'lavfi', '-i', 'sine=frequency=220:duration=1', file) },
  logo: { name: 'logo.png', make: (file) => ffmpeg('-f', 'lavfi', '-i', 'color=red:s=64x64', '-frames:v', '1', file) },
  speech: { name: 'speech.wav', make: (file) => ffmpeg('-f', 'lavfi', '-i', "flite=text='good morning and welcome to the show'", '-ar', '16000', file) },
  words: { name: 'words.json', text: JSON.stringify([['hello', 0, 0.3], ['um', 0.3, 0.9], ['there', 1, 1.4]].map(([word, start, end]) => ({ word, start, end }))) },
  captions: { name: 'captions.srt', text: '1\n00:00:00,100 --> 00:00:00,500\nHello\n\n2\n00:00:01,200 --> 00:00:01,800\nthere\n' },
  plan: { name: 'plan.json', text: JSON.stringify({ cuts: [{ start: 0, end: 0.6, type: 'keep' }, { start: 0.6, end: 1, type: 'cut' }, { start: 1, end: seconds, type: 'keep' }] }) },
  // Of the length and the bytes (in its sound) from which on pictures are made in chunks.
  long: { name: 'long.mov', make: (file) => makeClip(file, { size: '160x90', rate: '5', seconds: 32, video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '5'], audio: ['-c:a', 'pcm_s16le'] }) },
};
let stack, api, work, files;

const ffmpeg = (...args) => run('ffmpeg', ['-v', 'error', '-y', ...args]);
const url = (name) => files.url(Object.keys(inputs).indexOf(name));

before(async () => {
  work = await temporaryDirectory();
  const paths = Object.values(inputs).map(({ name }) => path.join(work, name));
  await Promise.all(Object.values(inputs).map(({ make, text }, i) => (make ? make(paths[i]) : writeFile(paths[i], text))));
  files = await FileServer.start(paths);
  stack = await Stack.start();
  api = new Api(stack.url);
});

after(async () => {
  await stack?.stop();
  await files?.stop();
  if (work) await rm(work, { recursive: true, force: true });
});

// ---- what outputs must be ----

const about = (value, wanted, what) => assert.ok(Math.abs(value - wanted) <= frame, `${what}: ${value}, planned ${wanted}`);

// A video of so many seconds and pixels.
const video = (length, { width = 320, height = 180, sound = true, contentType = 'video/mp4', more = {} } = {}) => ({
  'main': [contentType, async (file) => {
    const facts = await probe(file);
    assert.deepEqual([facts.width, facts.height, facts.hasAudio], [width, height, sound]);
    about(facts.videoSeconds || facts.duration, length, 'length');
    if (facts.audioSeconds) assert.ok(Math.abs(facts.videoSeconds - facts.audioSeconds) <= 0.05, `sound of ${facts.audioSeconds} s, picture of ${facts.videoSeconds}`);
  }],
  ...more,
});

const audio = (contentType, length) => ({
  main: [contentType, async (file) => {
    const facts = await probe(file);
    assert.deepEqual([facts.hasAudio, facts.width], [true, undefined]);
    assert.ok(Math.abs(facts.duration - length) <= 0.1, `${facts.duration} of ${length}`);
  }],
});

const hls = 'application/vnd.apple.mpegurl';

// A ladder of these stems, each a film of so many pixels, with sound.
const ladder = (length, rungs, more = {}) => ({
  main: text(hls, new RegExp(`^#EXTM3U\\n[^]*${Object.keys(rungs).map((stem) => `${stem}\\.m3u8\\n`).join('[^]*')}$`)),
  'manifest.mpd': text('application/dash+xml', new RegExp(`^<\\?xml[^]*<MPD [^]*mediaPresentationDuration="PT${length.toFixed(6)}S"`)),
  ...Object.fromEntries(Object.entries(rungs).flatMap(([stem, [width, height]]) => [
    [`${stem}.mp4`, video(length, { width, height, sound: false }).main],
    [`${stem}.m3u8`, text(hls, new RegExp(`^#EXTM3U\\n[^]*#EXT-X-MAP:URI="${stem}\\.mp4"[^]*#EXT-X-ENDLIST\\n$`))],
  ])),
  'audio.mp4': ['video/mp4', audio('', length).main[1]],
  'audio.m3u8': text(hls, /#EXT-X-MAP:URI="audio\.mp4"/),
  ...more,
});

const image = (contentType, width, height, more = {}) => ({
  main: [contentType, async (file) => {
    const facts = await probe(file);
    assert.deepEqual([facts.width, facts.height], [width, height]);
  }],
  ...more,
});

const text = (contentType, pattern) => [contentType, async (file) => assert.match(await readFile(file, 'utf8'), pattern)];

const subtitles = (spoken) => ({
  'subtitles.srt': text('application/x-subrip', new RegExp(`^1\\n00:00:0\\d,\\d{3} --> 00:00:0\\d,\\d{3}\\n[^]*${spoken}`, 'i')),
  'subtitles.vtt': text('text/vtt', new RegExp(`^WEBVTT[^]*${spoken}`, 'i')),
  'subtitles.ass': text('text/x-ssa', new RegExp(`\\[Events\\][^]*${spoken}`, 'i')),
});

const transcript = (spoken) => ({
  main: ['application/json', async (file) => assert.match(JSON.stringify(JSON.parse(await readFile(file, 'utf8'))), new RegExp(`"word":".*${spoken}`, 'i'))],
  ...subtitles(spoken),
});

// The path of a window, from its first picture on.
const windowPath = ['application/json', async (file) => assert.ok(Object.keys(JSON.parse(await readFile(file, 'utf8'))).length > 0)];

// Each tile of a storyboard is a part of the picture.
const storyboard = text('text/vtt', /^WEBVTT[^]*-->[^]*thumbnail\.png#xywh=0,0,\d+,\d+/);

// ---- the operations: [name in the plan, params, outputs] ----

const sdk = {
  merge: ['merge', () => ({ items: [{ url: url('clip'), type: 'video' }, { url: url('second'), type: 'video' }], transition: 'fade', frameRate: rate }), video(2.52)],
  reframe: ['reframe', () => ({ videoUrl: url('clip'), crop: 'smart', aspectRatio: '9:16' }), video(2, { width: 1080, height: 1920, more: { 'reframe_path.json': windowPath } })],
  lipSync: ['lipSync', () => ({ videoUrl: url('clip'), audioUrl: url('music') }), video(1)],
  addSubtitles: ['addSubtitles', () => ({ videoUrl: url('clip'), transcript: JSON.parse(inputs.words.text), style: 'bold' }), video(2)],
  extractAudio: ['extractAudio', () => ({ videoUrl: url('clip'), outputFormat: 'wav' }), audio('audio/wav', 2)],
  transcribe: ['transcribe', () => ({ input: url('speech') }), transcript('welcome|morning|show|good|the')],
  planCuts: ['planCuts', () => ({ transcript: url('words'), media: url('clip'), minSegmentDuration: 0.1 }), { main: text('application/json', /"keep"/) }],
  cut: ['videoCuts', () => ({ input: url('clip'), plan: url('plan'), transitionMs: 200 }), video(1.4)],
  retimeSubtitles: ['subtitleRetime', () => ({ subtitles: url('captions'), plan: url('plan') }), transcript('there')],
  brand: ['brandingLayer', () => ({ input: url('clip'), logo: url('logo'), intro: url('logo'), introDuration: 1 }), video(2.48)],
  layer: ['layers', () => ({ layers: [{ media: url('clip'), main: true }, { media: url('logo'), placement: 'w-1/4 top-right' }] }), video(2)],
  replaceGreenScreen: ['replaceGreenScreen', () => ({ videoUrl: url('green'), background: url('logo') }), video(1, { width: 160, height: 90, sound: false })],
  overlayText: ['textOverlay', () => ({ videoUrl: url('clip'), text: { text: 'Hello', font_size: 60, start_time: 0.5, fade_in: 0.2, position: { x: 20, y: 20 } } }), video(2)],
  trim: ['trim', () => ({ input: url('clip'), start: 0.5, duration: 1 }), video(1)],
  speed: ['speed', () => ({ input: url('clip'), speed: 2 }), video(1)],
  transitions: ['videoTransitions', () => ({ items: [url('clip')], plan: url('plan'), durationMs: 200, audioFadeMs: 100 }), video(1.4)],
  reverse: ['reverse', () => ({ input: url('clip') }), video(2)],
  stitch: ['stitch', () => ({ scenes: [url('clip'), { url: url('logo'), duration: 1 }], transition: 'fade', frameRate: rate }), video(2.52)],
  freeze: ['freeze', () => ({ input: url('clip'), at: 1, duration: 0.4 }), video(2.4)],
  thumbnail: ['thumbnail', () => ({ videoUrl: url('clip'), time: 0.5, width: 160 }), image('image/jpeg', 160, 90)],
  gif: ['gif', () => ({ videoUrl: url('clip'), width: 160, fps: 10, duration: 1 }), image('image/gif', 160, 90)],
  convert: ['compress', () => ({ videoUrl: url('clip'), outputFormat: 'mov', codec: 'h264', maxHeight: 90, maxBitrate: 400 }), video(2, { width: 160, height: 90, contentType: 'video/quicktime' })],
  package: ['package', () => ({ videoUrl: url('clip') }), ladder(2, { video_source: [320, 180] })],
  denoise: ['denoise', () => ({ input: url('clip') }), video(2)],
  stabilise: ['stabilize', () => ({ input: url('clip') }), video(2)],
  mixAudio: ['backgroundMusic', () => ({ videoUrl: url('clip'), tracks: [{ url: url('music'), loop: true, volume: 0.2, duck: true }] }), video(2)],
  loudness: ['normalizeAudio', () => ({ videoUrl: url('clip'), lufs: -18 }), video(2)],
};

const native = {
  merge: ['merge', () => ({ items: [{ media: { url: url('clip') }, duration: 1 }, { media: { url: url('logo') }, duration: 0.4 }], fit: 'pad', padColor: '#123456' }), video(1.4)],
  reframe: ['reframe', () => ({ video: { url: url('clip') }, width: 128, height: 128, mode: 'blurPad' }), video(2, { width: 128, height: 128 })],
  lipSync: ['lipSync', () => ({ video: { url: url('clip') }, audio: { url: url('music') }, fit: 'video' }), video(2)],
  addSubtitles: ['addSubtitles', () => ({ video: { url: url('clip') }, transcript: { url: url('captions') }, mode: 'soft', subtitleFiles: true }), video(2, { more: { 'transcript.json': text('application/json', /hello/i), ...subtitles('there') } })],
  extractAudio: ['extractAudio', () => ({ media: { url: url('clip') }, format: 'flac', sampleRate: 16000, channels: 1 }), audio('audio/flac', 2)],
  transcribe: ['transcribe', () => ({ media: { url: url('speech') }, language: 'en' }), transcript('welcome|morning|show|good|the')],
  planCuts: ['planCuts', () => ({ media: { url: url('clip') }, detect: 'silence', minPauseMs: 500 }), { main: text('application/json', /"keep"/) }],
  cut: ['cut', () => ({ video: { url: url('clip') }, plan: { url: url('plan') } }), video(1.6)],
  retimeSubtitles: ['retimeSubtitles', () => ({ transcript: { url: url('words') }, plan: { url: url('plan') }, transitionDuration: 0.2 }), transcript('there')],
  brand: ['brand', () => ({ video: { url: url('clip') }, loudness: -18, lowerThird: { title: 'Ada', subtitle: 'engineer', start: 0.2, duration: 1 } }), video(2)],
  layer: ['layer', () => ({ layers: [{ timeline: [{ media: { url: url('logo') } }, { media: { url: url('second') } }] }, { media: { url: url('clip') }, placement: { words: 'pip' }, main: true }], outputWidth: 320, outputHeight: 180 }), video(2)],
  replaceGreenScreen: ['replaceGreenScreen', () => ({ video: { url: url('green') }, background: [{ url: url('second') }, { url: url('logo') }], similarity: 0.3 }), video(1, { width: 160, height: 90, sound: false })],
  overlayText: ['overlayText', () => ({ video: { url: url('clip') }, texts: [{ text: 'Hello', position: 'top-left' }, { text: 'there', boxColor: '#000' }] }), video(2)],
  trim: ['trim', () => ({ video: { url: url('clip') }, drop: [{ start: 0.4, end: 0.8 }] }), video(1.6)],
  speed: ['speed', () => ({ video: { url: url('clip') }, factor: 0.5, start: 1, keepPitch: false }), video(3)],
  transitions: ['transitions', () => ({ items: [{ media: { url: url('clip') } }, { media: { url: url('clip') } }], transition: { type: 'wipeleft', duration: 0.4 } }), video(3.6)],
  reverse: ['reverse', () => ({ video: { url: url('second') } }), video(1)],
  stitch: ['stitch', () => ({ scenes: [{ media: { url: url('clip') }, duration: 1, transition: 'cut' }, { media: { url: url('clip') } }], audio: { url: url('music') }, audioVolume: 0.5 }), video(3)],
  freeze: ['freeze', () => ({ video: { url: url('clip') }, at: 0.5, duration: 0.4, sound: 'continuing' }), video(2)],
  thumbnail: ['thumbnail', () => ({ video: { url: url('clip') }, mode: 'sprite', format: 'png', width: 80, columns: 2, rows: 2 }), image('image/png', 160, 92, { 'storyboard.vtt': storyboard })],
  gif: ['gif', () => ({ video: { url: url('clip') }, start: 0.5, duration: 0.5, format: 'webp' }), { main: ['image/webp', async (file) => assert.match(await readFile(file, 'latin1'), /^RIFF....WEBP[^]*ANIM[^]*ANMF[^]*ANMF/s)] }],
  convert: ['convert', () => ({ video: { url: url('clip') }, container: 'mkv', quality: 'low', audioCodec: 'opus' }), video(2, { contentType: 'video/x-matroska' })],
  package: ['package', () => ({ video: { url: url('clip') }, rungs: [{ height: 180 }, { height: 90, bitrateKbps: 200 }], segmentDuration: 1, transcript: { url: url('captions') }, language: 'en' }), ladder(2, { video_180: [320, 180], video_90: [160, 90] }, { 'subtitles.vtt': text('text/vtt', /^WEBVTT[^]*Hello/), 'subtitles.m3u8': text(hls, /^subtitles\.vtt$/m) })],
  denoise: ['denoise', () => ({ video: { url: url('second') }, picture: 'low', sound: 'low' }), video(1)],
  stabilise: ['stabilise', () => ({ video: { url: url('second') }, strength: 'low' }), video(1)],
  mixAudio: ['mixAudio', () => ({ audio: { url: url('music') }, tracks: [{ audio: { url: url('clip') }, start: 0.2, gainDb: -12 }], format: 'm4a' }), audio('audio/mp4', 1)],
  loudness: ['loudness', () => ({ audio: { url: url('music') }, preset: 'podcast', format: 'wav' }), audio('audio/wav', 1)],
};

// Operations that the contract has now.
function operationsOfTheContract() {
  const definition = loader.loadSync('callsheet/v1/operations.proto', { includeDirs: [path.join(root, 'proto'), '/usr/include'], keepCase: false });
  return definition['callsheet.v1.Operation'].type.field.map((field) => field.jsonName || field.name.replace(/_(.)/g, (_, letter) => letter.toUpperCase()));
}

test('every operation of the contract that media does has a case in both dialects, and a bad one', () => {
  const wanted = operationsOfTheContract().filter((name) => !others.includes(name)).sort();
  assert.ok(wanted.length >= 25, wanted.join());
  for (const [dialect, cases] of Object.entries({ sdk, native, bad })) assert.deepEqual(Object.keys(cases).sort(), wanted, dialect);
});

async function submitted(body) {
  const created = await api.post('/api/execute', body);
  assert.equal(created.status, 202, created.text);
  return created.json.executionId;
}

const hasPicturesOrSound = (contentType) => /^(video|audio)\//.test(contentType);

// The file of each output is what it should be, and none is there that should not be.
async function checkOutputs(outputs, wanted, label) {
  assert.deepEqual(outputs.slice(1).map(({ name }) => name).sort(), Object.keys(wanted).filter((name) => name !== 'main').sort());
  for (const [i, output] of outputs.entries()) {
    const [contentType, check] = i === 0 ? wanted.main : wanted[output.name];
    assert.equal(output.contentType, contentType, output.name);
    const response = await fetch(output.url, { method: 'HEAD' });
    assert.equal(response.headers.get('content-type'), contentType);
    const file = await download(output.url, path.join(work, `${label}-${output.name}`));
    await check(file);
  }
}

// What SDKs see: results with URLs, metrics beside them, and how good the main one is.
async function checkStatus(id, execution, { contentType, isEncoded }) {
  const { json: status } = await api.get(`/api/execute/${id}/status`);
  assert.equal(status.status, 'completed');
  assert.equal(status.result.url.split('?')[0], execution.result.url.split('?')[0]);
  const { result } = status.jobs[0];
  assert.deepEqual(result.outputs.map(({ mimeType }) => mimeType), execution.jobs[0].outputs.map((output) => output.contentType));
  if (measured.includes(execution.jobs[0].operation)) assert.ok(Object.keys(execution.jobs[0].metrics).length > 0, 'metrics');
  for (const [name, value] of Object.entries(execution.jobs[0].metrics)) assert.equal(result[name], value, name);
  if (!isEncoded || !hasPicturesOrSound(contentType)) return;
  const { quality } = result.outputs[0];
  assert.ok(quality, 'a quality report');
  assert.ok(quality.decodedFrames > 0 || quality.decodedSamples > 0, JSON.stringify(quality));
  assert.deepEqual(execution.jobs[0].outputs[0].quality, quality);
}

async function checkCase(dialect, name, [operation, params, outputs]) {
  const job = { id: 'job1', operation, params: params() };
  const id = await submitted(dialect === 'sdk' ? { executionPlan: { jobs: [{ ...job, dependsOn: [] }], rootJobIds: ['job1'] } } : { plan: { jobs: [job] } });
  const execution = await api.finished(id);
  assert.equal(execution.status, 'completed', JSON.stringify(execution.jobs[0].error));
  assert.equal(execution.jobs[0].operation, name);
  await checkOutputs(execution.jobs[0].outputs, outputs, `${dialect}-${name}`);
  // Soft subtitles copy packets: there is nothing on its way to the encoder to look at.
  await checkStatus(id, execution, { contentType: outputs.main[0], isEncoded: job.params.mode !== 'soft' });
}

for (const [dialect, cases] of Object.entries({ sdk, native })) {
  test(`every operation completes, in ${dialect === 'sdk' ? 'the words of the SDKs' : 'its own parameters'}`, { timeout: 300_000 }, async (context) => {
    await Promise.all(Object.entries(cases).map(([name, each]) => context.test(name, () => checkCase(dialect, name, each))));
  });
}

// ---- what is refused: [params, path in them, code] ----

const bad = {
  merge: [() => ({ items: [{ url: url('clip'), duration: -1 }] }), 'items[0].duration', 'out_of_range'],
  reframe: [() => ({ videoUrl: url('clip'), aspectRatio: '5:1' }), 'aspectRatio', 'unknown_word'],
  lipSync: [() => ({ videoUrl: url('clip'), audioUrl: url('music'), fit: 'guess' }), 'fit', 'unknown_word'],
  addSubtitles: [() => ({ videoUrl: url('clip'), text: 'a', style: { animationStyle: 'explode' } }), 'style.animationStyle', 'unknown_word'],
  extractAudio: [() => ({ videoUrl: url('clip'), outputFormat: 'tape' }), 'outputFormat', 'unknown_word'],
  transcribe: [() => ({ input: url('speech'), language: 'de' }), 'language', 'language_not_supported'],
  planCuts: [() => ({ transcript: url('words'), media: url('clip'), minPauseMs: 1 }), 'minPauseMs', 'out_of_range'],
  cut: [() => ({ input: url('clip'), plan: url('plan'), transitionMs: 0 }), 'transitionMs', 'out_of_range'],
  retimeSubtitles: [() => ({ plan: url('plan') }), 'transcript', 'required'],
  brand: [() => ({ input: url('clip'), logo: url('logo'), logoSize: 2 }), 'logoSize', 'out_of_range'],
  layer: [() => ({ layers: [{ media: url('clip'), placement: 'somewhere' }] }), 'layers[0].placement', /./],
  replaceGreenScreen: [() => ({ videoUrl: url('green') }), 'background', 'required'],
  overlayText: [() => ({ videoUrl: url('clip'), text: { text: 'a', font_size: 1 } }), 'text.font_size', 'out_of_range'],
  trim: [() => ({ input: url('clip'), start: 2, end: 1 }), 'end', /./],
  speed: [() => ({ input: url('clip'), speed: 100 }), 'speed', 'out_of_range'],
  transitions: [() => ({ items: [url('clip')], plan: url('plan'), durationMs: 'long' }), 'durationMs', 'out_of_range'],
  reverse: [() => ({ input: 'file:///etc/passwd' }), 'input', /./],
  stitch: [() => ({ scenes: [{ url: url('clip'), transition: 'explode' }] }), 'scenes[0].transition', 'unknown_word'],
  freeze: [() => ({ input: url('clip'), at: 0, duration: 0 }), 'duration', 'out_of_range'],
  thumbnail: [() => ({ videoUrl: url('clip'), time: 'noon' }), 'time', /./],
  gif: [() => ({ videoUrl: url('clip'), fps: 1000 }), 'fps', 'out_of_range'],
  convert: [() => ({ videoUrl: url('clip'), outputFormat: 'webm', codec: 'h264' }), 'codec', /./],
  package: [() => ({ videoUrl: url('clip'), formats: ['smooth'] }), 'formats[0]', 'unknown_word'],
  denoise: [() => ({ input: url('clip'), picture: 'extreme' }), 'picture', 'unknown_word'],
  stabilise: [() => ({ input: url('clip'), zoom: 2 }), 'zoom', 'unknown_field'],
  mixAudio: [() => ({ videoUrl: url('clip'), tracks: [{ url: url('music'), volume: 0.5, gainDb: 3 }] }), /^tracks\[0\]/, 'one_of'],
  loudness: [() => ({ videoUrl: url('clip'), lufs: 3 }), 'lufs', 'out_of_range'],
};

test('bad parameters of each operation are one error with code and path, in the words of the client, and nothing is run', async (context) => {
  const earlier = (await api.get('/v1/executions')).json;
  for (const [name, [params, where, code]] of Object.entries(bad)) {
    await context.test(name, async () => {
      const answer = await api.post('/api/execute', { executionPlan: { jobs: [{ id: 'job1', operation: name, params: params(), dependsOn: [] }], rootJobIds: ['job1'] } });
      assert.equal(answer.status, 400, answer.text);
      const prefix = 'executionPlan.jobs[0].params.';
      assert.ok(answer.json.path?.startsWith(prefix), answer.text);
      const inParams = answer.json.path.slice(prefix.length);
      assert.ok(where instanceof RegExp ? where.test(inParams) : inParams === where, `${answer.text}, wanted ${where}`);
      assert.match(answer.json.code, code instanceof RegExp ? code : new RegExp(`^${code}$`), answer.text);
      assert.ok(answer.json.message.length > 10, answer.text);
    });
  }
  assert.deepEqual((await api.get('/v1/executions')).json, earlier);
});

// ---- operations together ----

test('a chain gets its media from jobs, in the words of the SDKs', { timeout: 120_000 }, async () => {
  const after = (id, operation, input, params) => ({ id, operation, params: { input: `_videoJobDependency:${input}`, ...params }, dependsOn: [input] });
  const id = await submitted({
    executionPlan: {
      jobs: [
        { id: 'join', operation: 'merge', params: { items: [{ url: url('clip') }, { url: url('second') }], transition: { type: 'fade', duration: 0.4 } }, dependsOn: [] },
        after('square', 'reframe', 'join', { aspectRatio: '1:1' }),
        after('captions', 'addSubtitles', 'square', { text: 'From the begin to the end' }),
        after('final', 'brandingLayer', 'captions', { logo: url('logo'), logoPosition: 'topLeft' }),
      ],
      rootJobIds: ['join'],
    },
  });
  const execution = await api.finished(id);
  assert.equal(execution.status, 'completed', JSON.stringify(execution.jobs.map((job) => job.error)));
  assert.equal(execution.resultJobId, 'final');
  const facts = await probe(await download(execution.result.url, path.join(work, 'chain.mp4')));
  assert.deepEqual([facts.width, facts.height, facts.hasAudio], [1080, 1080, true]);
  about(facts.videoSeconds, 2.6, 'length');
  const { metrics } = execution.jobs.find((job) => job.id === 'final');
  assert.ok(Math.abs(metrics.integratedLoudness + 16) <= 0.5, JSON.stringify(metrics));
});

test('the path of a window is made by one job and taken by others, in the same plan and in one built on it', { timeout: 120_000 }, async () => {
  const framed = (id, path, more = {}) => ({ id, operation: 'reframe', params: { video: { url: url('clip') }, width: 90, height: 160, mode: 'smart', ...(path && { path: { job: path } }) }, ...more });
  const first = await api.finished(await submitted({ plan: { jobs: [framed('look'), framed('same', 'look')] } }));
  assert.equal(first.status, 'completed', JSON.stringify(first.jobs.map((job) => job.error)));
  const pathOf = (execution, id) => execution.jobs.find((job) => job.id === id).outputs.find(({ name }) => name === 'reframe_path.json').sha256;
  assert.equal(pathOf(first, 'same'), pathOf(first, 'look'));
  const second = await api.finished(await submitted({ plan: { jobs: [framed('later', 'look')] }, baseExecutionId: first.id }));
  assert.equal(second.status, 'completed', JSON.stringify(second.jobs.map((job) => job.error)));
  assert.equal(pathOf(second, 'later'), pathOf(first, 'look'));
});

test('a long picture is made in chunks', { timeout: 120_000 }, async () => {
  const execution = await api.finished(await submitted({ plan: { jobs: [{ id: 'a', operation: 'overlayText', params: { video: { url: url('long') }, texts: [{ text: 'long' }] } }] } }));
  assert.equal(execution.status, 'completed', JSON.stringify(execution.jobs[0].error));
  const file = await download(execution.result.url, path.join(work, 'chunks.mp4'));
  assert.equal((await probe(file)).frames, 32 * 5);
  const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v', '-skip_frame', 'nokey', '-show_entries', 'frame=pts_time', '-of', 'csv=p=0', file]);
  const keys = stdout.split('\n').filter(Boolean).map(parseFloat);
  assert.ok([0, 10, 20].every((start) => keys.includes(start)), `each chunk begins with a key frame: ${keys}`);
});

test('a cut copies the pictures that need no change, and says how many', { timeout: 120_000 }, async () => {
  const cuts = path.join(work, 'cuts.json');
  await writeFile(cuts, JSON.stringify({ cuts: [{ start: 0, end: 10, type: 'keep' }, { start: 10, end: 15, type: 'cut' }, { start: 15, end: 32, type: 'keep' }] }));
  const served = await FileServer.start([cuts]);
  try {
    const execution = await api.finished(await submitted({ plan: { jobs: [{ id: 'a', operation: 'cut', params: { video: { url: url('long') }, plan: { url: served.url(0) } } }] } }));
    assert.equal(execution.status, 'completed', JSON.stringify(execution.jobs[0].error));
    const [{ metrics, outputs }] = execution.jobs;
    assert.ok(metrics.copiedShare > 0.5, JSON.stringify(metrics));
    assert.ok(Math.abs(outputs[0].quality.copiedShare - metrics.copiedShare) < 1e-3, JSON.stringify(outputs[0].quality));
    assert.equal((await probe(await download(execution.result.url, path.join(work, 'copied.mp4')))).frames, 27 * 5);
  } finally {
    await served.stop();
  }
});

// ---- playing ----

// The bytes of a range, as a player asks for them.
async function fetchRange(address, offset, size) {
  const response = await fetch(address, { headers: { range: `bytes=${offset}-${offset + size - 1}` } });
  assert.equal(response.status, 206, address);
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.equal(bytes.length, size);
  return bytes;
}

// A media playlist as [bytes of what describes the track, of each segment …], fetched from where it lies.
async function fetchSegments(address) {
  const lines = (await (await fetch(address)).text()).split('\n');
  const [, name, initBytes] = lines.find((line) => line.startsWith('#EXT-X-MAP')).match(/URI="([^"]+)",BYTERANGE="(\d+)@0"/);
  const parts = [await fetchRange(new URL(name, address), 0, Number(initBytes))];
  for (const [i, line] of lines.entries()) {
    const range = line.match(/^#EXT-X-BYTERANGE:(\d+)@(\d+)$/);
    if (range) parts.push(await fetchRange(new URL(lines[i + 1], address), Number(range[2]), Number(range[1])));
  }
  return parts;
}

test('a player that has nothing but the link of the master playlist plays all of a package', { timeout: 120_000 }, async () => {
  const params = { video: { url: url('clip') }, rungs: [{ height: 180 }, { height: 120 }], segmentDuration: 1, transcript: { url: url('captions') } };
  const execution = await api.finished(await submitted({ plan: { jobs: [{ id: 'a', operation: 'package', params }] } }));
  assert.equal(execution.status, 'completed', JSON.stringify(execution.jobs[0].error));
  const master = execution.result.url;
  const lines = (await (await fetch(master)).text()).trim().split('\n');
  const variants = lines.filter((line) => line.endsWith('.m3u8') && !line.startsWith('#'));
  assert.equal(variants.length, 2);
  for (const variant of variants) {
    const [init, ...segments] = await fetchSegments(new URL(variant, master));
    assert.equal(segments.length, seconds);
    for (const segment of segments) { // each one by itself
      const file = path.join(work, 'segment.mp4');
      await writeFile(file, Buffer.concat([init, segment]));
      assert.equal((await probe(file)).frames, rate);
    }
  }
  const named = Object.fromEntries(lines.filter((line) => line.startsWith('#EXT-X-MEDIA')).map((line) => [line.match(/TYPE=(\w+)/)[1], line.match(/URI="([^"]+)"/)[1]]));
  const sound = path.join(work, 'sound.mp4');
  await writeFile(sound, Buffer.concat(await fetchSegments(new URL(named.AUDIO, master))));
  assert.ok(Math.abs((await probe(sound)).duration - seconds) <= 0.05);
  const subtitles = new URL(named.SUBTITLES, master);
  const [vtt] = (await (await fetch(subtitles)).text()).match(/^.+\.vtt$/m);
  assert.match(await (await fetch(new URL(vtt, subtitles))).text(), /Hello/);
  const manifest = new URL('manifest.mpd', master);
  const inManifest = [...(await (await fetch(manifest)).text()).matchAll(/<BaseURL>([^<]+)<\/BaseURL>(?:\s*<SegmentBase indexRange="(\d+)-(\d+)")?/g)];
  assert.equal(inManifest.length, 4);
  for (const [, name, from, to] of inManifest) {
    const address = new URL(name, manifest);
    if (from !== undefined) assert.equal((await fetchRange(address, Number(from), Number(to) - Number(from) + 1)).toString('latin1', 4, 8), 'sidx', name);
    else assert.equal((await fetch(address)).status, 200);
  }
});
