import { spawn, spawnSync } from 'node:child_process';
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
 * Measures reviews per second from memory, in relation to a floor: the same Fastify and pino, which parse the body, log one
 * line and return a constant. The server runs on one core, the load on another. Floor and product take turns of a second,
 * so that a disturbance affects both; both are launched several times, because processes of the same program differ by
 * several per cent. The result is the median of the paired ratios. Needs wrk and taskset (Debian: wrk, util-linux).
 */

const LAUNCHES = Number(process.argv[2] ?? 7);
const ROUNDS = 10;
const CONNECTIONS = 16;
/** The load before the rounds of a launch. */
const WARM_UP_SECONDS = 5;
const ROUND_SECONDS = 1;
const [SERVER_CORE, LOAD_CORE] = [0, 1];
const PROGRAM = new URL('../../dist/main.js', import.meta.url).pathname;
const FLOOR = new URL('floor.ts', import.meta.url).pathname;

const median = (numbers: readonly number[]): number => {
  const sorted = numbers.toSorted((left, right) => left - right);
  return (
    ((sorted[Math.floor((sorted.length - 1) / 2)] ?? 0) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0)) /
    2
  );
};

const missing = ['wrk', 'taskset'].filter((name) => spawnSync(name, ['--version']).error !== undefined);
if (missing.length > 0) {
  console.error(`bench: ${missing.join(' and ')} not found; on Debian: apt-get install wrk util-linux`);
  process.exit(2);
}

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

/** Posts the review once and returns the response body. */
const postReview = (at: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const sent = request(
      `https://127.0.0.1:${at}/validate/enforce`,
      { method: 'POST', ca: tls.ca, headers: { 'content-type': 'application/json' } },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.once('end', () => resolve(text));
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });

const untilAllowed = async (at: number): Promise<void> => {
  for (let tries = 0; tries < 100; tries += 1) {
    const response = await postReview(at).catch(() => '');
    if (response.includes('"allowed":true')) return;
    if (response !== '') throw new Error(`the review is not allowed: ${response}`);
    await delay(100);
  }
  throw new Error(`no response on port ${at}`);
};

type Pair = readonly [floor: Load, product: Load];

const measure = (at: number, connections: number, seconds: number): Promise<Load> =>
  load(`https://127.0.0.1:${at}/validate/enforce`, script, { core: LOAD_CORE, connections, seconds });

const measureBoth = async (connections: number): Promise<Pair> => [
  await measure(floorPort, connections, ROUND_SECONDS),
  await measure(port, connections, ROUND_SECONDS),
];

interface LaunchResult {
  readonly rounds: readonly Pair[];
  /** One round with a single connection. */
  readonly singleConnection: Pair;
  /** Requests to the registry under load: 0 if every review is from memory. */
  readonly registryRequests: number;
}

/** Starts floor and product, warms them up, and measures them in turn. */
const launch = async (): Promise<LaunchResult> => {
  const servers = [
    start([FLOOR, cert, key, String(floorPort)]),
    start([PROGRAM, 'serve', '--config', configuration]),
  ];
  try {
    for (const at of [floorPort, port]) await untilAllowed(at);
    const before = registry.requests.length;
    for (const at of [floorPort, port]) await measure(at, CONNECTIONS, WARM_UP_SECONDS);
    const rounds: Pair[] = [];
    while (rounds.length < ROUNDS) rounds.push(await measureBoth(CONNECTIONS));
    const singleConnection = await measureBoth(1);
    return { rounds, singleConnection, registryRequests: registry.requests.length - before };
  } finally {
    for (const server of servers) server.kill('SIGKILL');
  }
};

const ratioOf = (pairs: readonly Pair[]): string =>
  median(pairs.map(([floor, product]) => product.perSecond / floor.perSecond)).toFixed(3);

const medianOf = (pairs: readonly Pair[], side: 0 | 1, pick: (load: Load) => number): string =>
  median(pairs.map((pair) => pick(pair[side]))).toFixed(2);

const figuresOf = (pairs: readonly Pair[], side: 0 | 1): string =>
  `${medianOf(pairs, side, ({ perSecond }) => perSecond)}/s  p50 ${medianOf(pairs, side, ({ p50 }) => p50)} ms  p99 ${medianOf(pairs, side, ({ p99 }) => p99)} ms`;

try {
  console.log(
    `body ${body.length} bytes; ${LAUNCHES} launches of ${ROUNDS} rounds, ${CONNECTIONS} connections`,
  );
  const [pairs, single]: [Pair[], Pair[]] = [[], []];
  let registryRequests = 0;
  for (let count = 1; count <= LAUNCHES; count += 1) {
    const result = await launch();
    pairs.push(...result.rounds);
    single.push(result.singleConnection);
    registryRequests += result.registryRequests;
    console.log(`launch ${count}: ratio ${ratioOf(result.rounds)}`);
  }
  console.log(`\nreviews from memory, ${CONNECTIONS} connections, medians:`);
  console.log(`  floor    ${figuresOf(pairs, 0)}`);
  console.log(`  product  ${figuresOf(pairs, 1)}`);
  console.log(
    `  one connection, p50: floor ${medianOf(single, 0, ({ p50 }) => p50)} ms, product ${medianOf(single, 1, ({ p50 }) => p50)} ms`,
  );
  console.log(`  registry requests under load: ${registryRequests}`);
  console.log(`  ratio, median of ${pairs.length} pairs: ${ratioOf(pairs)}`);
} finally {
  await registry.close();
  await rm(directory, { recursive: true, force: true });
}
