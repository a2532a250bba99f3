import { onTestFinished } from 'vitest';
import { writeAuthority } from '../support/authority-file.ts';
import { pod, review } from '../support/builders.ts';
import { type InProcessWebhook, reasonsOf, startInProcessWebhook } from '../support/in-process-webhook.ts';
import { type Fault, startRegistry } from '../support/registry-server.ts';
import { createTls } from '../support/tls.ts';
import type { ReviewResponse } from '../support/webhook.ts';
import { signer } from './images.ts';
import {
  type Arrival,
  arrivalsOf,
  type Network,
  type Outcome,
  pinnedImages,
  type Resolution,
  type Run,
  recordResolutions,
} from './run.ts';
import type { Schedule } from './schedule.ts';
import { createSimulatedRegistry, type Hosts } from './simulated-registry.ts';

const tls = createTls();

/** Responds to every request as the network of the schedule decides. */
const faultOf =
  (network: Network, origin: string): Fault =>
  (request, response) => {
    const { method = '', headers } = request;
    const fate = network({
      method,
      url: new URL(request.url ?? '', origin),
      authorization: headers.authorization,
    });
    if (fate === 'no connection') request.socket.destroy();
    else if (fate !== 'silence')
      setTimeout(
        () =>
          response
            .writeHead(fate.status, { ...fate.headers, 'content-length': fate.body.length })
            .end(fate.body),
        fate.after,
      );
    return true;
  };

const startHosts = async () => {
  const servers = await Promise.all([startRegistry({ tls }), startRegistry({ tls }), startRegistry({ tls })]);
  onTestFinished(async () => void (await Promise.all(servers.map((server) => server.close()))));
  const [mirror, tokens, storage] = servers;
  const hosts: Hosts = { mirror: mirror.host, tokens: tokens.host, storage: storage.host };
  return {
    hosts,
    serve(network: Network): void {
      for (const server of servers) server.fault = faultOf(network, server.origin);
    },
  };
};

/** The milliseconds that this process was late in all, until now: what it could not do is no delay of the webhook. */
const startLateness = (): (() => number) => {
  const EVERY = 10;
  let late = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    late += Math.max(0, now - last - 2 * EVERY);
    last = now;
  }, EVERY);
  onTestFinished(() => clearInterval(timer));
  return () => late;
};

/** The annotation names images as far as there is room in it, and counts the rest. */
const letThroughOf = (
  { auditAnnotations }: ReviewResponse,
  images: readonly string[],
): readonly (readonly [string, string])[] => {
  const text = auditAnnotations?.['let-through'] ?? '';
  const named = text.split('; ').flatMap((entry) => {
    const [, image, code] = /^(\S+) (\S+): /.exec(entry) ?? [];
    return image === undefined || code === undefined ? [] : [[image, code] as const];
  });
  const rest = images.filter((image) => named.every(([name]) => name !== image));
  const isEveryImage = text.endsWith(`; +${rest.length} more`);
  return isEveryImage ? [...named, ...rest.map((image) => [image, named.at(-1)?.[1] ?? ''] as const)] : named;
};

/** The annotations name the images that an outage rule let through; of a denial, the reasons alone are known. */
const reasonsByImage = (response: ReviewResponse, images: readonly string[]): ReadonlyMap<string, string> =>
  new Map(
    response.allowed ? letThroughOf(response, images) : reasonsOf(response).map((code) => [code, code]),
  );

const startWebhook = (schedule: Schedule, { mirror }: Hosts): Promise<InProcessWebhook> => {
  const caFile = writeAuthority(tls.ca);
  return startInProcessWebhook(
    {
      keys: [{ inline: signer.publicPem }],
      mirrors: [{ mirror: `${mirror}/istio`, of: 'docker.io/istio' }],
      registries: [{ host: mirror, caFile }],
      pin: schedule.pin,
      undetermined: { enforce: schedule.undetermined },
      tagMemory: `${schedule.tagMemory}ms`,
      limits: { tagEntries: 50, rejectedEntries: 50, requestsPerRegistry: 16, drain: '0s' },
    },
    { files: { [caFile]: tls.ca } },
  );
};

/** Runs a schedule over TLS: the webhook and the hosts of its registry are servers on loopback. */
export const runOverSockets = async (schedule: Schedule): Promise<Run> => {
  const { hosts, serve } = await startHosts();
  const webhook = await startWebhook(schedule, hosts);
  const lateness = startLateness();
  const begin = Date.now();
  const elapsed = (): number => Date.now() - begin;
  const resolutions: Resolution[] = [];
  serve(recordResolutions(createSimulatedRegistry(schedule, hosts, elapsed), elapsed, resolutions));
  const arrive = async ({ burst, at, images }: Arrival): Promise<Outcome> => {
    await new Promise((resolve) => setTimeout(resolve, at - elapsed()));
    const { tenant, timeout } = burst;
    const [start, lateBefore] = [elapsed(), lateness()];
    const reviewOf = (names: readonly string[]) => review(pod(names), { namespace: tenant });
    const query = `?timeout=${timeout}s`;
    const pinning =
      schedule.pin === 'never'
        ? undefined
        : await webhook.sendReview(`/mutate/pin${query}`, reviewOf(images));
    const validated = pinnedImages(images, pinning?.patch);
    const response = await webhook.sendReview(`/validate/enforce${query}`, reviewOf(validated));
    const [end, late] = [elapsed(), lateness() - lateBefore];
    const verdict = response.auditAnnotations?.['verdict'] ?? '';
    return {
      tenant,
      images,
      validated,
      start,
      end,
      late,
      verdict,
      reasons: reasonsByImage(response, validated),
    };
  };
  const outcomes = await Promise.all(arrivalsOf(schedule, hosts.mirror).map(arrive));
  return { outcomes, resolutions: resolutions.toSorted((left, right) => left.at - right.at) };
};
