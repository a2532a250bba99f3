import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { PinRecord, ReviewRecord } from '../../src/admission/index.ts';
import { type CoreDependencies, compose } from '../../src/compose.ts';
import { parseConfig } from '../../src/config/index.ts';
import { createMetrics } from '../../src/observability/index.ts';
import { createFileCertificates, createServer } from '../../src/server/index.ts';
import { createTls } from './tls.ts';
import type { ReviewResponse } from './webhook.ts';

/** The parts of a response that journeys compare. */
export interface ReviewSummary {
  readonly verdict: string | undefined;
  /** The reason codes, in the order of the annotation. */
  readonly reasons: readonly string[];
  readonly requests: number;
}

export interface RawResponse {
  readonly status: number;
  readonly body: string;
  /** Undefined unless the status is 200. */
  readonly response: ReviewResponse | undefined;
  readonly milliseconds: number;
}

/** The webhook in this process, on a real port over TLS, with a clock that the test moves. */
export interface InProcessWebhook {
  /** Posts any body. */
  post(path: string, body: string): Promise<RawResponse>;
  /** Posts a review. Rejects unless the response is a review. */
  sendReview(path: string, review: object): Promise<ReviewResponse & { readonly milliseconds: number }>;
  /**
   * Posts a review, by default to enforce mode. Resolves with its verdict, its reasons and the requests that its
   * record counted.
   */
  summaryOf(review: object, path?: string): Promise<ReviewSummary>;
  /** The record of the last review, as it was logged. */
  lastRecord(): ReviewRecord | undefined;
  /** The record of the last review by the mutating webhook. */
  lastPins(): PinRecord | undefined;
  /** Advances the clock by milliseconds. */
  advanceClock(time: number): void;
  /** The errors that were logged. */
  readonly reported: readonly unknown[];
  /** Stops it as the end of the process does. */
  stop(): Promise<void>;
}

const tls = createTls();
const nothing = (): void => undefined;
const unread = (): Promise<string> => Promise.reject(new Error('there are no files in this test'));

const certificateFiles = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-journey-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const files = { cert: join(directory, 'tls.crt'), key: join(directory, 'tls.key') };
  await writeFile(files.cert, tls.cert);
  await writeFile(files.key, tls.key);
  return files;
};

const poster =
  (port: number, agent: Agent): InProcessWebhook['post'] =>
  (path, body) =>
    new Promise((resolve, reject) => {
      const began = performance.now();
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const request = httpsRequest(
        { host: '127.0.0.1', port, path, method: 'POST', agent, headers },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.once('error', reject);
          incoming.once('end', () => {
            const milliseconds = performance.now() - began;
            const [status, text] = [incoming.statusCode ?? 0, Buffer.concat(chunks).toString()];
            const response =
              status === 200 ? (JSON.parse(text) as { response: ReviewResponse }).response : undefined;
            resolve({ status, body: text, response, milliseconds });
          });
        },
      );
      request.once('error', reject);
      request.end(body);
    });

export const reasonsOf = ({ auditAnnotations }: ReviewResponse): readonly string[] =>
  (auditAnnotations?.['reason'] ?? '').split(', ').filter((code) => code !== '');

/**
 * Starts the webhook with a configuration that lacks `server`. It is stopped when the test ends, or before with `stop`,
 * which writes pending evidence.
 */
export const startInProcessWebhook = async (
  configuration: object,
  {
    files = {},
    ...dependencies
  }: Pick<CoreDependencies, 'sharedEvidence'> & {
    /** The texts of the files that the configuration names, by path. */
    readonly files?: Readonly<Record<string, string>>;
  } = {},
): Promise<InProcessWebhook> => {
  const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
  const config = await parseConfig(
    JSON.stringify({ limits: { drain: '0s' }, ...head, ...configuration }),
    async (path) => files[path] ?? unread(),
  );
  let passed = 0;
  const now = (): number => Date.now() + passed;
  const reported: unknown[] = [];
  const report = (error: unknown): string => {
    reported.push(error);
    if (dependencies.sharedEvidence === undefined) console.error(error);
    return 'incident-1';
  };
  const core = compose(config, { report, onKeyEvent: nothing, now, ...dependencies });
  const records: ReviewRecord[] = [];
  const pins: PinRecord[] = [];
  const server = createServer({
    ...config,
    reviewer: core.reviewer,
    pinner: core.pinner,
    record: (record) => void (record.route === 'pin' ? pins.push(record) : records.push(record)),
    report,
    metrics: createMetrics({ version: '0', commit: 'none', node: 'none' }),
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    certificate: createFileCertificates(await certificateFiles()),
    listen: { host: '127.0.0.1', port: 0 },
    probes: { host: '127.0.0.1', port: 0 },
    now: () => performance.now(),
  });
  const { listen } = await server.start(() => core.load());
  const agent = new Agent({ ca: tls.ca, keepAlive: true });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= (async () => {
      agent.destroy();
      await server.drain();
      await core.close();
    })();
    return stopped;
  };
  onTestFinished(stop);
  const post = poster(listen.port, agent);
  const sendReview: InProcessWebhook['sendReview'] = async (path, review) => {
    const { response, status, body, milliseconds } = await post(path, JSON.stringify(review));
    if (response === undefined) throw new Error(`${status}: ${body}`);
    return { ...response, milliseconds };
  };
  return {
    post,
    sendReview,
    async summaryOf(review, path = '/validate/enforce') {
      const response = await sendReview(path, review);
      return {
        verdict: response.auditAnnotations?.['verdict'],
        reasons: reasonsOf(response),
        requests: records.at(-1)?.requests ?? 0,
      };
    },
    lastRecord: () => records.at(-1),
    lastPins: () => pins.at(-1),
    advanceClock: (time) => void (passed += time),
    reported,
    stop,
  };
};
