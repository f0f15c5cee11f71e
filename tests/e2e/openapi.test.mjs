// The document itself. What the API takes and answers is held to it by every test that uses support/api.mjs.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { root, Stack } from '../../tools/stack.mjs';
import { Api, Contract } from './support/api.mjs';
import { generate, mainPlan } from './support/plans.mjs';

let stack, api, contract;

before(async () => {
  stack = await Stack.start();
  api = new Api(stack.url);
  contract = await Contract.of(stack.url);
});

after(async () => {
  await stack?.stop();
});

const submission = (body) => contract.check(['components', 'schemas', 'Submission'], body, 'the plan');
const job = (operation, params, more = {}) => ({ jobs: [{ id: 'a', operation, params, ...more }] });

test('EX-041: the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(contract.document));
  assert.ok(valid, JSON.stringify(errors));
  assert.equal(validator.version, '3.1');
  assert.equal(contract.document.servers[0].url, stack.url);
});

test('EX-041: every operation has an id of its own, and a schema that compiles', () => {
  const ids = Object.values(contract.document.paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId));
  assert.equal(new Set(ids).size, ids.length);
  for (const [name, schema] of Object.entries(contract.document.components.schemas)) {
    assert.doesNotThrow(() => contract.ajv.compile({ $ref: `https://callsheet.test/openapi.json#/components/schemas/${name}` }), `${name}: ${JSON.stringify(schema)}`);
  }
});

test('EX-041: plans of all three forms are as the document says', () => {
  submission(mainPlan({ options: { webhookUrl: 'https://example.com/hook', webhookSecret: 's', baseExecutionId: null } }));
  submission({ jobs: [generate('a')], webhook: { url: 'https://example.com/hook', secret: 's' } });
  submission({ plan: { jobs: [generate('a')], onFailure: 'fail_fast' }, labels: { team: 'a' }, timeoutMs: 1000, idempotencyKey: 'k', requiresApproval: { prompt: 'ok?', onTimeout: 'reject', timeoutMs: 1000 } });
  submission(job('external', { name: 'look', data: { any: [1, 'thing', null] } }, { retry: { attempts: 2 }, requiresApproval: true }));
  submission(job('map', { items: [{ title: 'x' }], job: { operation: 'generateImage', params: { prompt: '{{item.title}}', provider: 'local' } } }));
});

test('EX-041: plans that the API refuses for their form are not as the document says, either', async () => {
  const bad = [
    {},
    { jobs: [] , plan: { jobs: [] } },
    { jobs: [{ operation: 'merge', params: {} }] },
    { jobs: [{ id: 'a', params: {} }] },
    { jobs: [{ id: 'a b', operation: 'reverse', params: { video: 'https://example.com/a.mp4' } }] },
    job('reverse', { video: 'https://example.com/a.mp4' }, { colour: 'red' }),
    job('noSuchOperation', {}),
    job('deliverWebhook', { url: 'https://example.com' }),
    job('noop', {}),
    job('reverse', { video: 'https://example.com/a.mp4', backwards: true }),
    job('reverse', { videoURL: 'https://example.com/a.mp4' }),
    job('reverse', { video: { url: 'https://example.com/a.mp4', upload: 'x' } }),
    job('reverse', { video: 1 }),
    job('speed', { video: 'https://example.com/a.mp4', factor: 'fast' }),
    job('reframe', { video: 'https://example.com/a.mp4', aspectRatio: '9:16', crop: 'sideways' }),
    job('merge', { inputs: ['a'] }),
    job('generateAudio', { text: 'a', provider: 'local', apiKey: 'secret' }),
    job('generateAudio', { text: 'a', provider: 'local', stability: 0.5 }),
    { jobs: [generate('a')], webhook: { uri: 'https://example.com' } },
    { jobs: [generate('a')], onFailure: 'never' },
  ];
  for (const body of bad) {
    const { status } = await api.post('/v1/executions', body);
    assert.equal(status, 400, JSON.stringify(body));
    assert.throws(() => submission(body), /not as the document says/, JSON.stringify(body));
  }
});

test('EX-041: the pipelines that come with Callsheet and the plans of the README are as the document says', async () => {
  const { json } = await api.get('/v1/pipelines');
  for (const { name } of json.pipelines) {
    const { json: pipeline } = await api.get(`/v1/pipelines/${name}`);
    contract.check(['components', 'schemas', 'PipelineTemplate'], pipeline.template, name);
  }
  const readme = await readFile(path.join(root, 'gateway/README.md'), 'utf8');
  const template = readme.match(/PUT \/v1\/pipelines\/vertical\n((?: {4}.*\n)+)/)[1];
  contract.check(['components', 'schemas', 'PipelineTemplate'], JSON.parse(template), 'the pipeline of the README');
});
