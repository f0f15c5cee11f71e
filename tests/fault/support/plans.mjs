// Random plans for the fault loop.

// A job of a scripted worker (worker/worker.c): the text is its script. Its input is its last parent's output.
function scripted(id, dependsOn, script) {
  const input = dependsOn.at(-1) ?? 'http://127.0.0.1:1/never-fetched.mp4';
  return { id, operation: 'addSubtitles', params: { input, text: script }, dependsOn, retry: { baseMs: 20, capMs: 100 } };
}

function anyScripted(random, id, dependsOn) {
  const delay = random.chance(0.15) ? random.whole(300, 1500) : random.whole(0, 40);
  const luck = random.next();
  return scripted(id, dependsOn, luck < 0.04 ? `${delay} fail` : luck < 0.12 ? `${delay} retry 1` : `${delay}`);
}

// A graph of 1 … 8 jobs; edges go from lower to higher numbers.
function graph(random) {
  const jobs = [];
  const count = random.whole(1, 8);
  for (let n = 0; n < count; n++) {
    const parents = jobs.filter(() => random.chance(0.35)).map((job) => job.id);
    jobs.push(anyScripted(random, `j${n}`, parents));
  }
  return jobs;
}

// A clip that is paid for, and a scripted job after it.
function paid(random) {
  return [generated(random, 'generateImage', {}), anyScripted(random, 'j1', [])].map((job, index) => (index === 0 ? job : { ...job, dependsOn: ['paid'] }));
}

function generated(random, operation, params) {
  return { id: 'paid', operation, params: { provider: 'local', prompt: `number ${random.whole(0, 1999)}`, ...params }, dependsOn: [] };
}

function rendered(random) {
  const clip = generated(random, 'generateVideo', { duration: 0.5, resolution: '480p', aspectRatio: '16:9' });
  return [clip, { id: 'reframed', operation: 'reframe', params: { input: 'paid', aspectRatio: '1:1' }, dependsOn: ['paid'] }];
}

const make = {
  graph,
  paid,
  rendered,
  image: (random) => [generated(random, 'generateImage', {})],
  probe: () => [scripted('j0', [], '0')],
};

// kind: a row of the table.
export function planOf(kind, random) {
  return { kind, jobs: make[kind](random), webhook: kind !== 'probe' && random.chance(0.3) };
}
