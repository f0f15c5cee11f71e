import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import { GrpcReflection } from 'grpc-js-reflection-client';
import { root, Stack } from '../../tools/stack.mjs';

const definition = loader.loadSync(['callsheet/v1/orchestrator.proto', 'grpc/health/v1/health.proto'], {
  includeDirs: [path.join(root, 'proto'), '/usr/include'], keepCase: false, longs: Number, enums: String, defaults: true, oneofs: true,
});
const { callsheet, grpc: standard } = grpc.loadPackageDefinition(definition);
const none = grpc.credentials.createInsecure();
let stack, address, metadata, orchestrator;

before(async () => {
  stack = await Stack.start();
  ({ address } = await stack.process('orchestrator'));
  metadata = new grpc.Metadata();
  metadata.set('authorization', `Bearer ${await stack.serviceToken()}`);
  orchestrator = new callsheet.v1.Orchestrator(address, none);
});

after(async () => {
  orchestrator?.close();
  await stack?.stop();
});

function call(method, request) {
  return new Promise((resolve, reject) => {
    orchestrator[method](request, metadata, { deadline: Date.now() + 30_000 }, (error, reply) => (error ? reject(error) : resolve(reply)));
  });
}

function generation(id, seconds) {
  return { id, operation: { generateVideo: { prompt: 'a foreign client', provider: 'local', duration: { value: seconds }, resolution: '480p' } } };
}

test('a foreign client creates an execution and watches it to its end', async () => {
  const created = await call('createExecution', { tenant: 'default', plan: { jobs: [generation('g', 0.5)] } });
  assert.match(created.executionId, /^[0-9A-Za-z]{6}_[0-9A-Za-z]{14}$/);
  const updates = [];
  for await (const update of orchestrator.watchExecution({ tenant: 'default', executionId: created.executionId }, metadata)) updates.push(update);
  assert.equal(updates[0].snapshot, true);
  assert.equal(updates.at(-1).execution.state, 'EXECUTION_STATE_COMPLETED');
  const revisions = updates.map((update) => update.execution.revision);
  assert.deepEqual(revisions, [...revisions].sort((a, b) => a - b));
  const read = await call('getExecution', { tenant: 'default', executionId: created.executionId });
  assert.equal(read.jobs[0].outputs[0].type, 'MEDIA_TYPE_VIDEO');
});

test('W23, E14: a foreign client cancels an execution that runs', async () => {
  const created = await call('createExecution', { tenant: 'default', plan: { jobs: [generation('long', 60)] } });
  for await (const update of orchestrator.watchExecution({ tenant: 'default', executionId: created.executionId }, metadata)) {
    if (update.execution.jobs.some((job) => job.state === 'JOB_STATE_RUNNING')) break;
  }
  const cancelled = await call('cancelExecution', { tenant: 'default', executionId: created.executionId, reason: 'not wanted' });
  assert.equal(cancelled.state, 'EXECUTION_STATE_CANCELLED');
  assert.equal(cancelled.jobs[0].state, 'JOB_STATE_CANCELLED');
});

test('errors carry a code, a reason and the path of the field', async () => {
  await assert.rejects(call('createExecution', { tenant: 'default', plan: { jobs: [{ ...generation('a', 1), dependsOn: ['nobody'] }] } }), (error) => {
    assert.equal(error.code, grpc.status.INVALID_ARGUMENT);
    assert.equal(error.metadata.get('cs-reason')[0], 'unknown_dependency');
    assert.equal(error.metadata.get('cs-path')[0], 'jobs[0].dependsOn[0]');
    return true;
  });
  await assert.rejects(call('getExecution', { tenant: 'other', executionId: 'nosuchexecution' }), (error) => error.code === grpc.status.NOT_FOUND);
});

test('SY-146, X1: another tenant does not learn of an execution', async () => {
  const created = await call('createExecution', { tenant: 'one', plan: { jobs: [] } });
  await assert.rejects(call('getExecution', { tenant: 'two', executionId: created.executionId }), (error) => error.code === grpc.status.NOT_FOUND);
});

test('a call without the service token is refused', async () => {
  await assert.rejects(
    new Promise((resolve, reject) => {
      orchestrator.getExecution({ tenant: 'default', executionId: 'x' }, (error, reply) => (error ? reject(error) : resolve(reply)));
    }),
    (error) => error.code === grpc.status.UNAUTHENTICATED,
  );
});

test('reflection lists the services', async () => {
  const reflection = new GrpcReflection(address, none, {}, undefined);
  const services = await reflection.listServices();
  for (const name of ['callsheet.v1.Orchestrator', 'grpc.health.v1.Health']) assert.ok(services.includes(name), `${name} in ${services}`);
  const methods = await reflection.listMethods('callsheet.v1.Orchestrator');
  assert.ok(methods.some((method) => method.name === 'WatchExecution'));
});

test('health says SERVING, and NOT_SERVING while draining', async () => {
  const health = new standard.health.v1.Health(address, none);
  const watch = health.watch({ service: '' });
  const seen = [];
  try {
    for await (const { status } of watch) {
      seen.push(status);
      if (status === 'SERVING') await stack.kill('orchestrator', 'SIGTERM');
      if (status === 'NOT_SERVING') break;
    }
  } finally {
    watch.cancel();
    health.close();
  }
  assert.deepEqual(seen, ['SERVING', 'NOT_SERVING']);
});
