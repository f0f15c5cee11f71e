// Judges a history: what was promised, what the log says, what workers, provider and receivers saw. Pure.
//
//   accepted    [{key, id, plan: {jobs: [{id, dependsOn, operation, params}], webhook}}]   every 202
//   executions  [{id, state, open, completedAt}]           rows, at the end
//   events      [{execution, seq, kind, job, attempt, committedUs, payload}]   rows; job is the id, payload a Buffer
//   worker      [{us, word, execution, job, attempt, prefix, inputs: [key]}]   started, succeeded, failed, cancelled
//   ledger      [{execution, job, number, end}]            what the provider sold: end is done, failed, canceled or ""
//   deliveries  [{eventId, execution, status, body}]       webhooks that arrived
//   sightings   [{execution, status, completedAt}]         terminal states that somebody was shown, in order
//   withoutWakeup                                          rows of executions_without_wakeup
//
// The answer is a list of {kind, what}; empty when every promise was kept.

const TERMINAL = new Set(['completed', 'failed', 'cancelled']);

const groupBy = (list, key) => {
  const groups = new Map();
  for (const each of list) {
    const name = key(each);
    if (groups.has(name)) groups.get(name).push(each);
    else groups.set(name, [each]);
  }
  return groups;
};

// A job is won by its worker's success, or by the result of another job that it took (the cache).
const won = (event) => ['succeeded', 'reused'].includes(event.kind);

const jobKey = (execution, job) => `${execution}/${job}`;

// An accepted execution exists, has ended, and is nobody else's.
function* durable({ accepted, executions }) {
  const rows = new Map(executions.map((row) => [row.id, row]));
  for (const { id, key } of accepted) {
    const row = rows.get(id);
    if (!row) yield { kind: 'lost', what: `${id} (${key}) was accepted and does not exist` };
    else if (!TERMINAL.has(row.state)) yield { kind: 'not_terminal', what: `${id} is ${row.state}` };
    else if (row.open) yield { kind: 'still_open', what: `${id} is ${row.state} and something is left to do` };
  }
  for (const [key, answers] of groupBy(accepted, (each) => each.key)) {
    const ids = new Set(answers.map((each) => each.id));
    if (ids.size > 1) yield { kind: 'two_executions', what: `key ${key} was answered with ${[...ids].join(' and ')}` };
  }
}

// A job of a completed execution has exactly one winner, and it is an attempt that its worker knows to have succeeded.
function* winners({ accepted, executions, events, worker }) {
  const states = new Map(executions.map((row) => [row.id, row.state]));
  const winners = groupBy(events.filter(won), (event) => jobKey(event.execution, event.job));
  const claims = groupBy(worker.filter((line) => line.word === 'succeeded'), (line) => jobKey(line.execution, line.job));
  for (const { id, plan } of accepted) {
    for (const job of plan.jobs) {
      const ends = winners.get(jobKey(id, job.id)) ?? [];
      if (ends.length > 1) yield { kind: 'two_winners', what: `${id}/${job.id} succeeded ${ends.length} times` };
      if (ends.length === 0 && states.get(id) === 'completed') yield { kind: 'no_winner', what: `${id} completed without ${job.id}` };
      if (ends.length === 1 && job.operation === 'addSubtitles') {
        const known = (claims.get(jobKey(id, job.id)) ?? []).some((line) => ends[0].payload.includes(line.prefix));
        if (!known) yield { kind: 'unknown_winner', what: `${id}/${job.id}: no worker knows the attempt that won` };
      }
    }
  }
}

// An execution fails only when one of its jobs was made to fail, or its provider or renderer said so.
function* failures({ accepted, executions, events, worker }) {
  const scripted = new Set(worker.filter((line) => line.word === 'failed').map((line) => jobKey(line.execution, line.job)));
  const refused = groupBy(events.filter((event) => event.kind === 'failed'), (event) => event.execution);
  const states = new Map(executions.map((row) => [row.id, row.state]));
  for (const { id, plan } of accepted) {
    if (states.get(id) !== 'failed') continue;
    const operations = new Map(plan.jobs.map((job) => [job.id, job.operation]));
    const explained = (refused.get(id) ?? []).some((event) => operations.get(event.job) !== 'addSubtitles' || scripted.has(jobKey(id, event.job)));
    if (!explained) yield { kind: 'unexplained_failure', what: `${id} failed, and none of its jobs was made to` };
  }
}

// A child starts after the commit of all its parents' successes.
function* order({ accepted, events, worker }) {
  const committed = new Map(
    events.filter(won).map((event) => [jobKey(event.execution, event.job), event.committedUs]),
  );
  const plans = new Map(accepted.map((each) => [each.id, new Map(each.plan.jobs.map((job) => [job.id, job]))]));
  for (const line of worker) {
    if (line.word !== 'started') continue;
    for (const parent of plans.get(line.execution)?.get(line.job)?.dependsOn ?? []) {
      const at = committed.get(jobKey(line.execution, parent));
      if (at === undefined) yield { kind: 'early_child', what: `${line.execution}/${line.job} started, ${parent} never succeeded` };
      else if (at > line.us) yield { kind: 'early_child', what: `${line.execution}/${line.job} started ${at - line.us} us before the commit of ${parent}` };
    }
  }
}

// What a child is given is the output of the attempt that won.
function* inputs({ accepted, events, worker }) {
  const results = new Map(events.filter(won).map((event) => [jobKey(event.execution, event.job), event.payload]));
  const plans = new Map(accepted.map((each) => [each.id, new Map(each.plan.jobs.map((job) => [job.id, job]))]));
  for (const line of worker) {
    const input = line.word === 'started' && plans.get(line.execution)?.get(line.job)?.params?.input;
    const payload = input && results.get(jobKey(line.execution, input));
    if (payload && !payload.includes(line.inputs[0])) yield { kind: 'wrong_input', what: `${line.execution}/${line.job} was given ${line.inputs[0]}, which did not win` };
  }
}

// After a submission another one follows only when the provider itself has ended the first one badly.
function* submissions({ ledger }) {
  for (const [job, sold] of groupBy(ledger, (entry) => jobKey(entry.execution, entry.job))) {
    const alive = sold.filter((entry) => entry.end !== 'failed' && entry.end !== 'canceled');
    if (alive.length > 1) yield { kind: 'second_submit', what: `${job} was bought as number ${alive.map((entry) => entry.number).join(' and ')}` };
    const numbers = new Set(sold.map((entry) => entry.number));
    if (numbers.size < sold.length) yield { kind: 'second_submit', what: `${job} was bought twice under one number` };
  }
}

// One event id and one body for each execution, however often it was delivered; it says how the execution ended.
function* webhooks({ accepted, executions, deliveries }) {
  const states = new Map(executions.map((row) => [row.id, row]));
  const byExecution = groupBy(deliveries, (delivery) => delivery.execution);
  for (const [execution, arrived] of byExecution) {
    if (new Set(arrived.map((delivery) => delivery.eventId)).size > 1) yield { kind: 'contradictory_webhook', what: `${execution}: several event ids` };
    if (new Set(arrived.map((delivery) => delivery.body)).size > 1) yield { kind: 'contradictory_webhook', what: `${execution}: several bodies` };
    const state = states.get(execution)?.state;
    const wrong = arrived.find((delivery) => delivery.status !== state);
    if (wrong) yield { kind: 'contradictory_webhook', what: `${execution}: the webhook says ${wrong.status}, the row ${state}` };
  }
  for (const { id, plan } of accepted) {
    const row = states.get(id);
    if (plan.webhook && row && !row.open && !byExecution.has(id)) yield { kind: 'missing_webhook', what: `${id} is closed, nobody was told` };
  }
}

// What somebody was shown as the end stays the end, and the log of a job says nothing after its end.
function* finality({ executions, events, sightings }) {
  const rows = new Map(executions.map((row) => [row.id, row]));
  for (const { execution, status, completedAt } of sightings) {
    const row = rows.get(execution);
    if (row && (row.state !== status || row.completedAt !== completedAt)) {
      yield { kind: 'terminal_changed', what: `${execution} was ${status} at ${completedAt}, is ${row.state} at ${row.completedAt}` };
    }
  }
  for (const [execution, log] of groupBy(events, (event) => event.execution)) {
    const ended = new Set();
    for (const event of [...log].sort((a, b) => a.seq - b.seq)) {
      if (['delivered', 'delivery_failed'].includes(event.kind)) continue;
      if (ended.has(event.job)) yield { kind: 'terminal_changed', what: `${execution}/${event.job}: ${event.kind} (event ${event.seq}) after its success` };
      if (won(event)) ended.add(event.job);
    }
    const gap = log.map((event) => event.seq).sort((a, b) => a - b).findIndex((seq, index) => seq !== index + 1);
    if (gap !== -1) yield { kind: 'broken_log', what: `${execution}: event ${gap + 1} is missing` };
  }
}

function* wakeups({ withoutWakeup }) {
  for (const row of withoutWakeup) yield { kind: 'without_wakeup', what: `${row.id} has no next wake-up` };
}

export function violations(history) {
  return [durable, winners, failures, order, inputs, submissions, webhooks, finality, wakeups].flatMap((rule) => [...rule(history)]);
}
