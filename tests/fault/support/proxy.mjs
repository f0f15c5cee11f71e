// A TCP proxy with faults: cut connections, black holes (half-open connections), delays. What it is told concerns the
// connections that are open, not those that follow.
import { once } from 'node:events';
import net from 'node:net';

export class Proxy {
  static async start(target) {
    const proxy = new Proxy();
    proxy.target = target; // () => {host, port} | {path}, asked for each connection
    proxy.links = new Set();
    proxy.server = net.createServer({ noDelay: true, allowHalfOpen: false }, (near) => proxy.#accept(near));
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    proxy.address = `127.0.0.1:${proxy.server.address().port}`;
    proxy.port = proxy.server.address().port;
    return proxy;
  }

  #accept(near) {
    const far = net.connect({ ...this.target(), noDelay: true });
    const link = { near, far, delayMs: 0, holes: false };
    this.links.add(link);
    const end = () => {
      if (link.holes) return; // each side keeps believing in the other
      this.links.delete(link);
      near.destroy();
      far.destroy();
    };
    for (const [from, to] of [[near, far], [far, near]]) {
      from.on('error', end);
      from.on('close', end);
      from.on('data', (chunk) => this.#pass(link, to, chunk));
    }
  }

  #pass(link, to, chunk) {
    if (link.holes) return;
    if (link.delayMs > 0) setTimeout(() => !link.holes && !to.destroyed && to.write(chunk), link.delayMs);
    else if (!to.destroyed) to.write(chunk);
  }

  // Both ends get a reset.
  reset(links = [...this.links]) {
    for (const { near, far } of links) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  // Bytes vanish in both directions while the connection stands; `heal` ends it with a reset.
  blackhole() {
    const links = [...this.links];
    for (const link of links) link.holes = true;
    return () => {
      for (const link of links) {
        link.holes = false;
        this.links.delete(link);
      }
      this.reset(links);
    };
  }

  // Bytes come late; `heal` resets what is still open, since a link that got faster again would mix them up.
  delay(ms) {
    const links = [...this.links];
    for (const link of links) link.delayMs = ms;
    return () => this.reset(links.filter((link) => this.links.has(link)));
  }

  async stop() {
    this.reset();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
