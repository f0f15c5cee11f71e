// The faults of the loop. A fault is drawn whole from the seed before it happens, so that a seed gives the same sequence
// whatever the timing; `inflict` then does it and makes it good again.
//
//     {kind, target, …}            kind is one of the rows below; target the name of a member or a proxy
import { setTimeout as pause } from 'node:timers/promises';

const ORCHESTRATORS = ['orchestrator-1', 'orchestrator-2'];

// Who renders, by the kind of fleet.
const RENDERERS = { scripted: ['worker-1', 'worker-2'], real: ['media'] };

const POINTS = {
  orchestrator: ['before_commit', 'after_commit', 'before_answer', 'after_assign', 'before_saved', 'after_join', 'while_returning', 'after_fence', 'after_claim'],
  providers: ['before_submit', 'after_submit', 'before_upload', 'before_result'],
  media: ['before_upload', 'before_result'],
  webhooks: ['before_send', 'before_result'],
};
// Points that are reached only while it starts, or when the other one is dead.
const AT_START = ['after_join', 'while_returning'];
const AT_TAKEOVER = ['after_fence', 'after_claim'];

const POINT_MS = 4000; // how long a member may take to come to its point
const FULL_MS = [300, 1500];
const TAKEOVER_MS = [2700, 4000]; // longer than a lease

// ---- what each does ----

async function kill(fleet, fault) {
  const member = fleet.member(fault.target);
  await member.kill({ hold: fault.downMs > 0, signal: fault.signal });
  if (fault.downMs > 0) {
    await pause(fault.downMs);
    await member.release();
  }
  return 1;
}

async function stop(fleet, fault) {
  const { child } = fleet.member(fault.target);
  if (!child) return 0;
  child.kill('SIGSTOP');
  await pause(fault.forMs);
  child.kill('SIGCONT');
  return 0;
}

// One session of the database stands still, with whatever it has locked.
async function stopSession(fleet, fault) {
  const [session] = await fleet.query(`select pid from pg_stat_activity where datname = 'callsheet' and pid <> pg_backend_pid() order by state = 'active' desc, random() limit 1`);
  if (!session) return 0;
  process.kill(session.pid, 'SIGSTOP');
  await pause(fault.forMs);
  try {
    process.kill(session.pid, 'SIGCONT');
  } catch {
    // ended meanwhile
  }
  return 0;
}

// Starts it again armed, and waits until it has died (or stopped) there. What does not come there in time goes on armed.
async function crash(fleet, fault) {
  const member = fleet.member(fault.target);
  const point = `${fault.target.replace(/-\d$/, '')}.${fault.point}`;
  member.armed = `${point}:${fault.times}`;
  await member.kill();
  let kills = 1;
  const armed = member.exited;
  const other = ORCHESTRATORS.find((name) => name !== fault.target);
  if (AT_TAKEOVER.includes(fault.point)) {
    await Promise.race([member.serving, pause(POINT_MS)]);
    await fleet.member(other).kill({ hold: true });
    kills++;
  }
  const died = await Promise.race([armed.then(() => true), pause(AT_START.includes(fault.point) ? 2 * POINT_MS : POINT_MS, false)]);
  if (AT_TAKEOVER.includes(fault.point)) await fleet.member(other).release();
  fault.reached = died;
  return kills + died;
}

// Stops at a point instead of dying there, and goes on when others have taken over.
async function freeze(fleet, fault) {
  const member = fleet.member(fault.target);
  member.armed = `${fault.target.replace(/-\d$/, '')}.${fault.point}:${fault.times}:stop`;
  await member.kill();
  await Promise.race([member.serving, pause(POINT_MS)]);
  await pause(fault.forMs);
  member.signal('SIGCONT');
  return 1;
}

// The process that renders for a service: killed, or stopped for a while.
async function runner(fleet, fault) {
  const [pid] = await fleet.runnersOf(fault.target);
  if (!pid) return 0;
  process.kill(pid, fault.signal);
  if (fault.signal === 'SIGKILL') return 1;
  await pause(fault.forMs);
  process.kill(pid, 'SIGCONT');
  return 0;
}

const proxyOf = (fleet, fault) => fleet.proxies.get(fault.target);

async function reset(fleet, fault) {
  proxyOf(fleet, fault).reset();
  return 0;
}

async function blackhole(fleet, fault) {
  const heal = proxyOf(fleet, fault).blackhole();
  await pause(fault.forMs);
  heal();
  return 0;
}

async function delay(fleet, fault) {
  const heal = proxyOf(fleet, fault).delay(fault.byMs);
  await pause(fault.forMs);
  heal();
  return 0;
}

// The sessions of orchestrators, by the database's own means: ended, or what they run cancelled.
async function sessions(fleet, fault) {
  await fleet.execute(`select ${fault.how}(pid) from pg_stat_activity where datname = 'callsheet' and pid <> pg_backend_pid() and (${fault.all} or random() < 0.5)`);
  return 0;
}

// Commits fail with a serialization failure or a deadlock, for a while, most of the time.
async function refuse(fleet, fault) {
  const { table, code } = fault;
  await fleet.execute(`create or replace function fault_refuse() returns trigger language plpgsql as $$
    begin
      if random() < 0.7 then raise exception 'a fault' using errcode = '${code}'; end if;
      return null;
    end $$;
    drop trigger if exists fault_refuse on ${table};
    create trigger fault_refuse before insert on ${table} for each statement execute function fault_refuse()`);
  await pause(fault.forMs);
  await fleet.execute(`drop trigger if exists fault_refuse on ${table}`);
  return 0;
}

async function full(fleet, fault) {
  if (!fleet.canFill(fault.target)) return 0;
  const free = await fleet.fill(fault.target);
  await pause(fault.forMs);
  await free();
  return 0;
}

// ---- the table: how each is drawn ----

const anyMember = (random, fleet) => random.pick([...ORCHESTRATORS, ...ORCHESTRATORS, ...RENDERERS[fleet], 'providers', 'webhooks', 'gateway']);
const anyProxy = (random, fleet) => random.pick([...RENDERERS[fleet], 'providers', 'webhooks', ...ORCHESTRATORS.map((name) => `${name}-database`)]);
const armable = { scripted: ['orchestrator', 'orchestrator', 'orchestrator', 'providers', 'webhooks'], real: ['orchestrator', 'providers', 'media', 'media', 'webhooks'] };

const rows = [
  { kind: 'kill', weight: 50, act: kill, draw: (r, fleet) => ({ target: anyMember(r, fleet), signal: 'SIGKILL', downMs: r.chance(0.06) ? r.whole(...TAKEOVER_MS) : 0 }) },
  { kind: 'kill-postgres', weight: 5, act: kill, draw: (r) => ({ target: 'postgres', signal: r.pick(['SIGKILL', 'SIGQUIT', 'SIGINT']), downMs: r.chance(0.2) ? r.whole(100, 1500) : 0 }) },
  {
    kind: 'crash', weight: 22, act: crash,
    draw: (r, fleet) => {
      const service = r.pick(armable[fleet]);
      const point = r.pick(POINTS[service]);
      const times = [...AT_START, ...AT_TAKEOVER].includes(point) || r.chance(0.5) ? 1 : r.whole(2, 4);
      return { target: service === 'orchestrator' ? r.pick(ORCHESTRATORS) : service, point, times };
    },
  },
  { kind: 'freeze', weight: 2, act: freeze, draw: (r) => ({ target: r.pick(ORCHESTRATORS), point: r.pick(POINTS.orchestrator.slice(0, 5)), times: r.whole(1, 5), forMs: r.whole(...TAKEOVER_MS) }) },
  { kind: 'stop', weight: 8, act: stop, draw: (r, fleet) => ({ target: r.pick([anyMember(r, fleet), 'postgres']), forMs: r.chance(0.25) ? r.whole(...TAKEOVER_MS) : r.whole(50, 800) }) },
  { kind: 'stop-session', weight: 2, act: stopSession, draw: (r) => ({ target: 'postgres', forMs: r.whole(100, 3000) }) },
  { kind: 'reset', weight: 4, act: reset, draw: (r, fleet) => ({ target: anyProxy(r, fleet) }) },
  { kind: 'blackhole', weight: 2, act: blackhole, draw: (r, fleet) => ({ target: anyProxy(r, fleet), forMs: r.whole(200, 2500) }) },
  { kind: 'delay', weight: 2, act: delay, draw: (r, fleet) => ({ target: anyProxy(r, fleet), byMs: r.whole(20, 300), forMs: r.whole(200, 1500) }) },
  { kind: 'sessions', weight: 2, act: sessions, draw: (r) => ({ target: 'postgres', how: r.pick(['pg_terminate_backend', 'pg_cancel_backend']), all: r.chance(0.5) }) },
  { kind: 'refuse', weight: 2, act: refuse, draw: (r) => ({ target: 'postgres', table: r.pick(['events', 'executions']), code: r.pick(['40001', '40P01']), forMs: r.whole(100, 800) }) },
  { kind: 'runner', weight: 6, only: 'real', act: runner, draw: (r) => ({ target: r.pick(['media', 'providers']), signal: r.pick(['SIGKILL', 'SIGSTOP']), forMs: r.whole(100, 3000) }) },
  { kind: 'full', weight: 1.5, act: full, draw: (r) => ({ target: r.pick(['postgres', 'storage']), forMs: r.whole(...FULL_MS) }) },
];

export const kinds = rows.map((row) => row.kind);

export function drawFault(random, fleet) {
  const row = random.weighted(rows.filter((each) => each.only === undefined || each.only === fleet));
  return { kind: row.kind, ...row.draw(random, fleet) };
}

// Does it and makes it good; the number of processes that it killed.
export async function inflict(fleet, fault) {
  return rows.find((row) => row.kind === fault.kind).act(fleet, fault);
}
