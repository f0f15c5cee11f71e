// Collects a history for the checker: rows, what workers and the provider wrote down, what the receiver got.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

const quoted = (ids) => ids.map((id) => `'${id}'`).join(',');

async function rowsOf(fleet, ids) {
  if (ids.length === 0) return [];
  const rows = await fleet.query(
    `select e.id, s.name as state, e.open, e.completed_at_ms from executions e join execution_states s using (state) where e.id in (${quoted(ids)})`,
  );
  return rows.map(({ id, state, open, completed_at_ms: completedAt }) => ({ id, state, open, completedAt }));
}

async function eventsOf(fleet, ids, plans) {
  if (ids.length === 0) return [];
  const rows = await fleet.query(
    `select e.execution, e.seq, k.name as kind, e.job, e.attempt, encode(e.payload, 'hex') as payload,
            (extract(epoch from pg_xact_commit_timestamp(e.xmin)) * 1000000)::int8 as at
     from events e join event_kinds k using (kind) where e.execution in (${quoted(ids)}) order by e.execution, e.seq`,
  );
  return rows.map(({ execution, seq, kind, job, attempt, payload, at }) => ({
    execution, seq, kind, attempt, committedUs: at, payload: Buffer.from(payload, 'hex'),
    job: plans.get(execution)?.jobs[job]?.id ?? `#${job}`,
  }));
}

export async function workerLines(file) {
  return (await readFile(file, 'utf8')).split('\n').filter(Boolean).map((line) => {
    const [us, word, execution, job, attempt, prefix, inputs] = line.split(' ');
    return { us: Number(us), word, execution, job, attempt: Number(attempt), prefix, inputs: inputs.split(',') };
  });
}

// The directories of the local provider's predictions.
async function ledgerOf(directory) {
  const predictions = path.join(directory, 'predictions');
  const names = await readdir(predictions).catch(() => []);
  return Promise.all(names.map(async (name) => {
    const files = await readdir(path.join(predictions, name));
    const [execution, job, number] = (await readFile(path.join(predictions, name, 'key'), 'utf8')).trim().split('/');
    return { execution, job, number: Number(number), end: ['done', 'failed', 'canceled'].find((end) => files.includes(end)) ?? '' };
  }));
}

// The receiver's log.
export function deliveryOf({ headers, body }) {
  const text = body.toString();
  const { executionId, status } = JSON.parse(text);
  return { eventId: headers['webhook-id'], execution: executionId, status, body: text };
}

// Everything about the executions that were accepted since the last call of `collect`; rows of earlier ones are read again
// so that an end that changed afterwards is seen.
export class History {
  constructor(fleet, load, receiver) {
    Object.assign(this, { fleet, load, receiver, checked: 0, lines: 0 });
  }

  async collect() {
    const accepted = this.load.accepted.slice(this.checked);
    this.checked = this.load.accepted.length;
    const ids = [...new Set(accepted.map((each) => each.id))];
    const plans = new Map(accepted.map((each) => [each.id, each.plan]));
    const worker = await workerLines(this.fleet.historyFile);
    const fresh = worker.slice(this.lines);
    this.lines = worker.length;
    return {
      accepted,
      executions: await rowsOf(this.fleet, [...new Set(this.load.accepted.map((each) => each.id))]),
      events: await eventsOf(this.fleet, ids, plans),
      worker: fresh,
      ledger: await ledgerOf(this.fleet.ledger),
      deliveries: this.receiver.deliveries.map(deliveryOf),
      sightings: this.load.sightings,
      withoutWakeup: await this.fleet.query('select id from executions_without_wakeup'),
    };
  }
}
