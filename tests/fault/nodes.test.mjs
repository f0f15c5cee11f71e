// A long render on three nodes: all of them make chunks of it, and it comes out as on one, byte for byte, whoever dies meanwhile.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Api, FileServer, Stack, temporaryDirectory } from '../../tools/stack.mjs';
import { makeClip } from '../e2e/support/media.mjs';

const SECONDS = 150; // 15 chunks
const NODES = ['media', 'media-2', 'media-3'];

let files, work, expected, stack, api;
const listeners = new Set();

const digest = async (url) => createHash('sha256').update(Buffer.from(await (await fetch(url)).arrayBuffer())).digest('hex');

async function begin(client) {
  const created = await client.post('/api/execute', {
    jobs: [{ id: 'captions', operation: 'addSubtitles', params: { video: files.url(0), text: 'one two three' } }],
  });
  assert.equal(created.status, 202, created.text);
  return created.json.id;
}

async function finish(client, id) {
  const ended = await client.finished(id);
  assert.equal(ended.status, 'completed', JSON.stringify(ended));
  return { attempt: ended.jobs[0].attempt, sha256: await digest(ended.result.url) };
}

before(async () => {
  work = await temporaryDirectory('callsheet-nodes-');
  const clip = await makeClip(path.join(work, 'long.mp4'), { seconds: SECONDS, video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '12'] });
  files = await FileServer.start([clip]);
  const alone = await Stack.start({ args: ['--slots', '1'] });
  const client = new Api(alone.url);
  expected = (await finish(client, await begin(client))).sha256;
  await alone.stop();
  stack = await Stack.start({ args: ['--slots', '1', '--media', String(NODES.length)], onLog: (line) => listeners.forEach((listen) => listen(line)) });
  api = new Api(stack.url);
});

after(async () => {
  await stack?.stop();
  await files?.stop();
  if (work) await rm(work, { recursive: true, force: true });
});

// The node that says in this line that it made a chunk for another; or undefined.
const helperOf = (line) => {
  const made = /\bjob done\b/.test(line) && /\bchunk"?[=:]\s*(-?\d+)/.exec(line);
  return made && Number(made[1]) >= 0 ? NODES.find((name) => line.startsWith(`${name} `)) : undefined;
};

// Resolves with the names of the first nodes that made a chunk for another, from now on.
function helpers(count) {
  const found = new Set();
  return new Promise((resolve) => {
    const listen = (line) => {
      const name = helperOf(line);
      if (name) found.add(name);
      if (found.size < count) return;
      listeners.delete(listen);
      resolve([...found]);
    };
    listeners.add(listen);
  });
}

async function metric(name) {
  const { text } = await api.get('/metrics');
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

test('every node makes chunks of a long render, and it is the same as on one', { timeout: 300_000 }, async () => {
  const all = helpers(2);
  const { attempt, sha256 } = await finish(api, await begin(api));
  assert.equal(sha256, expected);
  assert.equal(attempt, 1);
  assert.equal((await all).length, 2);
  assert.ok((await metric('callsheet_chunks_made_total')) >= 2);
});

test('a node that dies while it helps costs nothing but its chunk', { timeout: 300_000 }, async () => {
  const first = helpers(1);
  const id = await begin(api);
  await stack.kill((await first)[0]);
  const { attempt, sha256 } = await finish(api, id);
  assert.equal(sha256, expected);
  assert.equal(attempt, 1);
});

test('what was made by all is not lost when the node that has the job dies', { timeout: 300_000 }, async () => {
  const both = helpers(2);
  const id = await begin(api);
  const helping = await both;
  await stack.kill(NODES.find((name) => !helping.includes(name)));
  const { attempt, sha256 } = await finish(api, id);
  assert.equal(sha256, expected);
  assert.ok(attempt >= 2);
  assert.ok(stack.logs.some((line) => line.includes('goes on with chunks that are done')));
});
