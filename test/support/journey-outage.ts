import { expect, onTestFinished } from 'vitest';
import { pod, review } from './builders.ts';
import { type Door, openDoor, reasonsOf } from './journey-door.ts';
import { type Mirror, startMirror } from './journey-mirror.ts';
import type { Fault } from './registry-server.ts';

/*
 * For journeys during an outage: every review is sent with `?timeout=2s`, as an API server would that waits no longer,
 * and must be answered inside it.
 */

/** A mirror, and the webhook that trusts it. */
export interface Stage {
  readonly mirror: Mirror;
  readonly door: Door;
}

/** The mirror comes first, so that `configure` can name what it holds. */
export const openStage = async (configure: (mirror: Mirror) => object = () => ({})): Promise<Stage> => {
  const mirror = await startMirror();
  onTestFinished(() => mirror.registry.close());
  const door = await openDoor({ ...mirror.configuration, ...configure(mirror) });
  return { mirror, door };
};

/** Past `tagMemory` and `rejectedMemory`: what is asked now is asked of the registry. */
export const later = (door: Door): void => door.pass(10_001);

const TIMEOUT = 2000;

export interface Told {
  readonly verdict: string | undefined;
  readonly reasons: readonly string[];
}

export const ask = async (door: Door, images: readonly string[], path = '/validate/enforce') => {
  const answer = await door.ask(`${path}?timeout=${TIMEOUT / 1000}s`, review(pod(images)));
  expect(answer.milliseconds).toBeLessThan(TIMEOUT - 100);
  return answer;
};

export const tell = async (door: Door, image: string, path?: string): Promise<Told> => {
  const answer = await ask(door, [image], path);
  return { verdict: answer.auditAnnotations?.['verdict'], reasons: reasonsOf(answer) };
};

export const allowed: Told = { verdict: 'allow', reasons: [] };
export const warned = (code: string): Told => ({ verdict: 'warn', reasons: [code] });
export const refused = (code: string): Told => ({ verdict: 'deny', reasons: [code] });

export const hang: Fault = () => true;
export const answerWith =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = ''): Fault =>
  (_request, response) => {
    response.writeHead(status, headers).end(body);
    return true;
  };
export const drop: Fault = (request) => {
  request.socket.destroy();
  return true;
};
export const limitRate = answerWith(429, { 'retry-after': '30' });
