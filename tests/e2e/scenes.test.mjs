// Scenes in the words of Elix: an execution is a job there, an item of its map a scene.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FileServer, Stack } from '../../tools/stack.mjs';
import { Api } from './support/api.mjs';
import { generate } from './support/plans.mjs';

let stack, api, operator, files;

before(async () => {
  files = await FileServer.start([]); // whatever one asks for is not there
  stack = await Stack.start({ env: { CALLSHEET_OPERATOR_KEYS: 'key-of-the-operator=default' } });
  api = new Api(stack.url);
  operator = new Api(stack.url, 'key-of-the-operator');
});

after(async () => {
  await stack?.stop();
  await files?.stop();
});

/** A clip, a scene of it for each item, and the film of the scenes. `broken` scenes fail. */
function film(count, broken = []) {
  const items = Array.from({ length: count }, (_, index) => ({ video: broken.includes(index) ? files.url(index) : 'clip' }));
  return {
    jobs: [
      generate('clip', { seconds: 0.5 }),
      {
        id: 'scenes',
        operation: 'map',
        params: {
          items,
          job: { operation: 'reframe', params: { video: '{{item.video}}', aspectRatio: '1:1' }, retry: { attempts: 1 } },
          onItemFailure: 'skip',
        },
      },
      { id: 'film', operation: 'merge', params: { items: [{ media: 'scenes' }] } },
    ],
  };
}

async function create(plan, more = {}) {
  const created = await api.post('/v1/executions', { plan, labels: { type: 'property_photos', video_name: 'House 1' }, ...more });
  assert.equal(created.status, 202, created.text);
  return created.json.executionId;
}

async function made(plan) {
  const id = await create(plan);
  await api.finished(id);
  return id;
}

const job = async (id) => (await api.get(`/api/v3/jobs/${id}`)).json;
const scenes = async (id) => (await api.get(`/api/v3/jobs/${id}/scenes`)).json;
const sceneUrl = (id, index) => `/api/v3/jobs/${id}/scenes/${id}:scenes.${index}`;

test('EX-013, EX-020: scenes are there before the job is approved, and nothing is rendered', async () => {
  const id = await create(film(3), { requiresApproval: true });
  const pending = await scenes(id);
  assert.deepEqual([pending.total_scenes, pending.completed_scenes, pending.progress_percentage], [3, 0, 0]);
  assert.deepEqual(pending.scenes.map((scene) => [scene.index, scene.status, scene.has_video]), [[0, 'pending', false], [1, 'pending', false], [2, 'pending', false]]);
  assert.deepEqual([(await job(id)).status, (await job(id)).current_stage], ['pending', 'storyboard_ready']);

  const deleted = await api.request('DELETE', sceneUrl(id, 1));
  assert.equal(deleted.status, 200, deleted.text);
  assert.deepEqual(deleted.json, { message: 'Scene deleted successfully', scene_id: `${id}:scenes.1`, job_id: id });
  assert.deepEqual((await scenes(id)).scenes.map((scene) => scene.index), [0, 2], 'E5: the others keep their index');

  assert.equal((await api.post(`/api/v3/jobs/${id}/approve`)).status, 200);
  await api.finished(id);
  const done = await scenes(id);
  assert.deepEqual([done.total_scenes, done.completed_scenes, done.progress_percentage], [2, 2, 100]);
  assert.deepEqual(done.scenes.map((scene) => [scene.index, scene.status, scene.has_video]), [[0, 'completed', true], [2, 'completed', true]]);
});

test('EX-016, EX-017, EX-021, EX-024: scenes are listed in order; a partial film says so', async () => {
  const id = await made(film(3, [1]));
  const list = await scenes(id);
  assert.deepEqual(Object.keys(list).sort(), ['completed_scenes', 'job_id', 'progress', 'progress_percentage', 'scenes', 'total_scenes']);
  assert.equal(list.progress_percentage, 66.67);
  assert.deepEqual(list.progress, { percentage: 66.67, stage: 'processing_with_errors', total_scenes: 3, completed_scenes: 2, processing_scenes: 0, failed_scenes: 1 });
  const whole = await job(id);
  assert.deepEqual([whole.status, whole.current_stage, whole.progress_percentage], ['completed', 'completed_partial', 100]);
  assert.deepEqual([whole.type, whole.video_name], ['property_photos', 'House 1']);

  const one = await api.get(sceneUrl(id, 1));
  assert.equal(one.status, 200, one.text);
  assert.deepEqual([one.json.job_id, one.json.job_status, one.json.scene.status], [id, 'completed', 'failed']);
  assert.equal((await api.get(sceneUrl(id, 7))).status, 404);
  const other = await api.get(`/api/v3/jobs/${id}/scenes/abcdefghijklmnopqrstu:scenes.1`);
  assert.deepEqual([other.status, other.json], [422, { error: 'Scene does not belong to this job' }]);
  const nobody = await api.get('/api/v3/jobs/nobody/scenes');
  assert.deepEqual([nobody.status, nobody.json], [404, { error: 'Job not found', job_id: 'nobody' }]);
});

test('EX-024: a job whose scenes have all failed has failed', async () => {
  const id = await made(film(2, [0, 1]));
  const whole = await job(id);
  assert.deepEqual([whole.status, whole.current_stage, whole.progress_percentage], ['failed', 'all_renders_failed', 0]);
});

test('EX-019, E2: a scene is rendered anew, and the film with it, as a new job', async () => {
  const id = await made(film(2));
  const answer = await api.post(`${sceneUrl(id, 0)}/regenerate`);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json.message, 'Scene marked for regeneration');
  const anew = answer.json.job_id;
  assert.notEqual(anew, id);
  assert.deepEqual([answer.json.scene.id, answer.json.scene.status, answer.json.scene.has_video], [`${anew}:scenes.0`, 'pending', false]);
  await api.finished(anew);
  const { json } = await api.get(`/v1/executions/${anew}`);
  const by = Object.fromEntries(json.jobs.map((each) => [each.id, each]));
  assert.equal(json.status, 'completed', json.error);
  assert.deepEqual([by.clip.attempt, by['scenes.0'].attempt, by['scenes.1'].attempt, by.film.attempt], [0, 1, 0, 1]);
  const old = (await api.get(`/v1/executions/${id}`)).json;
  assert.equal(old.status, 'completed', 'what was completed stays so');
});

test('EX-019, EX-020: what is under way is neither made anew nor deleted', async () => {
  const plan = film(2);
  plan.jobs[0] = { ...generate('clip', { seconds: 0.5 }) };
  plan.jobs.push({ ...generate('later'), dependsOn: ['film'], requiresApproval: true }); // keeps the job open
  const id = await create(plan);
  for await (const event of api.events(id)) {
    if (event.data.jobs?.some((each) => each.id === 'film' && each.status === 'completed')) break;
  }
  const refused = await api.request('DELETE', sceneUrl(id, 0));
  assert.deepEqual([refused.status, refused.json], [422, { error: 'Scene cannot be deleted', reason: 'Cannot delete scene while job is processing' }]);
  const answer = await api.post(`${sceneUrl(id, 1)}/regenerate`);
  assert.equal(answer.status, 200, answer.text);
  assert.equal((await api.get(`/v1/executions/${id}`)).json.status, 'cancelled', 'the old one is superseded');
  const pending = await create(film(2), { requiresApproval: true });
  const early = await api.post(`${sceneUrl(pending, 0)}/regenerate`);
  assert.deepEqual([early.status, early.json], [422, { error: 'Scene cannot be regenerated', scene_id: `${pending}:scenes.0`, reason: 'Scene is currently pending' }]);
});

test('EX-020: a scene of a finished film is deleted by a film without it', async () => {
  const id = await made(film(3));
  const answer = await api.request('DELETE', sceneUrl(id, 1));
  assert.equal(answer.status, 200, answer.text);
  await api.finished(answer.json.job_id);
  const list = await scenes(answer.json.job_id);
  assert.deepEqual([list.total_scenes, list.completed_scenes, list.scenes.map((scene) => scene.index)], [2, 2, [0, 2]]);
});

test('EX-018, E12: only an operator updates a scene, and only with what is so', async () => {
  const id = await made(film(1));
  const put = (who, body) => who.request('PUT', sceneUrl(id, 0), body);
  assert.equal((await put(api, { status: 'completed' })).status, 403);
  const same = await put(operator, { status: 'completed' });
  assert.deepEqual([same.status, same.json.message, same.json.job_id], [200, 'Scene updated successfully', id]);
  for (const body of [{ status: 'done' }, { status: 'failed' }, { provider_id: 'p-1' }]) {
    const answer = await put(operator, body);
    assert.deepEqual([answer.status, answer.json.error], [422, 'Validation failed']);
    assert.deepEqual(Object.keys(answer.json.details), Object.keys(body));
  }
  const again = await put(operator, { status: 'pending' });
  assert.deepEqual([again.status, again.json.message], [200, 'Scene marked for regeneration']);
});
