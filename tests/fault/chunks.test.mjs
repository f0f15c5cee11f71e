// The media service dies again and again in the middle of a long render: each attempt goes on where the one before had got to.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Api, FileServer, Stack, temporaryDirectory } from '../../tools/stack.mjs';
import { download, makeClip, probe } from '../e2e/support/media.mjs';

let stack, api, files, dir;

before(async () => {
  dir = await temporaryDirectory('callsheet-chunks-');
  const clip = await makeClip(path.join(dir, 'long.mp4'), { seconds: 45, video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '1'] });
  files = await FileServer.start([clip]);
  stack = await Stack.start({ env: { CALLSHEET_ALLOW_PRIVATE_TARGETS: 'true', CALLSHEET_CRASH_AT: 'media.after_chunk:2' } });
  api = new Api(stack.url);
});

after(async () => {
  await stack?.stop();
  await files?.stop();
});

test('a long render gets further with each attempt, and no chunk is lost but the last', { timeout: 180_000 }, async () => {
  const created = await api.post('/api/execute', {
    jobs: [{ id: 'captions', operation: 'addSubtitles', params: { video: files.url(0), text: 'one two three' } }],
  });
  assert.equal(created.status, 202, created.text);
  const ended = await api.finished(created.json.id);
  assert.equal(ended.status, 'completed', JSON.stringify(ended));
  const done = stack.logs.map((line) => /goes on with chunks that are done.*\bdone"?[=:]\s*(\d+)/.exec(line)).filter(Boolean).map((match) => Number(match[1]));
  assert.ok(done.length >= 2, `attempts that went on: ${done}`);
  assert.ok(done[0] >= 1 && done.every((count, n) => n === 0 || count > done[n - 1]), `chunks that were done: ${done}`);
  const facts = await probe(await download(ended.result.url, path.join(dir, 'out.mp4')));
  assert.equal(facts.frames, 45 * 25);
});
