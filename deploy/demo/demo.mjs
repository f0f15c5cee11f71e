// The main job on real video, from nothing: see README.md.
import { spawn } from 'node:child_process';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Api, bin, FileServer, Stack, temporaryDirectory, WebhookReceiver } from '../../tools/stack.mjs';

const clip = process.argv[2];
const result = path.resolve('callsheet-demo.mp4');
const secret = `whsec_${randomBytes(24).toString('base64')}`;

function plan(webhookUrl, clipUrl) {
  const generate = (id, prompt) => ({
    id,
    operation: 'generateVideo',
    params: { provider: 'local', prompt, duration: 4, aspectRatio: '16:9', resolution: '720p' },
  });
  const middle = clipUrl ? [{ url: clipUrl, type: 'video' }] : [];
  return {
    executionPlan: {
      jobs: [
        generate('opening', 'Sunrise over a quiet harbour, gulls drifting in slow motion'),
        generate('closing', 'City lights coming on at dusk, seen from a rooftop'),
        {
          id: 'cut',
          operation: 'merge',
          params: {
            items: [{ url: '_videoJobDependency:opening' }, ...middle, { url: '_videoJobDependency:closing' }],
            transition: { type: 'fade', duration: 0.5 },
          },
          dependsOn: ['opening', 'closing'],
        },
        { id: 'portrait', operation: 'reframe', params: { input: 'cut', aspectRatio: '9:16' }, dependsOn: ['cut'] },
        {
          id: 'captions',
          operation: 'addSubtitles',
          params: { input: 'portrait', text: 'One plan in, one finished video out. This is Callsheet.', style: { preset: 'tiktok' } },
          dependsOn: ['portrait'],
        },
      ],
      rootJobIds: ['opening', 'closing'],
    },
    options: { webhookUrl, webhookSecret: secret },
  };
}

// Standard Webhooks: HMAC-SHA256 over "id.timestamp.body" with the decoded secret.
function verified({ headers, body }) {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signed = Buffer.concat([Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`), body]);
  const expected = Buffer.from(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  const given = Buffer.from(headers['webhook-signature'] ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

async function submitAndWatch(url, file) {
  const watching = spawn(path.join(bin, 'callsheet'), ['submit', file, '--watch', '--server', url], { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(watching, 'exit');
  if (code !== 0) throw new Error(`callsheet submit ended with ${code}`);
}

async function main() {
  if (clip && !existsSync(clip)) throw new Error(`no such file: ${clip}`);
  const work = await temporaryDirectory();
  const receiver = await WebhookReceiver.start();
  const files = clip ? await FileServer.start([path.resolve(clip)]) : undefined;
  let stack;
  try {
    console.log('starting PostgreSQL, orchestrator, media, providers, webhooks and gateway');
    stack = await Stack.start();
    console.log(`ready ${stack.url}`);
    const file = path.join(work, 'plan.json');
    await writeFile(file, JSON.stringify(plan(receiver.url, files?.url(0)), null, 2));
    const delivered = receiver.next();
    await submitAndWatch(stack.url, file);
    const delivery = await delivered;
    if (!verified(delivery)) throw new Error('the webhook signature does not verify');
    const event = JSON.parse(delivery.body);
    console.log(`webhook verified (${delivery.headers['webhook-id']}, ${event.status})`);
    const { json: status } = await new Api(stack.url).get(`/api/execute/${event.executionId}/status`);
    const response = await fetch(status.result.url);
    if (!response.ok) throw new Error(`the result answered ${response.status}`);
    await pipeline(Readable.fromWeb(response.body), createWriteStream(result));
  } catch (error) {
    if (stack) console.error(stack.logs.slice(-30).join('\n'));
    throw error;
  } finally {
    await stack?.stop();
    await files?.stop();
    await receiver.stop();
    await rm(work, { recursive: true, force: true });
  }
  console.log(`result ${result}`);
}

try {
  await main();
} catch (error) {
  console.error(`demo: ${error.message}`);
  process.exitCode = 1;
}
