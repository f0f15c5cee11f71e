// kill -9 of each process while the main job runs: the execution completes, each paid call is made once, the webhook carries
// one event id. The moments come from a seed (CALLSHEET_SEED repeats one); each is a change that was seen on the event stream.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Api, Stack, WebhookReceiver } from '../../tools/stack.mjs';
import { mainPlan } from '../e2e/support/plans.mjs';

const seed = Number(process.env.CALLSHEET_SEED ?? Date.now() % 1_000_000);
let state = seed;
const chance = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32);

let stack, api, receiver;

before(async () => {
  console.log(`# seed ${seed}`);
  receiver = await WebhookReceiver.start();
  stack = await Stack.start();
  api = new Api(stack.url);
});

after(async () => {
  await stack?.stop();
  await receiver?.stop();
});

// Submits since the stack started, by execution and job, as the providers service logs them.
function submits(id) {
  return stack.logs.filter((line) => line.includes('"provider submit"') && line.includes(id));
}

// Runs the main job and kills `name` when the n-th change is seen.
async function killDuring(name) {
  const moment = 1 + Math.floor(chance() * 8);
  const delivered = new Set();
  const created = await api.post('/api/execute', mainPlan({ seconds: 0.6, options: { webhookUrl: `${receiver.url}?${name}`, webhookSecret: 'plain secret' } }));
  assert.equal(created.status, 202, created.text);
  const id = created.json.id;
  let changes = 0;
  try {
    for await (const _ of api.events(id)) {
      if (++changes === moment) {
        await stack.kill(name);
        break;
      }
    }
  } catch {
    // the stream broke because the kill reached its path
  }
  const ended = await api.finished(id);
  assert.equal(ended.status ?? ended.state, 'completed', JSON.stringify(ended));
  while (!receiver.deliveries.some((delivery) => JSON.parse(delivery.body).executionId === id)) await receiver.next();
  for (const delivery of receiver.deliveries) {
    if (JSON.parse(delivery.body).executionId === id) delivered.add(delivery.headers['webhook-id']);
  }
  assert.equal(delivered.size, 1, `event ids ${[...delivered]}`);
  assert.equal(submits(id).length, 2, `each of two generations is submitted once (killed ${name} at change ${moment}):\n${submits(id).join('\n')}`);
}

for (const name of ['orchestrator', 'media', 'providers', 'webhooks', 'gateway']) {
  test(`the main job survives kill -9 of ${name}`, { timeout: 120_000 }, () => killDuring(name));
}

test('the main job survives kill -9 of PostgreSQL', { timeout: 120_000 }, () => killDuring('postgres'));

// Everything below a process, by /proc.
function descendants(pid) {
  const children = new Map();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = Number(readFileSync(`/proc/${entry}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch {
      // ended while we looked
    }
  }
  const found = [];
  const visit = (parent) => (children.get(parent) ?? []).forEach((child) => (found.push(child), visit(child)));
  visit(pid);
  return found;
}

const alive = (pid) => {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

for (const signal of ['SIGTERM', 'SIGKILL']) {
  test(`nothing is left behind when the supervisor gets ${signal} in mid-work, and the work goes on later`, { timeout: 120_000 }, async () => {
    const own = await Stack.start({ dataDir: execFileSync('mktemp', ['-d']).toString().trim() });
    const created = await new Api(own.url).post('/api/execute', mainPlan({ seconds: 3 }));
    assert.equal(created.status, 202, created.text);
    for await (const event of new Api(own.url).events(created.json.id)) {
      const jobs = (event.data.execution ?? event.data).jobs ?? [];
      if (jobs.some((job) => job.state === 'running')) break;
    }
    const pids = descendants(own.child.pid);
    assert.ok(pids.length >= 6);
    const code = await own.stop(signal);
    assert.equal(code, signal === 'SIGTERM' ? 0 : null);
    while (pids.some(alive)) await new Promise((resolve) => setImmediate(resolve));

    const again = await Stack.start({ dataDir: own.dataDir });
    const ended = await new Api(again.url).finished(created.json.id);
    assert.equal(ended.status ?? ended.state, 'completed', JSON.stringify(ended));
    assert.equal(await again.stop(), 0);
    execFileSync('rm', ['-rf', own.dataDir]);
  });
}
