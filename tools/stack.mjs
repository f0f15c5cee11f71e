// stack: starts `callsheet up` for the demo and for tests, and the small peers that a plan needs — a webhook receiver and a
// file server. Everything listens on a free loopback port; everything waits on events.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
export const bin = path.resolve(root, process.env.CALLSHEET_BIN ?? 'build/release/bin');

export async function temporaryDirectory(prefix = 'callsheet-') {
  return mkdtemp(path.join(tmpdir(), prefix));
}

// A running stack. `logs` collects what the processes wrote (the last 2,000 lines).
export class Stack {
  static async start({ args = [], env = {}, dataDir, onLog } = {}) {
    const stack = new Stack();
    stack.ownsData = !dataDir;
    stack.dataDir = dataDir ?? (await temporaryDirectory());
    stack.logs = [];
    stack.child = spawn(
      path.join(bin, 'callsheet'),
      ['up', '--data-dir', stack.dataDir, '--listen', '127.0.0.1:0', '--allow-private-targets', ...args],
      { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    stack.exited = once(stack.child, 'exit');
    createInterface({ input: stack.child.stderr }).on('line', (line) => {
      stack.logs.push(line);
      if (stack.logs.length > 2000) stack.logs.shift();
      onLog?.(line);
    });
    const lines = createInterface({ input: stack.child.stdout });
    stack.url = await Promise.race([
      new Promise((resolve) => {
        lines.on('line', (line) => line.startsWith('ready ') && resolve(line.slice('ready '.length)));
      }),
      stack.exited.then(([code]) => {
        throw new Error(`callsheet up ended with ${code} before it was ready:\n${stack.logs.slice(-20).join('\n')}`);
      }),
    ]);
    return stack;
  }

  // [{name, pid, address}] of the supervised processes, as they are now.
  async processes() {
    const listed = JSON.parse(await readFile(path.join(this.dataDir, 'processes.json'), 'utf8'));
    return listed.processes ?? listed;
  }

  async process(name) {
    const found = (await this.processes()).find((entry) => entry.name === name);
    if (!found) throw new Error(`no process named ${name}`);
    return found;
  }

  async kill(name, signal = 'SIGKILL') {
    const { pid } = await this.process(name);
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
    return pid;
  }

  async serviceToken() {
    return (await readFile(path.join(this.dataDir, 'service-token'), 'utf8')).trim();
  }

  // SIGTERM, then the exit code. The data directory goes away when it was ours.
  async stop(signal = 'SIGTERM') {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    const [code] = await this.exited;
    if (this.ownsData) await rm(this.dataDir, { recursive: true, force: true });
    return code;
  }
}

// Receives webhooks. `answer(delivery)` gives the status (default 200); `deliveries` has all, `next()` waits for one more.
export class WebhookReceiver {
  static async start({ answer = () => 200 } = {}) {
    const receiver = new WebhookReceiver();
    receiver.deliveries = [];
    receiver.waiting = [];
    receiver.server = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const delivery = { headers: request.headers, body: Buffer.concat(chunks), path: request.url };
      receiver.deliveries.push(delivery);
      response.statusCode = answer(delivery);
      response.end();
      receiver.waiting.shift()?.(delivery);
    });
    receiver.url = `http://${await listen(receiver.server)}/hook`;
    return receiver;
  }

  next() {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

// Serves given files as /0, /1 … `url(n)`.
export class FileServer {
  static async start(files) {
    const served = new FileServer();
    served.server = createServer(async (request, response) => {
      const file = files[Number(new URL(request.url, 'http://x').pathname.slice(1))];
      if (!file) return response.writeHead(404).end();
      response.writeHead(200, { 'content-length': (await stat(file)).size, 'content-type': 'application/octet-stream' });
      createReadStream(file).pipe(response);
    });
    served.base = `http://${await listen(served.server)}`;
    return served;
  }

  url(index) {
    return `${this.base}/${index}`;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${server.address().port}`;
}

// The API, as a client without an SDK sees it.
export class Api {
  constructor(url, key) {
    this.url = url;
    this.headers = key ? { authorization: `Bearer ${key}` } : {};
  }

  async request(method, where, body, headers = {}) {
    const response = await fetch(new URL(where, this.url), {
      method,
      headers: { ...this.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    });
    const text = await response.text();
    let json;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: response.status, headers: response.headers, text, json };
  }

  get(where, headers) {
    return this.request('GET', where, undefined, headers);
  }

  post(where, body, headers) {
    return this.request('POST', where, body, headers);
  }

  // Server-sent events of one execution, until the stream ends or breaks.
  async *events(id) {
    const response = await fetch(new URL(`/v1/executions/${id}/events`, this.url), { headers: this.headers });
    if (response.status !== 200) throw new Error(`events: ${response.status} ${await response.text()}`);
    let rest = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      rest += chunk;
      const blocks = rest.split('\n\n');
      rest = blocks.pop();
      for (const block of blocks) {
        const fields = Object.fromEntries(
          block.split('\n').filter((line) => line && !line.startsWith(':')).map((line) => {
            const colon = line.indexOf(':');
            return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
          }),
        );
        if (fields.data) yield { event: fields.event ?? 'message', id: fields.id, data: JSON.parse(fields.data) };
      }
    }
  }

  // Waits on the event stream for the terminal state; a stream that breaks is opened again.
  async finished(id) {
    for (;;) {
      try {
        for await (const event of this.events(id)) {
          if (['completed', 'failed', 'cancelled'].includes(event.data.status)) return (await this.get(`/v1/executions/${id}`)).json;
        }
      } catch (error) {
        // The gateway may be restarting: the socket stays with the supervisor, so the next connection waits in its queue.
        if (!/fetch failed|terminated|ECONN|socket|events: 50[0-9]/i.test(`${error.message} ${error.cause?.message ?? ''}`)) throw error;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
}
