import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Stack } from '../../tools/stack.mjs';
import { Api } from './support/api.mjs';
import { generate } from './support/plans.mjs';

let stack, api;

before(async () => {
  stack = await Stack.start();
  api = new Api(stack.url);
});

after(async () => {
  await stack?.stop();
});

const reframe = (id, input) => ({ id, operation: 'reframe', params: { input, aspectRatio: '1:1' }, dependsOn: [input] });
const v1 = (jobs, extra = {}, options = {}) => ({ executionPlan: { jobs, rootJobIds: [], ...extra }, options });
const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);

// name, body, path of the field (or a pattern), code (or a pattern)
const bad = [
  ['a cycle', v1([reframe('a', 'b'), reframe('b', 'a')]), /^executionPlan\.jobs\[[01]\]/, 'cycle'],
  ['a job that depends on itself', v1([{ ...generate('a'), dependsOn: ['a'] }]), 'executionPlan.jobs[0].dependsOn[0]', 'self_dependency'],
  ['an unknown dependency', v1([{ ...generate('a'), dependsOn: ['b'] }]), 'executionPlan.jobs[0].dependsOn[0]', 'unknown_dependency'],
  ['a duplicate id', v1([generate('a'), generate('a')]), 'executionPlan.jobs[1].id', 'duplicate_id'],
  ['jobs that are no array', v1('all of them'), 'executionPlan.jobs', /./],
  ['an id that is no string', v1([{ ...generate('a'), id: 7 }]), 'executionPlan.jobs[0].id', /./],
  ['an id with a slash', v1([generate('a/b')]), 'executionPlan.jobs[0].id', /./],
  ['an id that is too long', v1([generate('a'.repeat(129))]), 'executionPlan.jobs[0].id', /./],
  ['an unknown operation', v1([{ id: 'a', operation: 'teleport', params: {} }]), 'executionPlan.jobs[0].operation', 'unknown_operation'],
  ['no operation', v1([{ id: 'a', params: {} }]), /^executionPlan\.jobs\[0\]/, /./],
  ['no params', v1([{ id: 'a', operation: 'merge' }]), 'executionPlan.jobs[0].params', /./],
  ['an unknown parameter', v1([generate('a', { sparkles: true })]), 'executionPlan.jobs[0].params.sparkles', /./],
  ['a parameter of the wrong type', v1([generate('a', { prompt: 5 })]), 'executionPlan.jobs[0].params.prompt', /./],
  ['a parameter out of range', v1([generate('a', { seconds: 1e6 })]), 'executionPlan.jobs[0].params.duration', /./],
  ['a ratio that nobody knows', v1([generate('a'), { id: 'b', operation: 'reframe', params: { input: 'a', aspectRatio: '5:1' }, dependsOn: ['a'] }]), 'executionPlan.jobs[1].params.aspectRatio', /./],
  ['nesting that is too deep', `{"executionPlan":{"jobs":${nested(5000)}}}`, undefined, 'too_deep'],
  ['a body that is too big', JSON.stringify(v1([generate('a', { prompt: 'x'.repeat(5 << 20) })])), undefined, 'too_big'],
  ['bytes that are not UTF-8', Buffer.concat([Buffer.from('{"executionPlan":{"jobs":[{"id":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}]}}')]), undefined, /./],
  ['text that is not JSON', '{"executionPlan":', undefined, 'bad_json'],
  ['an empty body', '', undefined, /./],
  ['a list instead of a plan', '[]', undefined, /./],
  ['too many jobs', v1(Array.from({ length: 10_001 }, (_, n) => ({ id: `j${n}`, operation: 'merge', params: { inputs: [] } }))), 'executionPlan.jobs', /./],
  ['a root that is no job', v1([generate('a')], { rootJobIds: ['b'] }), 'executionPlan.rootJobIds[0]', /./],
  ['a webhook that is no URL', v1([generate('a')], {}, { webhookUrl: 'not a url' }), 'options.webhookUrl', /./],
  ['a webhook that is a file', v1([generate('a')], {}, { webhookUrl: 'file:///etc/passwd' }), 'options.webhookUrl', /./],
  ['a reference to sound where a picture is wanted', v1([{ id: 's', operation: 'generateAudio', params: { provider: 'local', text: 'hi' } }, { id: 'r', operation: 'reframe', params: { input: 's', aspectRatio: '1:1' }, dependsOn: ['s'] }]), /^executionPlan\.jobs\[1\]/, 'type_mismatch'],
  ['an operation of our own', v1([{ id: 'a', operation: 'deliverWebhook', params: { url: 'https://example.com' } }]), 'executionPlan.jobs[0].operation', /./],
];

const matches = (value, wanted) => (wanted instanceof RegExp ? wanted.test(value ?? '') : value === wanted);

test('SY-015, SY-016, SY-017, SY-020, SY-021, SY-022, SY-023, SY-025, W4: each bad plan gets a 400 with code and path, and nothing is stored', async (t) => {
  const before = (await api.get('/v1/executions')).json;
  for (const [name, body, path, code] of bad) {
    await t.test(name, async () => {
      const answer = await api.post('/api/execute', body, { 'content-type': 'application/json' });
      assert.equal(answer.status, name === 'a body that is too big' ? 413 : 400, answer.text);
      assert.ok(answer.json.error, answer.text);
      assert.ok(matches(answer.json.code, code), `code ${answer.json.code}, wanted ${code}`);
      if (path) assert.ok(matches(answer.json.path, path), `path ${answer.json.path}, wanted ${path}: ${answer.text}`);
      assert.ok(answer.json.requestId);
    });
  }
  assert.deepEqual((await api.get('/v1/executions')).json, before);
});

test('SY-018, W21: a plan without jobs completes at once', async () => {
  const created = await api.post('/api/execute', v1([]));
  assert.equal(created.status, 202, created.text);
  const { json } = await api.get(`/api/execute/${created.json.id}/status`);
  assert.equal(json.status, 'completed');
  assert.equal(json.result, null);
});

test('SY-026, SY-030: unknown executions and paths are 404, wrong methods 405', async () => {
  const missing = await api.get('/api/execute/doesnotexist000000000/status');
  assert.equal(missing.status, 404);
  assert.equal(missing.json.error, 'Execution not found');
  assert.equal((await api.get('/nowhere')).status, 404);
  const wrong = await api.request('DELETE', '/api/execute');
  assert.equal(wrong.status, 405);
  assert.match(wrong.headers.get('allow'), /POST/);
});

test('an idempotency key makes one execution of two requests', async () => {
  const first = await api.post('/api/execute', v1([]), { 'idempotency-key': 'once' });
  const second = await api.post('/api/execute', v1([]), { 'idempotency-key': 'once' });
  assert.equal(first.status, 202, first.text);
  assert.equal(second.json.id, first.json.id);
  const other = await api.post('/api/execute', v1([generate('a')]), { 'idempotency-key': 'once' });
  assert.equal(other.status, 409, other.text);
});
