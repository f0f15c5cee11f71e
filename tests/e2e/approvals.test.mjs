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

async function create(body) {
  const { status, json, text } = await api.post('/v1/executions', body);
  assert.equal(status, 202, text);
  return json.id;
}

const show = async (id) => (await api.get(`/v1/executions/${id}`)).json;

/** The execution as soon as its first job has that status. */
async function jobIs(id, status) {
  for (;;) {
    const execution = await show(id);
    if (execution.jobs[0].status === status) return execution;
    assert.ok(!['completed', 'failed', 'cancelled'].includes(execution.status), `${execution.status} before ${status}`);
  }
}

async function report(token, what, body) {
  const response = await fetch(`${stack.url}/v1/external/${what}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, json: await response.json() };
}

test('EX-001, E1: a job runs after it was approved, and says who did', async () => {
  const id = await create({ plan: { jobs: [{ ...generate('a'), requiresApproval: { prompt: 'looks good?' } }] } });
  const waiting = await jobIs(id, 'awaiting_approval');
  assert.equal(waiting.jobs[0].approval.prompt, 'looks good?');
  assert.equal(waiting.jobs[0].waiting.reason, 'approval');
  const none = await api.post(`/v1/executions/${id}/approve`, { jobId: 'nobody' });
  assert.equal(none.status, 404);
  assert.equal(none.json.code, 'no_such_job');
  const approved = await api.post(`/v1/executions/${id}/approve`, { jobId: 'a', comment: 'nice', by: 'ann' });
  assert.equal(approved.status, 200, approved.text);
  assert.equal(approved.json.jobs[0].approval.by, 'ann');
  assert.equal(approved.json.jobs[0].approval.comment, 'nice');
  await api.finished(id);
  const done = await show(id);
  assert.equal(done.status, 'completed');
  assert.equal(done.jobs[0].approval.status, 'approved');
});

test('EX-002: of concurrent approvals one wins, the others are told the state', async () => {
  for (let round = 0; round < 10; round++) {
    const id = await create({ plan: { jobs: [generate('a')], requiresApproval: true } });
    const answers = await Promise.all([1, 2, 3].map(() => api.post(`/api/v3/jobs/${id}/approve`, {})));
    const won = answers.filter(({ status }) => status === 200);
    const lost = answers.filter(({ status }) => status === 422);
    assert.equal(won.length, 1);
    assert.equal(lost.length, 2);
    assert.deepEqual(won[0].json, { message: 'Job approved successfully', job_id: id, status: 'approved' });
    assert.equal(lost[0].json.error, 'Job cannot be approved');
    assert.equal(lost[0].json.job_id, id);
    assert.match(lost[0].json.current_status, /^(approved|processing|completed)$/);
    assert.match(lost[0].json.reason, /does not await an approval/);
  }
});

test('EX-005: an execution that awaits approval is pending for SDKs, and fails when it is rejected', async () => {
  const id = await create({ plan: { jobs: [generate('a')] }, requiresApproval: { reason: 'costs money' } });
  const waiting = await show(id);
  assert.equal(waiting.status, 'awaiting_approval');
  assert.equal(waiting.approval.prompt, 'costs money');
  assert.equal((await api.get(`/api/execute/${id}/status`)).json.status, 'pending');
  assert.equal((await api.post(`/v1/executions/${id}/reject`, { comment: 'too much', by: 'bob' })).status, 200);
  const done = await show(id);
  assert.equal(done.status, 'failed');
  assert.equal(done.error, 'Execution rejected by bob: too much');
  const again = await api.post(`/v1/executions/${id}/approve`, {});
  assert.equal(again.status, 409);
  assert.equal(again.json.code, 'not_awaiting_approval');
});

test('EX-001: what is not there cannot be approved', async () => {
  const { status, json } = await api.post('/api/v3/jobs/nosuchjob/approve', {});
  assert.equal(status, 404);
  assert.deepEqual(json, { error: 'Job not found', job_id: 'nosuchjob' });
});

test('no answer in time counts as the plan says', async () => {
  const id = await create({ plan: { jobs: [{ ...generate('a'), requiresApproval: { timeoutMs: 100, onTimeout: 'reject' } }] } });
  await api.finished(id);
  const done = await show(id);
  assert.equal(done.jobs[0].error.code, 'rejected');
  assert.equal(done.jobs[0].approval.by, 'deadline');
  const bad = await api.post('/v1/executions', { plan: { jobs: [{ ...generate('a'), requiresApproval: { onTimeout: 'maybe' } }] } });
  assert.equal(bad.status, 400);
  assert.match(bad.json.path, /requiresApproval\.onTimeout$/);
});

test('EX-008, EX-009: an external job is heart-beaten and ended with its token', async () => {
  const id = await create({ plan: { jobs: [
    { id: 'e', operation: 'external', params: { name: 'voice over', instructions: 'read it', data: { text: ['hello'] }, heartbeatTimeoutMs: 60000 } },
  ] } });
  const { jobs: [job] } = await jobIs(id, 'running');
  assert.equal(job.external.name, 'voice over');
  assert.deepEqual(job.external.data, { text: ['hello'] });
  assert.equal(job.waiting.reason, 'external');
  const { token } = job.external;
  assert.equal((await report(token, 'heartbeat', { stage: 'reading', fraction: 0.5 })).status, 200);
  assert.equal((await show(id)).jobs[0].progress.fraction, 0.5);
  assert.equal((await report(`${token}x`, 'complete', {})).status, 404);
  assert.equal((await report('', 'complete', {})).status, 404);
  const bad = await report(token, 'complete', { outputs: [{ url: 'https://example.com/a.mp3' }] });
  assert.equal(bad.status, 400);
  const good = await report(token, 'complete', { data: { seconds: 3 }, metrics: { words: 2 } });
  assert.equal(good.status, 200, JSON.stringify(good.json));
  assert.deepEqual(good.json, { jobId: 'e', status: 'completed' });
  assert.equal((await report(token, 'complete', { data: { seconds: 3 }, metrics: { words: 2 } })).status, 200);
  const other = await report(token, 'complete', { data: { seconds: 4 } });
  assert.equal(other.status, 409);
  assert.equal(other.json.code, 'already_ended');
  const done = await show(id);
  assert.equal(done.status, 'completed');
  assert.deepEqual(done.jobs[0].external.result, { seconds: 3 });
  assert.equal(done.jobs[0].metrics.words, 2);
  assert.equal(done.jobs[0].external.token, null);
});

test('EX-009, E12: only who has the token can fail an external job; the reason is kept', async () => {
  const id = await create({ plan: { jobs: [{ id: 'e', operation: 'external', params: { name: 'draw' } }] } });
  const { jobs: [job] } = await jobIs(id, 'running');
  assert.equal((await report(job.external.token, 'fail', { message: 'no ink' })).status, 200);
  const done = await show(id);
  assert.equal(done.status, 'failed');
  assert.equal(done.jobs[0].error.message, 'no ink');
});
