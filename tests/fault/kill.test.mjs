// kill -9 of each process while the main job runs: the execution completes, each paid call is made once, the webhook carries
// one event id. The moments come from a seed (CALLSHEET_SEED repeats one); each is a state that was seen on the event stream.
// CALLSHEET_KILLS=n kills each process n times.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
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

// What the local provider sold to an execution, by its ledger.
function submits(id) {
  const predictions = path.join(stack.dataDir, 'ledger', 'predictions');
  return readdirSync(predictions).filter((name) => readFileSync(path.join(predictions, name, 'key'), 'utf8').includes(id));
}

// Moments of the main job: a job that is at least so far. The last one is when the webhook is under way.
const order = ['waiting', 'ready', 'running', 'completed'];
const moments = ['job1', 'job2', 'job3', 'job4', 'job5'].flatMap((job) => [[job, 'ready'], [job, 'running'], [job, 'completed']]);

function reached(execution, [id, state]) {
  const job = execution.jobs.find((each) => each.id === id);
  return job !== undefined && order.indexOf(job.status) >= order.indexOf(state);
}

// Runs the main job and kills `name` at a moment.
async function killDuring(name) {
  const moment = moments[Math.floor(chance() * moments.length)];
  const created = await api.post('/api/execute', mainPlan({ seconds: 0.6, options: { webhookUrl: `${receiver.url}?${name}`, webhookSecret: 'plain secret' } }));
  assert.equal(created.status, 202, created.text);
  const id = created.json.id;
  let killed = false;
  try {
    for await (const event of api.events(id)) {
      if (reached(event.data, moment)) {
        await stack.kill(name);
        killed = true;
        break;
      }
    }
  } catch (error) {
    assert.ok(killed, error.message); // else the stream broke because the kill reached its path
  }
  assert.ok(killed, `never reached ${moment}`);
  const ended = await api.finished(id);
  assert.equal(ended.status, 'completed', JSON.stringify(ended));
  while (!receiver.deliveries.some((delivery) => JSON.parse(delivery.body).executionId === id)) await receiver.next();
  const delivered = new Set(
    receiver.deliveries.filter((delivery) => JSON.parse(delivery.body).executionId === id).map((delivery) => delivery.headers['webhook-id']),
  );
  const what = `killed ${name} when ${moment.join(' was ')}`;
  assert.equal(delivered.size, 1, `event ids ${[...delivered]}, ${what}`);
  assert.equal(submits(id).length, 2, `each of two generations is submitted once: ${submits(id)}, ${what}`);
}

const kills = Number(process.env.CALLSHEET_KILLS ?? 1);

for (const name of ['orchestrator', 'media', 'providers', 'webhooks', 'gateway', 'postgres']) {
  test(`EX-007, W22: the main job survives kill -9 of ${name}`, { timeout: 60_000 * kills }, async () => {
    for (let n = 0; n < kills; n++) await killDuring(name);
  });
}

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
      if (event.data.jobs.some((job) => job.status === 'running')) break;
    }
    const pids = descendants(own.child.pid);
    assert.ok(pids.length >= 6);
    const code = await own.stop(signal);
    assert.equal(code, signal === 'SIGTERM' ? 0 : null);
    while (pids.some(alive)) await new Promise((resolve) => setImmediate(resolve));

    const again = await Stack.start({ dataDir: own.dataDir });
    const ended = await new Api(again.url).finished(created.json.id);
    assert.equal(ended.status, 'completed', JSON.stringify(ended));
    assert.equal(await again.stop(), 0);
    execFileSync('rm', ['-rf', own.dataDir]);
  });
}
