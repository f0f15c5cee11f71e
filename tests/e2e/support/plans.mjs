// Plans that several tests send.

// Each is bought anew, though many tests send the same one.
export function generate(id, { seconds = 1, ...params } = {}) {
  return {
    id,
    operation: 'generateVideo',
    cache: 'off',
    params: { provider: 'local', prompt: `a calm test picture named ${id}`, duration: seconds, resolution: '480p', aspectRatio: '16:9', ...params },
  };
}

// The main job, small: [generateVideo, generateVideo] -> merge (fade) -> reframe 9:16 -> addSubtitles.
export function mainPlan({ seconds = 1, options = {} } = {}) {
  return {
    executionPlan: {
      jobs: [
        generate('job1', { seconds }),
        generate('job2', { seconds }),
        { id: 'job3', operation: 'merge', params: { inputs: ['job1', 'job2'], transition: { type: 'fade', duration: 0.5 } }, dependsOn: ['job1', 'job2'] },
        { id: 'job4', operation: 'reframe', params: { input: 'job3', aspectRatio: '9:16' }, dependsOn: ['job3'] },
        { id: 'job5', operation: 'addSubtitles', params: { input: 'job4', text: 'Hello from the end to end test' }, dependsOn: ['job4'] },
      ],
      rootJobIds: ['job1', 'job2'],
    },
    options,
  };
}
