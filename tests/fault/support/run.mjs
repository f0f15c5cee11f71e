// The program behind tools/run-faults: most kills with scripted workers, a tenth with media that really renders.
import { parseArgs } from 'node:util';
import { campaign } from './campaign.mjs';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    fleet: { type: 'string', multiple: true, default: ['scripted', 'real'] },
    keep: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
  },
});
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
const shares = { scripted: 0.9, real: 0.1 };
const whole = values.fleet.reduce((sum, fleet) => sum + shares[fleet], 0);
let broken = false;
const stop = new AbortController(); // the first signal ends it in order: processes, proxies, mounts
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());
console.log(`seed ${seed}`);
for (const fleet of values.fleet) {
  if (stop.signal.aborted) break;
  const kills = Math.ceil((Number(values.kills) * shares[fleet]) / whole);
  const log = values.quiet ? () => {} : (line) => console.log(line);
  const report = await campaign({ seed, fleet, kills, keep: values.keep, log, signal: stop.signal });
  console.log(JSON.stringify(report, null, 2));
  broken ||= report.violations.length > 0;
}
process.exit(broken ? 1 : 0);
