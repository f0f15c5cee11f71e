// The processes of the fault loop: the real services with two orchestrators, two scripted workers and a PostgreSQL of
// their own, started here and not by `callsheet up` so that proxies stand between them and each start can be armed with a
// crash point. Whatever ends is started again at once at the same address, unless it is held.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, createWriteStream, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { readFile, rm, statfs, unlink, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { bin, temporaryDirectory } from '../../../tools/stack.mjs';
import { Proxy } from './proxy.mjs';

const run = promisify(execFile);

async function freePort() {
  for (;;) {
    const port = 10000 + Math.floor(Math.random() * 20000); // below the range of outgoing connections
    const server = net.createServer();
    const free = await new Promise((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    server.close();
    if (free) return port;
  }
}

// One program that is kept running.
class Member {
  constructor(fleet, name, launch) {
    Object.assign(this, { fleet, name, launch, child: null, held: false, starts: 0, startedAt: 0, armed: '' });
    this.log = createWriteStream(path.join(fleet.directory, `${name}.log`), { flags: 'a' });
  }

  // Resolves when it says that it serves, or has ended. One that is silent counts at once.
  start() {
    const { program, args, env = {}, user, silent = false } = this.launch();
    const identity = user ? ['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups'] : [];
    const environment = { PATH: process.env.PATH, ...env };
    if (this.armed) environment.CALLSHEET_CRASH_AT = this.armed;
    this.armed = '';
    this.log.write(`---- start ${++this.starts} ${environment.CALLSHEET_CRASH_AT ?? ''}\n`);
    const child = spawn('/usr/bin/setpriv', [...identity, '--pdeathsig', 'KILL', program, ...args], {
      env: environment,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.child = child;
    this.startedAt = Date.now();
    child.stdout.pipe(this.log, { end: false });
    child.stderr.pipe(this.log, { end: false });
    this.exited = once(child, 'exit').then(() => this.#ended(child));
    const said = silent ? Promise.resolve(true) : new Promise((resolve) => createInterface({ input: child.stdio[3] }).once('line', () => resolve(true)));
    this.serving = Promise.race([said, this.exited.then(() => false)]);
    return this.serving;
  }

  async #ended(child) {
    if (this.child !== child) return;
    this.child = null;
    if (Date.now() - this.startedAt < 200) await pause(50); // a start that fails at once is not repeated in a spin
    if (!this.held && !this.fleet.stopping && this.child === null) this.start();
  }

  signal(number) {
    return this.child?.kill(number) ?? false;
  }

  // kill -9; resolves when it is gone. With hold it stays down until release().
  async kill({ hold = false, signal = 'SIGKILL' } = {}) {
    this.held = hold;
    const { child, exited } = this;
    if (!child) return false;
    child.kill(signal);
    await Promise.race([exited, once(child, 'exit')]);
    return true;
  }

  async release() {
    this.held = false;
    if (!this.child && !this.fleet.stopping) await this.start();
  }
}

export class Fleet {
  // kind: "scripted" has two scripted workers in place of media, "real" has media. unnamed: the second orchestrator has no
  // fixed name.
  static async start({ kind = 'scripted', unnamed = false } = {}) {
    const fleet = new Fleet();
    fleet.directory = await temporaryDirectory('callsheet-fault-');
    await run('chmod', ['755', fleet.directory]);
    fleet.members = new Map();
    fleet.proxies = new Map();
    fleet.stopping = false;
    fleet.env = {
      CALLSHEET_SERVICE_TOKEN: 'a service token of the fault loop',
      CALLSHEET_LINK_SECRET: 'a link secret of the fault loop',
      CALLSHEET_LOG_LEVEL: 'info',
    };
    await fleet.#mount('postgres', 512);
    await fleet.#mount('storage', 512); // artifacts of a whole campaign
    await fleet.#postgres();
    await fleet.#workers(kind);
    await fleet.#orchestrators(unnamed);
    await fleet.#gateway();
    return fleet;
  }

  // A file system of its own, so that it can be full. Without the right to mount it is a directory.
  async #mount(name, sizeMiB) {
    const directory = path.join(this.directory, name);
    mkdirSync(directory);
    this.mounted ??= [];
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'tmpfs', directory]);
      this.mounted.push(name);
    } catch (error) {
      console.log(`# this machine forbids mounts: no full disk for ${name} (${String(error.stderr ?? error.message).trim()})`);
    }
  }

  canFill(name) {
    return this.mounted.includes(name);
  }

  // Leaves nothing free; the returned function makes room again.
  async fill(name) {
    const ballast = path.join(this.directory, name, 'ballast');
    const { bavail, bsize } = await statfs(path.dirname(ballast));
    await run('fallocate', ['-l', String(bavail * bsize), ballast]).catch(() => {}); // somebody was faster: it is full
    return () => unlink(ballast).catch(() => {});
  }

  add(name, launch) {
    const member = new Member(this, name, launch);
    this.members.set(name, member);
    return member;
  }

  member(name) {
    return this.members.get(name);
  }

  // ---- PostgreSQL ----

  async #postgres() {
    const versions = readdirSync('/usr/lib/postgresql').sort((a, b) => a - b);
    const programs = path.join('/usr/lib/postgresql', versions.at(-1), 'bin');
    const data = path.join(this.directory, 'postgres', 'data');
    let user;
    if (process.getuid() === 0) {
      const [, , uid, gid] = (await readFile('/etc/passwd', 'utf8')).split('\n').find((line) => line.startsWith('postgres:')).split(':');
      user = { uid: Number(uid), gid: Number(gid) };
    }
    mkdirSync(data, { mode: 0o700 });
    if (user) chownSync(data, user.uid, user.gid);
    const as = user ? ['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups'] : [];
    await run('setpriv', [...as, path.join(programs, 'initdb'), '-D', data, '--username=callsheet', '--auth=trust', '--encoding=UTF8', '--no-locale', '--no-sync']);
    const port = await freePort();
    this.psqlProgram = path.join(programs, 'psql');
    this.postgresPort = port;
    const settings = {
      listen_addresses: '127.0.0.1', port, unix_socket_directories: '', max_connections: 100, shared_buffers: '32MB',
      fsync: 'on', synchronous_commit: 'on', track_commit_timestamp: 'on', max_wal_senders: 0, wal_level: 'minimal',
      max_wal_size: '96MB', min_wal_size: '32MB', jit: 'off', log_min_messages: 'warning', restart_after_crash: 'on',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const postgres = this.add('postgres', () => ({ program: path.join(programs, 'postgres'), args: ['-D', data, ...args], user, silent: true }));
    postgres.start();
    await this.postgresReady();
    await this.#psql('postgres', 'create database callsheet');
  }

  async #psql(database, sql) {
    const url = `postgresql://callsheet@127.0.0.1:${this.postgresPort}/${database}?connect_timeout=3`;
    const running = run(this.psqlProgram, ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', url, '-f', '-'], { maxBuffer: 2 ** 30, timeout: 60000 });
    running.child.stdin.on('error', () => {}); // it ended before it read everything: its exit says why
    running.child.stdin.end(sql); // not an argument: thousands of ids are too long for one
    return (await running).stdout;
  }

  // Rows as objects.
  async query(sql) {
    const text = await this.#psql('callsheet', `select row_to_json(it) from (${sql}) it`);
    return text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }

  execute(sql) {
    return this.#psql('callsheet', sql);
  }

  async postgresReady() {
    for (;;) {
      if (await this.#psql('postgres', 'select 1').then(() => true, () => false)) return;
      await pause(20);
    }
  }

  // ---- services ----

  #start(name, launch) {
    return this.add(name, launch).start().then((ready) => {
      if (!ready) throw new Error(`${name} did not start: see ${path.join(this.directory, `${name}.log`)}`);
    });
  }

  async #proxy(name, port) {
    const proxy = await Proxy.start(() => ({ host: '127.0.0.1', port }));
    this.proxies.set(name, proxy);
    return proxy;
  }

  async #worker(name, program, args) {
    const port = await freePort();
    await this.#proxy(name, port);
    const launch = () => ({ program, args: ['--listen', `127.0.0.1:${port}`, '--ready-fd', '3', ...args], env: this.env });
    await this.#start(name, launch);
  }

  async #workers(kind) {
    const storage = path.join(this.directory, 'storage');
    this.historyFile = path.join(this.directory, 'history');
    await writeFile(this.historyFile, '');
    const scripted = path.resolve(bin, '../tests/callsheet-fault-worker');
    if (!existsSync(scripted)) throw new Error(`${scripted} is missing: build the target "tests"`);
    const scratch = (name) => {
      mkdirSync(path.join(this.directory, name), { recursive: true });
      return path.join(this.directory, name);
    };
    for (const name of kind === 'scripted' ? ['worker-1', 'worker-2'] : []) await this.#worker(name, scripted, ['--history', this.historyFile, '--slots', '48']);
    await this.#worker('webhooks', path.join(bin, 'callsheet-webhooks'), ['--allow-private-targets']);
    this.ledger = scratch('ledger');
    await this.#worker('providers', path.join(bin, 'callsheet-providers'), [
      '--storage', storage, '--scratch-dir', scratch('scratch-providers'), '--local-ledger', this.ledger, '--allow-private-targets', '--local-slots', '1']);
    if (kind === 'real') await this.#worker('media', path.join(bin, 'callsheet-media'), ['--storage', storage, '--scratch-dir', scratch('scratch-media'), '--slots', '1']);
  }

  async #orchestrators(unnamed) {
    this.orchestratorAddresses = [];
    for (const name of ['orchestrator-1', 'orchestrator-2']) {
      const port = await freePort();
      const database = await this.#proxy(`${name}-database`, this.postgresPort);
      const workers = [...this.proxies].filter(([of]) => !of.endsWith('-database')).map(([, proxy]) => proxy.address);
      const replica = unnamed && name === 'orchestrator-2' ? [] : ['--replica', name];
      const env = { ...this.env, DATABASE_URL: `postgresql://callsheet@127.0.0.1:${database.port}/callsheet` };
      this.orchestratorAddresses.push(`127.0.0.1:${port}`);
      await this.#start(name, () => ({
        program: path.join(bin, 'callsheet-orchestrator'),
        args: ['--listen', `127.0.0.1:${port}`, '--ready-fd', '3', '--workers', workers.join(','), ...replica],
        env,
      }));
    }
  }

  async #gateway() {
    const port = await freePort();
    this.url = `http://127.0.0.1:${port}`;
    await this.#start('gateway', () => ({
      program: path.join(bin, 'callsheet-gateway'),
      args: ['--listen', `127.0.0.1:${port}`, '--ready-fd', '3', '--orchestrator', this.orchestratorAddresses.join(','), '--storage', path.join(this.directory, 'storage')],
      env: this.env,
    }));
  }

  // The media runners that a service has started.
  async runnersOf(name) {
    const { stdout } = await run('pgrep', ['-P', String(this.member(name).child?.pid ?? 0), '-f', 'callsheet-media-runner']).catch(() => ({ stdout: '' }));
    return stdout.split('\n').filter(Boolean).map(Number);
  }

  // ---- the end ----

  async stop({ keep = false } = {}) {
    this.stopping = true;
    for (const member of [...this.members.values()].reverse()) {
      member.signal('SIGCONT');
      await member.kill({ hold: true, signal: member.name === 'postgres' ? 'SIGQUIT' : 'SIGKILL' });
      member.log.end();
    }
    for (const proxy of this.proxies.values()) await proxy.stop();
    for (const name of this.mounted) await run('umount', ['-l', path.join(this.directory, name)]).catch(() => {});
    if (!keep) await rm(this.directory, { recursive: true, force: true });
  }
}
