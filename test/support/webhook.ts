import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type RunningProcess, startProcess, untilOutput } from './process.ts';

/** The `response` of an AdmissionReview, limited to what tests read. */
export interface ReviewResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: { readonly code: number; readonly message: string };
  readonly patchType?: string;
  /** A JSON patch in base64. */
  readonly patch?: string;
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

export interface Webhook {
  /** Posts a review as the API server does, over TLS with the CA of the webhook. */
  sendReview(
    path: string,
    review: object,
  ): Promise<{ readonly response: ReviewResponse; readonly milliseconds: number }>;
  readonly pid: number;
  readonly url: string;
  readonly probes: string;
  /** The end of its log. */
  output(): string;
  stop(): Promise<void>;
}

const SOURCE = [new URL('../../src/main.ts', import.meta.url).pathname];

/** The addresses in the log line that `serve` writes when it listens. */
const listeningOn = (output: string): Record<'listen' | 'probes', string> | undefined => {
  const [line] = /^\{.*"msg":"listening"\}$/m.exec(output) ?? [];
  return line === undefined ? undefined : (JSON.parse(line) as Record<'listen' | 'probes', string>);
};

const untilReady = async (child: RunningProcess, probes: string): Promise<void> => {
  for (let tries = 0; tries < 300; tries += 1) {
    if (child.exitCode !== undefined)
      throw new Error(`serve ended with ${child.exitCode}: ${child.output()}`);
    const ready = await fetch(`${probes}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await delay(50);
  }
  throw new Error(`serve was not ready after 15 s: ${child.output()}`);
};

/**
 * Starts `serve` as a process of its own over TLS on loopback. `configuration` is the content of the configuration file
 * without `server`; `program` are the arguments of Node, by default the sources.
 */
export const startWebhook = async (
  configuration: object,
  tls: { readonly cert: string; readonly key: string; readonly ca: string },
  program: readonly string[] = SOURCE,
): Promise<Webhook> => {
  await using started = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-webhook-'));
  started.defer(() => rm(directory, { recursive: true, force: true }));
  const files = {
    cert: join(directory, 'tls.crt'),
    key: join(directory, 'tls.key'),
    config: join(directory, 'config.yaml'),
  };
  const server = {
    listen: '127.0.0.1:0',
    probes: '127.0.0.1:0',
    certificate: { cert: files.cert, key: files.key },
  };
  const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
  await writeFile(files.cert, tls.cert);
  await writeFile(files.key, tls.key);
  await writeFile(
    files.config,
    JSON.stringify({ limits: { drain: '0s' }, ...head, ...configuration, server }),
  );
  const child = started.use(startProcess(process.execPath, [...program, 'serve', '--config', files.config]));
  const addresses = await untilOutput(child, 'addresses of serve', listeningOn);
  const probes = `http://${addresses.probes}`;
  await untilReady(child, probes);
  const agent = new Agent({ ca: tls.ca, keepAlive: true });
  started.defer(() => agent.destroy());
  const url = `https://${addresses.listen}`;
  const running = started.move();
  return {
    pid: child.pid,
    url,
    probes,
    output: () => child.output(),
    sendReview: (path, review) => postReview(`${url}${path}`, agent, JSON.stringify(review)),
    stop: () => running.disposeAsync(),
  };
};

/** Posts the JSON of a review. Rejects unless the response has status 200. */
export const postReview = (
  url: string,
  agent: Agent,
  body: string,
): Promise<{ response: ReviewResponse; milliseconds: number }> =>
  new Promise((resolve, reject) => {
    const began = performance.now();
    const request = httpsRequest(url, {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    request.once('error', reject);
    request.once('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', reject);
      incoming.once('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (incoming.statusCode !== 200) return reject(new Error(`${incoming.statusCode}: ${text}`));
        const { response } = JSON.parse(text) as { response: ReviewResponse };
        return resolve({ response, milliseconds: performance.now() - began });
      });
    });
    request.end(body);
  });
