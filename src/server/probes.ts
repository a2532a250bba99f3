import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Metrics } from '../observability/index.ts';

export interface ProbeDependencies {
  readonly metrics: Pick<Metrics, 'render'>;
  /** Returns the reasons why this replica should get no reviews; empty if it is ready. */
  readonly notReady: () => readonly string[];
  /** Called whenever the answer is that this replica is ready: the kubelet, or whoever asks, knows. */
  readonly onReady?: () => void;
}

const respond = (
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void => {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
};

const respondReadiness = (response: ServerResponse, { notReady, onReady }: ProbeDependencies): void => {
  const reasons = notReady();
  if (reasons.length > 0) return respond(response, 503, `not ready: ${reasons.join('; ')}\n`);
  respond(response, 200, 'ready\n');
  onReady?.();
};

const respondMetrics = async (
  response: ServerResponse,
  metrics: ProbeDependencies['metrics'],
): Promise<void> => {
  const { type, text } = await metrics.render();
  respond(response, 200, text, type);
};

const respondProbe = async (
  path: string,
  response: ServerResponse,
  dependencies: ProbeDependencies,
): Promise<void> => {
  if (path === '/livez') respond(response, 200, 'alive\n');
  else if (path === '/readyz') respondReadiness(response, dependencies);
  else if (path === '/metrics') await respondMetrics(response, dependencies.metrics);
  else respond(response, 404, 'not found; try /livez, /readyz or /metrics\n');
};

/** Creates the server of probes and metrics. It speaks plain HTTP: the kubelet and Prometheus do not have the webhook's CA. */
export const createProbes = (dependencies: ProbeDependencies): Server =>
  createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return respond(response, 405, 'only GET and HEAD are allowed\n');
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    respondProbe(path, response, dependencies).catch(() => {
      if (!response.headersSent) respond(response, 500, 'cannot read the metrics\n');
    });
  });
