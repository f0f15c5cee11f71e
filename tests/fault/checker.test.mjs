// The checker of the fault loop against histories that are broken in one way each: a checker that cannot fail proves nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violations } from './support/checker.mjs';

// Two jobs, the second after the first; a webhook; a purchase.
function good() {
  const plan = { webhook: true, jobs: [{ id: 'a', operation: 'addSubtitles', params: { input: 'http://x' }, dependsOn: [] }, { id: 'b', operation: 'addSubtitles', params: { input: 'a' }, dependsOn: ['a'] }] };
  return {
    accepted: [{ key: 'k1', id: 'e1', plan }, { key: 'k1', id: 'e1', plan }],
    executions: [{ id: 'e1', state: 'completed', open: false, completedAt: 9 }],
    events: [
      { execution: 'e1', seq: 1, kind: 'lost', job: 'a', attempt: 1, committedUs: 50, payload: Buffer.from('') },
      { execution: 'e1', seq: 2, kind: 'succeeded', job: 'a', attempt: 2, committedUs: 100, payload: Buffer.from('x e1/a/2-ff/out x') },
      { execution: 'e1', seq: 3, kind: 'succeeded', job: 'b', attempt: 1, committedUs: 200, payload: Buffer.from('x e1/b/1-ee/ x') },
      { execution: 'e1', seq: 4, kind: 'delivered', job: 'a', attempt: 0, committedUs: 300, payload: Buffer.from('') },
    ],
    worker: [
      { us: 10, word: 'started', execution: 'e1', job: 'a', attempt: 1, prefix: 'e1/a/1-dd/', inputs: ['url'] },
      { us: 60, word: 'started', execution: 'e1', job: 'a', attempt: 2, prefix: 'e1/a/2-ff/', inputs: ['url'] },
      { us: 70, word: 'succeeded', execution: 'e1', job: 'a', attempt: 2, prefix: 'e1/a/2-ff/', inputs: ['url'] },
      { us: 80, word: 'succeeded', execution: 'e1', job: 'a', attempt: 1, prefix: 'e1/a/1-dd/', inputs: ['url'] }, // late, and not heard
      { us: 110, word: 'started', execution: 'e1', job: 'b', attempt: 1, prefix: 'e1/b/1-ee/', inputs: ['e1/a/2-ff/out'] },
      { us: 120, word: 'succeeded', execution: 'e1', job: 'b', attempt: 1, prefix: 'e1/b/1-ee/', inputs: ['e1/a/2-ff/out'] },
    ],
    ledger: [
      { execution: 'e1', job: 'p', number: 1, end: 'failed' },
      { execution: 'e1', job: 'p', number: 2, end: 'done' },
    ],
    deliveries: [
      { eventId: 'evt_e1', execution: 'e1', status: 'completed', body: '{"a":1}' },
      { eventId: 'evt_e1', execution: 'e1', status: 'completed', body: '{"a":1}' },
    ],
    sightings: [{ execution: 'e1', status: 'completed', completedAt: 9 }],
    withoutWakeup: [],
  };
}

test('a history in which every promise was kept has no violation', () => {
  assert.deepEqual(violations(good()), []);
});

test('a result that was taken from another job wins like one of its own', () => {
  const history = good();
  history.accepted[0].plan.jobs.push({ id: 'c', operation: 'generateImage', dependsOn: [] });
  history.events.push({ ...history.events[1], seq: 5, kind: 'reused', job: 'c' });
  assert.deepEqual(violations(history), []);
});

const broken = {
  'two_winners (one of them taken from another job)': (h) => h.events.splice(2, 0, { ...h.events[1], kind: 'reused' }),
  lost: (h) => h.executions.pop(),
  not_terminal: (h) => (h.executions[0].state = 'processing'),
  still_open: (h) => (h.executions[0].open = true),
  two_executions: (h) => {
    h.accepted[1].id = 'e2';
    h.executions.push({ id: 'e2', state: 'completed', open: false, completedAt: 1 });
    h.deliveries.push({ eventId: 'evt_e2', execution: 'e2', status: 'completed', body: '{}' });
  },
  two_winners: (h) => h.events.splice(2, 0, { ...h.events[1], attempt: 3 }),
  no_winner: (h) => h.events.splice(2, 1),
  unknown_winner: (h) => h.worker.splice(5, 1),
  'early_child (before the commit)': (h) => (h.events[1].committedUs = 111),
  'early_child (the parent never succeeded)': (h) => h.events.splice(1, 1),
  wrong_input: (h) => (h.worker[4].inputs = ['e1/a/1-dd/out']),
  unexplained_failure: (h) => (h.executions[0].state = 'failed'),
  'unexplained_failure (its worker knows of none)': (h) => {
    h.executions[0].state = 'failed';
    h.events[0].kind = 'failed';
  },
  'second_submit (the first is alive)': (h) => (h.ledger[0].end = ''),
  'second_submit (the first is done)': (h) => (h.ledger[0].end = 'done'),
  'second_submit (the same number)': (h) => (h.ledger[0].number = 2),
  'contradictory_webhook (two bodies)': (h) => (h.deliveries[1].body = '{"a":2}'),
  'contradictory_webhook (two ids)': (h) => (h.deliveries[1].eventId = 'evt_other'),
  'contradictory_webhook (another end)': (h) => h.deliveries.forEach((each) => (each.status = 'failed')),
  missing_webhook: (h) => (h.deliveries.length = 0),
  'terminal_changed (another state)': (h) => (h.sightings[0].status = 'failed'),
  'terminal_changed (another time)': (h) => (h.sightings[0].completedAt = 8),
  'terminal_changed (an event after the success)': (h) => h.events.push({ ...h.events[0], seq: 5, kind: 'failed' }),
  broken_log: (h) => (h.events[3].seq = 5),
  without_wakeup: (h) => h.withoutWakeup.push({ id: 'e1' }),
};

for (const [name, breakIt] of Object.entries(broken)) {
  test(`the checker finds ${name}`, () => {
    const history = good();
    breakIt(history);
    const kinds = violations(history).map((each) => each.kind);
    assert.ok(kinds.includes(name.split(' ')[0]), `found ${JSON.stringify(kinds)}`);
  });
}
