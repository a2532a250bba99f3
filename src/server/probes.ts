import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Metrics } from '../observability/index.ts';

export interface ProbeDependencies {
  readonly metrics: Pick<Metrics, 'render'>;
  /** Why no review should be sent here now; empty: ready. */
  readonly notReady: () => readonly string[];
}

const answer = (
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void => {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
};

const answerReady = (response: ServerResponse, reasons: readonly string[]): void =>
  reasons.length === 0
    ? answer(response, 200, 'ready\n')
    : answer(response, 503, `not ready: ${reasons.join('; ')}\n`);

const answerMetrics = async (
  response: ServerResponse,
  metrics: ProbeDependencies['metrics'],
): Promise<void> => {
  const { type, text } = await metrics.render();
  answer(response, 200, text, type);
};

const answerProbe = async (
  path: string,
  response: ServerResponse,
  parts: ProbeDependencies,
): Promise<void> => {
  if (path === '/livez') answer(response, 200, 'alive\n');
  else if (path === '/readyz') answerReady(response, parts.notReady());
  else if (path === '/metrics') await answerMetrics(response, parts.metrics);
  else answer(response, 404, 'there are /livez, /readyz and /metrics\n');
};

/** Plain HTTP for the kubelet and Prometheus, apart from reviews: neither has the webhook's CA. */
export const createProbes = (parts: ProbeDependencies): Server =>
  createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, 'GET alone\n');
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    answerProbe(path, response, parts).catch(() => {
      if (!response.headersSent) answer(response, 500, 'the metrics could not be read\n');
    });
  });
