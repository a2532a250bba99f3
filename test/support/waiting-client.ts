import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/**
 * A client in a thread of its own, which posts one review again and again, and is not held up by what the test does.
 * `stop` resolves with the longest time that a response took, the longest without the time in which other programs had the
 * processors, both in milliseconds, and the number of responses.
 */
export interface WaitingClient {
  stop(): Promise<{ readonly longest: number; readonly longestAlone: number; readonly responses: number }>;
}

const SCRIPT = `
const { parentPort, workerData } = require('node:worker_threads');
const { Agent, request } = require('node:https');
const { readdirSync, readFileSync } = require('node:fs');
const { url, ca, body, pid } = workerData;
// Milliseconds for which a thread ran, and for which it was ready to run and other programs had the processors (Linux,
// sched-stats.rst).
const times = (thread) => {
  const [ran, waited] = readFileSync('/proc/' + thread + '/schedstat', 'utf8').split(' ');
  return { ran: Number(ran) / 1e6, waited: Number(waited) / 1e6 };
};
const helpers = readdirSync('/proc/' + pid + '/task').filter((id) => id !== String(pid)).map((id) => pid + '/task/' + id);
const readTimes = () => [times('thread-self'), times(pid + '/task/' + pid), ...helpers.map(times)];
// While the main thread collects garbage it sleeps until its helpers have done their part.
const alone = (time, before) => {
  const [client, main, ...others] = readTimes().map(({ ran, waited }, at) => ({ ran: ran - before[at].ran, waited: waited - before[at].waited }));
  const slept = Math.max(0, time - main.ran - main.waited);
  return time - client.waited - main.waited - Math.min(slept, Math.max(...others.map(({ waited }) => waited)));
};
const agent = new Agent({ ca, keepAlive: true });
const post = () => new Promise((resolve, reject) => {
  const [began, before] = [performance.now(), readTimes()];
  const sent = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } });
  sent.once('error', reject);
  sent.once('response', (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk) => { text += chunk; });
    response.once('end', () => {
      if (response.statusCode !== 200 || JSON.parse(text).response.allowed !== true) return reject(new Error(text));
      const time = performance.now() - began;
      resolve([time, alone(time, before)]);
    });
  });
  sent.end(body);
});
const stop = new Int32Array(workerData.stop);
(async () => {
  await post();
  parentPort.postMessage('connected');
  let [longest, longestAlone, responses] = [0, 0, 0];
  while (Atomics.load(stop, 0) === 0) {
    const [time, alone] = await post();
    longest = Math.max(longest, time);
    longestAlone = Math.max(longestAlone, alone);
    responses += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  agent.destroy();
  parentPort.postMessage({ longest, longestAlone, responses });
})();
`;

/** Starts the client. Resolves when it has its connection, which it keeps, as an API server does. */
export const startWaitingClient = async (
  { url, pid }: { readonly url: string; readonly pid: number },
  ca: string,
  review: object,
): Promise<WaitingClient> => {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(SCRIPT, {
    eval: true,
    workerData: { url, pid, ca, body: JSON.stringify(review), stop: stop.buffer },
  });
  const ended = new Promise<Awaited<ReturnType<WaitingClient['stop']>>>((resolve, reject) => {
    worker
      .on('message', (message) => void (message !== 'connected' && resolve(message)))
      .once('error', reject);
  });
  ended.catch(() => undefined);
  await Promise.race([once(worker, 'message'), ended]);
  return {
    stop: () => {
      stop[0] = 1;
      return ended;
    },
  };
};
