import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import type { Container, Probe } from '../objects.ts';

const portOf = (container: Container, port: number | string): number => {
  if (typeof port === 'number') return port;
  const named = container.ports?.find(({ name }) => name === port);
  if (named === undefined) throw new Error(`container ${container.name} has no port ${port}`);
  return named.containerPort;
};

/** Probes a URL as the kubelet does: 200 to 399 is a success, and over TLS any certificate is accepted. */
const isHealthy = (url: string, milliseconds: number): Promise<boolean> =>
  new Promise((resolve) => {
    const options = { timeout: milliseconds, agent: false, rejectUnauthorized: false };
    const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(url, options, (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      resolve(status >= 200 && status < 400);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
    request.end();
  });

const urlOf = (probe: Probe, container: Container, address: string): string => {
  const { httpGet } = probe;
  if (httpGet === undefined) throw new Error('the simulated kubelet supports HTTP probes only');
  const scheme = (httpGet.scheme ?? 'HTTP').toLowerCase();
  return `${scheme}://${address}:${portOf(container, httpGet.port)}${httpGet.path}`;
};

/**
 * Probes a container at the probe's own times, and reports each change of its health: unhealthy means
 * `failureThreshold` failures in a row. Ends with the signal.
 */
const watchProbe = async (
  {
    probe,
    container,
    address,
  }: { readonly probe: Probe; readonly container: Container; readonly address: string },
  report: (healthy: boolean) => Promise<void>,
  signal: AbortSignal,
): Promise<void> => {
  const { initialDelaySeconds = 0, periodSeconds = 10, timeoutSeconds = 1, failureThreshold = 3 } = probe;
  const url = urlOf(probe, container, address);
  const pause = (seconds: number): Promise<unknown> =>
    delay(seconds * 1000, undefined, { signal }).catch(() => undefined);
  await pause(initialDelaySeconds);
  let failures = 0;
  let reported: boolean | undefined;
  while (!signal.aborted) {
    failures = (await isHealthy(url, timeoutSeconds * 1000)) ? 0 : failures + 1;
    const healthy = failures === 0 ? true : failures >= failureThreshold ? false : reported;
    if (healthy !== undefined && healthy !== reported && !signal.aborted) await report(healthy);
    reported = healthy;
    await pause(periodSeconds);
  }
};

/** Called as the probes of a container change. */
export interface Health {
  readonly onReady: (ready: boolean) => Promise<void>;
  /** The container failed its liveness or startup probe and must be stopped. */
  readonly onDead: () => Promise<void>;
}

/** Probes one run of a container until the signal ends. The startup probe delays the others until it succeeds. */
export const probeContainer = async (
  container: Container,
  address: string,
  { onReady, onDead }: Health,
  signal: AbortSignal,
): Promise<void> => {
  const { startupProbe, livenessProbe, readinessProbe } = container;
  const watch = (probe: Probe | undefined, report: (healthy: boolean) => Promise<void>, until = signal) =>
    probe === undefined ? Promise.resolve() : watchProbe({ probe, container, address }, report, until);
  const started = new AbortController();
  const either = AbortSignal.any([signal, started.signal]);
  await watch(startupProbe, async (healthy) => (healthy ? started.abort() : onDead()), either);
  if (readinessProbe === undefined) await onReady(true);
  await Promise.all([
    watch(livenessProbe, async (healthy) => (healthy ? undefined : onDead())),
    watch(readinessProbe, onReady),
  ]);
};
