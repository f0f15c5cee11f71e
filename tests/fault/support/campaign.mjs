// A campaign: faults from a seed while plans are in flight, and the checker after each round.
import { setTimeout as pause } from 'node:timers/promises';
import { WebhookReceiver } from '../../../tools/stack.mjs';
import { violations } from './checker.mjs';
import { drawFault, inflict } from './faults.mjs';
import { Fleet } from './fleet.mjs';
import { History } from './history.mjs';
import { Load, MIXES } from './load.mjs';
import { Random } from './random.mjs';

const RESUME_MS = 45000; // after a fault, until a new plan has been through
const SETTLE_MS = 120000;

const within = (promise, ms) => Promise.race([promise.then(() => true), pause(ms, false, { ref: false })]);

class Campaign {
  constructor(options) {
    this.options = { kills: 1000, faults: Infinity, timeMs: Infinity, round: 40, fleet: 'scripted', log: () => {}, ...options };
    this.random = new Random(this.options.seed);
    this.report = { seed: this.options.seed, kills: 0, faults: {}, targets: {}, reached: 0, executions: 0, completed: 0, violations: [], slowestMs: 0, ms: 0 };
    this.began = Date.now();
  }

  #found(list) {
    for (const violation of list) {
      this.report.violations.push(violation);
      this.options.log(`VIOLATION ${violation.kind}: ${violation.what}`);
    }
  }

  get done() {
    const count = Object.values(this.report.faults).reduce((sum, each) => sum + each, 0);
    return this.report.kills >= this.options.kills || count >= this.options.faults || Date.now() - this.began >= this.options.timeMs ||
      this.report.violations.length > 0 || this.options.signal?.aborted;
  }

  async #fault() {
    const fault = drawFault(this.random, this.options.fleet);
    const { report } = this;
    const label = `${fault.kind} ${fault.target}${fault.point ? `.${fault.point}:${fault.times}` : ''}`;
    this.options.log(`${Date.now() - this.began} ms, ${report.kills} kills: ${JSON.stringify(fault)}`);
    const killed = await inflict(this.fleet, fault).catch((error) => {
      // The database may be away when a fault needs it; anything else is a mistake of ours.
      if (!/psql|Command failed|ESRCH/.test(error.message)) throw error;
      return 0;
    });
    report.kills += killed;
    report.reached += fault.reached ? 1 : 0;
    report.faults[fault.kind] = (report.faults[fault.kind] ?? 0) + 1;
    report.targets[fault.target] = (report.targets[fault.target] ?? 0) + killed;
    const healed = Date.now();
    if (!(await within(this.load.probe(), RESUME_MS))) this.#found([{ kind: 'stalled', what: `nothing went through for ${RESUME_MS} ms after ${label}` }]);
    report.slowestMs = Math.max(report.slowestMs, Date.now() - healed);
    if (Date.now() - healed > 5000) this.options.log(`slow: ${Date.now() - healed} ms after ${label}`);
    await pause(this.random.whole(0, 120));
  }

  async #check() {
    if (!(await this.load.settle(SETTLE_MS))) this.#found([...this.load.open.keys()].map((id) => ({ kind: 'not_terminal', what: `${id} did not end in ${SETTLE_MS} ms` })));
    await within(this.#closed(), SETTLE_MS);
    const history = await this.history.collect();
    this.#found(violations(history));
    this.report.completed = history.executions.filter((row) => row.state === 'completed').length;
    this.#found(this.load.unexpected.splice(0));
    this.report.executions = this.load.accepted.length;
    this.options.log(`checked ${this.load.accepted.length} executions, ${this.report.kills} kills, ${Math.round((Date.now() - this.began) / 1000)} s`);
  }

  // Webhooks, too, have come to their end.
  async #closed() {
    for (;;) {
      const [{ count }] = await this.fleet.query('select count(*) from executions where open').catch(() => [{ count: -1 }]);
      if (count === 0) return;
      await pause(100);
    }
  }

  async run() {
    const { options, report } = this;
    this.receiver = await WebhookReceiver.start();
    try {
      this.fleet = await Fleet.start({ kind: options.fleet, unnamed: this.random.chance(0.5) });
      options.log(`processes write to ${this.fleet.directory}`);
      this.load = new Load(this.fleet, new Random(options.seed + 1), this.receiver, MIXES[options.fleet]);
      this.history = new History(this.fleet, this.load, this.receiver);
      this.load.start();
      await this.load.probe();
      this.#found(this.load.unexpected.splice(0)); // what is refused without a fault
      while (!this.done) {
        for (let n = 0; n < options.round && !this.done; n++) await this.#fault();
        await this.#check();
        if (!this.done) this.load.resume();
      }
    } finally {
      await this.load?.stop();
      report.ms = Date.now() - this.began;
      await this.fleet?.stop({ keep: options.keep || report.violations.length > 0 });
      await this.receiver.stop();
    }
    return report;
  }
}

// {seed, fleet: "scripted" or "real", kills, faults, timeMs, round, keep, log, signal} -> {seed, kills, faults by kind, targets, executions, violations, ms}
export function campaign(options) {
  return new Campaign(options).run();
}
