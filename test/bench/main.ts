import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../support/ports.ts';
import { startRegistry } from '../support/registry-server.ts';
import { createSigner, imageIndex, push, pushSignatures, sign } from '../support/signing-kit.ts';
import { createTls } from '../support/tls.ts';
import { type Load, load } from './load.ts';
import { reviewBody } from './review-body.ts';

/*
 * Remembered reviews a second, beside a floor: the same Fastify and pino that parse the body, log one line and answer a
 * constant. Server on one core, load on another; floor and product in turn, so that what disturbs one disturbs the
 * other; the figure is the median of the paired ratios. Needs wrk and taskset (Debian: wrk, util-linux).
 */

const ROUNDS = Number(process.argv[2] ?? 7);
const SECONDS = 5;
const [SERVER_CORE, LOAD_CORE] = [0, 1];
const PROGRAM = new URL('../../dist/main.js', import.meta.url).pathname;
const FLOOR = new URL('floor.ts', import.meta.url).pathname;

const median = (numbers: readonly number[]): number => {
  const sorted = numbers.toSorted((one, other) => one - other);
  return (
    ((sorted[Math.floor((sorted.length - 1) / 2)] ?? 0) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0)) /
    2
  );
};

const directory = await mkdtemp(join(tmpdir(), 'sailmark-bench-'));
const file = async (name: string, content: string): Promise<string> => {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
};

const registry = await startRegistry();
const signer = createSigner();
const image = imageIndex('benchmark');
push(registry, 'istio/proxyv2', image);
pushSignatures(registry, 'istio/proxyv2', image.digest, [
  sign(signer, 'docker.io/istio/proxyv2', image.digest),
]);

const tls = createTls();
const [cert, key] = [await file('tls.crt', tls.cert), await file('tls.key', tls.key)];
const [floorPort, port, probePort] = [await freePort(), await freePort(), await freePort()];
const configuration = await file(
  'config.yaml',
  JSON.stringify({
    apiVersion: 'sailmark.dev/v1alpha1',
    kind: 'Configuration',
    keys: [{ inline: signer.publicPem }],
    mirrors: [{ mirror: `${registry.host}/istio`, of: 'docker.io/istio' }],
    registries: [{ host: registry.host, plainHTTP: true }],
    limits: { drain: '0s' },
    server: { listen: `127.0.0.1:${port}`, probes: `127.0.0.1:${probePort}`, certificate: { cert, key } },
  }),
);
const body = reviewBody(`${registry.host}/istio/proxyv2@${image.digest}`);
const bodyFile = await file('review.json', body);
const script = await file(
  'post.lua',
  `local f = io.open(${JSON.stringify(bodyFile)}, "rb")\nwrk.method = "POST"\nwrk.body = f:read("*a")\nf:close()\nwrk.headers["Content-Type"] = "application/json"\n`,
);

const start = (args: readonly string[]) =>
  spawn('taskset', ['-c', String(SERVER_CORE), process.execPath, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });

/** Posts the review once and returns the answer. */
const ask = (at: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const sent = request(
      `https://127.0.0.1:${at}/validate/enforce`,
      { method: 'POST', ca: tls.ca, headers: { 'content-type': 'application/json' } },
      (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        answer.once('end', () => resolve(text));
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });

const untilAllowed = async (at: number): Promise<void> => {
  for (let tries = 0; tries < 100; tries += 1) {
    const answer = await ask(at).catch(() => '');
    if (answer.includes('"allowed":true')) return;
    if (answer !== '') throw new Error(`the review is not allowed: ${answer}`);
    await delay(100);
  }
  throw new Error(`nothing answers on port ${at}`);
};

const servers = [
  start([FLOOR, cert, key, String(floorPort)]),
  start([PROGRAM, 'serve', '--config', configuration]),
];
try {
  for (const at of [floorPort, port]) await untilAllowed(at);
  const before = registry.requests.length;
  const measure = (at: number, connections: number, seconds: number): Promise<Load> =>
    load(`https://127.0.0.1:${at}/validate/enforce`, script, { core: LOAD_CORE, connections, seconds });

  console.log(
    `body ${body.length} bytes; warming up, then ${ROUNDS} rounds of ${SECONDS} s each, 16 connections`,
  );
  for (const at of [floorPort, port]) await measure(at, 16, SECONDS);
  const pairs: (readonly [Load, Load])[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const pair = [await measure(floorPort, 16, SECONDS), await measure(port, 16, SECONDS)] as const;
    pairs.push(pair);
    const [floor, product] = pair;
    console.log(
      `round ${round}: floor ${floor.perSecond.toFixed(0)}/s, product ${product.perSecond.toFixed(0)}/s, ratio ${(product.perSecond / floor.perSecond).toFixed(3)}`,
    );
  }
  const [floorAlone, productAlone] = [await measure(floorPort, 1, SECONDS), await measure(port, 1, SECONDS)];
  const of = (pick: (load: Load) => number, which: 0 | 1): string =>
    median(pairs.map((pair) => pick(pair[which]))).toFixed(2);
  console.log(`\nremembered reviews, 16 connections, median of ${ROUNDS}:`);
  console.log(
    `  floor    ${of(({ perSecond }) => perSecond, 0)}/s  p50 ${of(({ p50 }) => p50, 0)} ms  p99 ${of(({ p99 }) => p99, 0)} ms`,
  );
  console.log(
    `  product  ${of(({ perSecond }) => perSecond, 1)}/s  p50 ${of(({ p50 }) => p50, 1)} ms  p99 ${of(({ p99 }) => p99, 1)} ms`,
  );
  console.log(
    `  one connection, p50: floor ${floorAlone.p50.toFixed(2)} ms, product ${productAlone.p50.toFixed(2)} ms`,
  );
  console.log(`  registry requests while measuring: ${registry.requests.length - before}`);
  console.log(
    `  ratio, median of the paired: ${median(pairs.map(([floor, product]) => product.perSecond / floor.perSecond)).toFixed(3)}`,
  );
} finally {
  for (const server of servers) server.kill('SIGKILL');
  await registry.close();
  await rm(directory, { recursive: true, force: true });
}
