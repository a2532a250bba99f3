import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './ports.ts';

/** What an AdmissionReview is answered with, as far as tests look at it. */
export interface Answer {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: { readonly code: number; readonly message: string };
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

export interface Webhook {
  /** Posts a review as the API server does, over TLS with the CA it was given, and gives the answer and its milliseconds. */
  ask(path: string, review: object): Promise<{ readonly answer: Answer; readonly milliseconds: number }>;
  readonly url: string;
  readonly probes: string;
  /** The last of what it has written, its log. */
  output(): string;
  stop(): Promise<void>;
}

const SOURCE = [new URL('../../src/main.ts', import.meta.url).pathname];

/** Ends a process we started: SIGTERM drains, SIGKILL where that takes too long. */
const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(late);
};

const untilReady = async (child: ChildProcess, probes: string, errors: () => string): Promise<void> => {
  for (let tries = 0; tries < 300; tries += 1) {
    if (child.exitCode !== null) throw new Error(`serve ended with ${child.exitCode}: ${errors()}`);
    const ready = await fetch(`${probes}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await delay(50);
  }
  throw new Error(`serve was not ready after 15 s: ${errors()}`);
};

/**
 * Starts `serve` as a process of its own over TLS on loopback. `configuration` is the configuration file's content but
 * for `server`; `program` is what Node runs, the sources unless a bundle is named.
 */
export const startWebhook = async (
  configuration: object,
  tls: { readonly cert: string; readonly key: string; readonly ca: string },
  program: readonly string[] = SOURCE,
): Promise<Webhook> => {
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-webhook-'));
  const [port, probePort] = [await freePort(), await freePort()];
  const files = {
    cert: join(directory, 'tls.crt'),
    key: join(directory, 'tls.key'),
    config: join(directory, 'config.yaml'),
  };
  const server = {
    listen: `127.0.0.1:${port}`,
    probes: `127.0.0.1:${probePort}`,
    certificate: { cert: files.cert, key: files.key },
  };
  const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
  await writeFile(files.cert, tls.cert);
  await writeFile(files.key, tls.key);
  await writeFile(
    files.config,
    JSON.stringify({ limits: { drain: '0s' }, ...head, ...configuration, server }),
  );
  const child = spawn(process.execPath, [...program, 'serve', '--config', files.config], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-20_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const probes = `http://127.0.0.1:${probePort}`;
  await untilReady(child, probes, () => output);
  const agent = new Agent({ ca: tls.ca, keepAlive: true });
  const url = `https://127.0.0.1:${port}`;
  return {
    url,
    probes,
    output: () => output,
    ask: (path, review) => post(`${url}${path}`, agent, JSON.stringify(review)),
    async stop() {
      agent.destroy();
      await end(child);
      await rm(directory, { recursive: true, force: true });
    },
  };
};

/** Posts the JSON of a review. Rejects where there is no answer, or none of status 200. */
export const post = (
  url: string,
  agent: Agent,
  body: string,
): Promise<{ answer: Answer; milliseconds: number }> =>
  new Promise((resolve, reject) => {
    const began = performance.now();
    const request = httpsRequest(url, {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    request.once('error', reject);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode !== 200) return reject(new Error(`${response.statusCode}: ${text}`));
        const { response: answer } = JSON.parse(text) as { response: Answer };
        return resolve({ answer, milliseconds: performance.now() - began });
      });
    });
    request.end(body);
  });
