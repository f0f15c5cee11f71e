// Clips and facts about them, by the ffmpeg and ffprobe commands: a second opinion on what our own code made.
import { execFile } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const realMedia = process.env.CALLSHEET_TEST_MEDIA || undefined;

// Real clips of unlike codecs, sizes, rates and layouts; undefined when the set is not here.
export function realClips(names) {
  if (!realMedia) return undefined;
  const files = names.map((name) => path.join(realMedia, 'video', name));
  return files.every(existsSync) ? files : undefined;
}

// A clip with a moving picture and a tone. `video` and `audio` are arguments of ffmpeg's encoders.
export async function makeClip(file, { size = '320x240', rate = '25', seconds = 2, video = ['-c:v', 'libx264'], audio = ['-c:a', 'aac'], layout = 'stereo' } = {}) {
  const sound = audio ? ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=44100:duration=${seconds},aformat=channel_layouts=${layout}`] : [];
  await run('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`, ...sound,
    ...video, '-pix_fmt', 'yuv420p', ...(audio ?? []), file]);
  return file;
}

export async function probe(file) {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-count_frames', '-show_streams', '-show_format', '-of', 'json', file]);
  const { streams, format } = JSON.parse(stdout);
  const video = streams.find((stream) => stream.codec_type === 'video');
  const audio = streams.find((stream) => stream.codec_type === 'audio');
  const number = (ratio) => ratio.split('/').reduce((a, b) => a / b);
  return {
    duration: Number(format.duration),
    width: video?.width,
    height: video?.height,
    rate: video && number(video.avg_frame_rate),
    frames: video && Number(video.nb_read_frames),
    videoSeconds: video && Number(video.duration),
    audioSeconds: audio && Number(audio.duration),
    hasAudio: Boolean(audio),
  };
}

export async function download(url, file) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  await pipeline(Readable.fromWeb(response.body), createWriteStream(file));
  return file;
}
