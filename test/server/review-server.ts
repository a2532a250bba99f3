import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Reviewer } from '../../src/admission/index.ts';
import { defaultLimits, type Limits } from '../../src/config/index.ts';
import { createMetrics } from '../../src/observability/index.ts';
import {
  createFileCertificates,
  createServer,
  type ReviewServer,
  type ServerDependencies,
} from '../../src/server/index.ts';
import { pod, review as reviewOf } from '../support/builders.ts';
import { createTls, type Tls } from '../support/tls.ts';

export const tls: Tls = createTls();

const free = { host: '127.0.0.1', port: 0 };

/** A body as the API server sends it. */
export const body = JSON.stringify(reviewOf(pod(['docker.io/istio/proxyv2:1.28.0'])));
export const uid = '705ab4f5-6393-11e8-b7cc-42010a800002';

type Review = Reviewer['review'];
type Reviewed = Awaited<ReturnType<Review>>;

export const allowed = {
  response: {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, allowed: true, auditAnnotations: { verdict: 'allow' } },
  },
  record: { uid, mode: 'enforce', critical: false, operation: 'CREATE', verdict: 'allow', findings: [] },
} as unknown as Reviewed;

export const allowAll: Review = () => Promise.resolve(allowed);

/** Writes a certificate and its key into a directory that is removed when the test ends. */
export const certificateFiles = async (
  content: Pick<Tls, 'cert' | 'key'> = tls,
): Promise<{ readonly cert: string; readonly key: string }> => {
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-server-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const files = { cert: join(directory, 'tls.crt'), key: join(directory, 'tls.key') };
  await writeFile(files.cert, content.cert);
  await writeFile(files.key, content.key);
  return files;
};

/** The output of a server in a test: review records, reported errors, log lines. */
export interface ServerOutput {
  readonly records: { readonly record: Reviewed['record']; readonly milliseconds: number }[];
  readonly reported: unknown[];
  readonly logged: object[];
}

export interface StartedServer extends ServerOutput {
  readonly server: ReviewServer;
  readonly port: number;
  readonly probePort: number;
}

/** Creates a server without starting it. It is stopped when the test ends. */
export const createTestServer = async (
  review: Review,
  limits: Partial<Limits> = {},
  parts: Partial<ServerDependencies> = {},
): Promise<ServerOutput & { readonly server: ReviewServer }> => {
  const output: ServerOutput = { records: [], reported: [], logged: [] };
  const write = (facts: object): void => void output.logged.push(facts);
  const server = createServer({
    reviewer: { recall: () => undefined, review },
    pinner: { recall: () => undefined, review: () => Promise.reject(new Error('not pinned here')) },
    record: (record, milliseconds) => {
      if (record.route === undefined) output.records.push({ record, milliseconds });
    },
    report: (error) => {
      output.reported.push(error);
      return 'incident-1';
    },
    metrics: createMetrics({ version: '0', commit: 'none', node: 'none' }),
    log: { debug: write, info: write, warn: write, error: write },
    certificate: createFileCertificates(await certificateFiles()),
    listen: free,
    probes: free,
    limits: { ...defaultLimits, drain: 0, ...limits },
    now: () => performance.now(),
    ...parts,
  });
  onTestFinished(() => server.drain());
  return { ...output, server };
};

/** Starts a server on free ports of loopback. */
export const startServer = async (
  review: Review,
  limits: Partial<Limits> = {},
  parts: Partial<ServerDependencies> = {},
): Promise<StartedServer> => {
  const created = await createTestServer(review, limits, parts);
  const { listen, probes } = await created.server.start();
  return { ...created, port: listen.port, probePort: probes.port };
};

export interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
  /** The local port of the connection: the same port is the same connection. */
  readonly connection: number | undefined;
}

/** Sends one request over TLS, with the test's CA. */
export const send = (
  port: number,
  path: string,
  content: string,
  options: Omit<RequestOptions, 'headers'> & { readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Response> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', ...options.headers };
    const request = httpsRequest(
      { host: '127.0.0.1', port, path, method: 'POST', ca: tls.ca, ...options, headers },
      (response) => {
        const connection = response.socket.localPort;
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
            connection,
          }),
        );
      },
    );
    request.once('error', reject);
    request.end(content);
  });
