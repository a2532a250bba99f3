import { expect, onTestFinished } from 'vitest';
import { pod, review } from './builders.ts';
import { type InProcessWebhook, reasonsOf, startInProcessWebhook } from './in-process-webhook.ts';
import { type Mirror, startMirror } from './mirror.ts';
import type { Fault, RegistryOptions } from './registry-server.ts';

/*
 * For journeys during an outage: every review is sent with `?timeout=2s`, as by an API server that waits no longer, and
 * the response must arrive within it. A registry that is silent for half a second is therefore out of service.
 */

/** The limits of these journeys. */
export const outageLimits = { drain: '0s', registrySilence: '500ms' };

/** A mirror, and a webhook that trusts it. */
export interface MirrorAndWebhook {
  readonly mirror: Mirror;
  readonly webhook: InProcessWebhook;
}

/** Starts a mirror, then a webhook. `configure` can use the mirror. */
export const startMirrorAndWebhook = async (
  configure: (mirror: Mirror) => object = () => ({}),
  options: RegistryOptions = {},
): Promise<MirrorAndWebhook> => {
  const mirror = await startMirror(options);
  onTestFinished(() => mirror.registry.close());
  const { configuration, files } = mirror;
  const webhook = await startInProcessWebhook(
    { limits: outageLimits, ...configuration, ...configure(mirror) },
    { files },
  );
  return { mirror, webhook };
};

/** Advances the clock past `tagMemory` and `rejectedMemory`: the next review sends requests to the registry. */
export const expireMemory = (webhook: InProcessWebhook): void => webhook.advanceClock(10_001);

const TIMEOUT = 2000;

export interface Verdict {
  readonly verdict: string | undefined;
  readonly reasons: readonly string[];
}

export const sendReview = async (
  webhook: InProcessWebhook,
  images: readonly string[],
  path = '/validate/enforce',
) => {
  const response = await webhook.sendReview(`${path}?timeout=${TIMEOUT / 1000}s`, review(pod(images)));
  expect(response.milliseconds).toBeLessThan(TIMEOUT - 100);
  return response;
};

export const verdictOn = async (
  webhook: InProcessWebhook,
  image: string,
  path?: string,
): Promise<Verdict> => {
  const response = await sendReview(webhook, [image], path);
  return { verdict: response.auditAnnotations?.['verdict'], reasons: reasonsOf(response) };
};

export const allowed: Verdict = { verdict: 'allow', reasons: [] };
export const warned = (code: string): Verdict => ({ verdict: 'warn', reasons: [code] });
export const refused = (code: string): Verdict => ({ verdict: 'deny', reasons: [code] });

export const hang: Fault = () => true;
export const respondWith =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = ''): Fault =>
  (_request, response) => {
    response.writeHead(status, headers).end(body);
    return true;
  };
export const drop: Fault = (request) => {
  request.socket.destroy();
  return true;
};
export const limitRate = respondWith(429, { 'retry-after': '30' });
