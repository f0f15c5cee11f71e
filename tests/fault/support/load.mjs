// The customers of the fault loop: keep so many plans in flight, repeat what was not answered under the same idempotency
// key, look at what they were told.
import { setTimeout as pause } from 'node:timers/promises';
import { planOf } from './plans.mjs';

const CALL_MS = 20000;

// What the customers of a fleet send: [kind, share, at once]; the first is for the rest. probe: what shows that work goes on.
export const MIXES = {
  scripted: { kinds: [['graph', 1, Infinity], ['paid', 0.02, 2]], probe: 'probe', inFlight: 60, customers: 6 },
  real: { kinds: [['image', 1, Infinity], ['rendered', 0.3, 1]], probe: 'image', inFlight: 3, customers: 2 },
};
const TERMINAL = new Set(['completed', 'failed', 'cancelled']);

export class Load {
  constructor(fleet, random, receiver, mix) {
    Object.assign(this, { fleet, random, receiver, mix });
    this.accepted = []; // {key, id, plan, at}
    this.open = new Map(); // id -> {plan, ended()}
    this.sightings = [];
    this.unexpected = []; // answers that no fault excuses
    this.numbers = 0;
    this.running = true;
  }

  #body(plan) {
    const options = plan.webhook ? { webhookUrl: this.receiver.url, webhookSecret: 'whsec_loop' } : {};
    const jobs = plan.jobs.map(({ dependsOn, ...job }) => (dependsOn.length ? { ...job, dependsOn } : job));
    return JSON.stringify({ executionPlan: { jobs }, options });
  }

  async #call(method, where, body, headers) {
    const response = await fetch(new URL(where, this.fleet.url), { method, body, headers, signal: AbortSignal.timeout(CALL_MS) });
    const text = await response.text();
    return { status: response.status, text };
  }

  // Until it is accepted: {id, ended}. A submission that may have been is repeated under its key.
  async submit(plan, { always = false } = {}) {
    const key = `key-${++this.numbers}`;
    const headers = { 'content-type': 'application/json', 'idempotency-key': key };
    const body = this.#body(plan);
    while (this.running || always) {
      const answer = await this.#call('POST', '/api/execute', body, headers).catch((error) => ({ status: 0, text: error.message }));
      if (answer.status === 202) {
        const { id } = JSON.parse(answer.text);
        this.accepted.push({ key, id, plan });
        return { id, ended: new Promise((ended) => this.open.set(id, { plan, ended })) };
      }
      if (answer.status !== 0 && answer.status < 500 && answer.status !== 429) {
        this.unexpected.push({ kind: 'refused', what: `${key}: ${answer.status} ${answer.text}` });
        return null;
      }
      await pause(20);
    }
    return null;
  }

  // An execution that was submitted now has ended.
  async probe() {
    await (await this.submit(planOf(this.mix.probe, this.random), { always: true }))?.ended;
  }

  #kind() {
    const [[rest], ...others] = this.mix.kinds;
    for (const [kind, share, atOnce] of others) {
      const busy = [...this.open.values()].filter((each) => each.plan.kind === kind).length;
      if (busy < atOnce && this.random.chance(share)) return kind;
    }
    return rest;
  }

  async #customer() {
    while (this.running) {
      if (this.open.size >= this.mix.inFlight) {
        await pause(20);
        continue;
      }
      await this.submit(planOf(this.#kind(), this.random));
    }
  }

  // Learns from the rows what has ended. Asking the gateway for each would be the load.
  async #watch() {
    while (this.watching) {
      await pause(100);
      if (this.open.size === 0) continue;
      const list = [...this.open.keys()].map((id) => `'${id}'`).join(',');
      const rows = await this.fleet
        .query(`select e.id, s.name as state, e.completed_at_ms from executions e join execution_states s using (state) where e.id in (${list}) and s.terminal`)
        .catch(() => []);
      for (const row of rows) {
        const open = this.open.get(row.id);
        this.open.delete(row.id);
        this.sightings.push({ execution: row.id, status: row.state, completedAt: row.completed_at_ms });
        open.ended();
        if (this.random.chance(0.05)) this.#look(row.id);
      }
    }
  }

  // What a customer is shown once it has ended must be the same end.
  async #look(id) {
    const answer = await this.#call('GET', `/v1/executions/${id}`).catch(() => ({ status: 0 }));
    if (answer.status !== 200) return;
    const { status, completedAt } = JSON.parse(answer.text);
    if (TERMINAL.has(status)) this.sightings.push({ execution: id, status, completedAt: Date.parse(completedAt) });
    else this.unexpected.push({ kind: 'terminal_changed', what: `${id} had ended and was shown as ${status}` });
  }

  start() {
    this.watching = true;
    this.watcher = this.#watch();
    this.customers = Array.from({ length: this.mix.customers }, () => this.#customer());
  }

  // No more submissions; true when everything has ended in time.
  async settle(timeoutMs) {
    this.running = false;
    const until = Date.now() + timeoutMs;
    await Promise.all(this.customers);
    while (this.open.size > 0 && Date.now() < until) await pause(50);
    return this.open.size === 0;
  }

  resume() {
    this.running = true;
    this.customers = this.customers.map(() => this.#customer());
  }

  async stop() {
    this.running = false;
    this.watching = false;
    await Promise.all([this.watcher, ...this.customers]);
  }
}
