import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesObject } from '../control-plane/objects.ts';
import { until } from '../control-plane/until.ts';
import { type Cluster, NAMESPACE } from './cluster.ts';
import { OUR_REFUSAL, tryPod } from './lifecycle.ts';

/*
 * When the gate is in force, seen from outside: pods that are tried without a pause, and manifests that are applied again
 * and again, as Argo CD's self-heal and Flux do.
 */

export const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/sailmark';

export const PINNING = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/zz-sailmark';

interface Configuration extends KubernetesObject {
  readonly webhooks: readonly {
    readonly name: string;
    readonly clientConfig: object;
  }[];
}

const withoutField = (object: object, field: string): object =>
  Object.fromEntries(Object.entries(object).filter(([key]) => key !== field));

/** Returns the webhook configuration as Helm created it: without what sailmark writes. */
export const asCreated = ({ webhooks, ...object }: Configuration): KubernetesObject => ({
  ...object,
  webhooks: webhooks.map((entry) => ({
    ...(/^(critical|enforce)\./.test(entry.name) ? withoutField(entry, 'rules') : entry),
    clientConfig: withoutField(entry.clientConfig, 'caBundle'),
  })),
});

/** What became of the pods that were tried. */
export type Outcome = 'starts' | 'refused' | 'no backend';

const outcomeOf = (said: string): Outcome => {
  if (said === 'starts') return 'starts';
  if (said.includes(OUR_REFUSAL)) return 'refused';
  if (said.includes('failed calling webhook "enforce.sailmark.dev"')) return 'no backend';
  throw new Error(`an unexpected answer: ${said}`);
};

/** Tries a pod of the namespace `shop` once. */
export const outcome = async (cluster: Cluster, image: string): Promise<Outcome> =>
  outcomeOf(await tryPod(cluster, 'shop', 'probe', image));

/** Waits for an outcome. */
export const untilOutcome = (cluster: Cluster, image: string, wanted: Outcome): Promise<unknown> =>
  until(`a pod ${wanted}`, async () => (await outcome(cluster, image)) === wanted, {
    every: 20,
    seconds: 60,
  });

/** Pods tried without a pause. */
export interface Probes {
  /** Stops, and resolves with what was seen: the outcomes in order, equal neighbours once, and their number. */
  stop(): Promise<{ readonly seen: readonly Outcome[]; readonly count: number }>;
}

/** Tries pods until it is stopped. */
export const startProbes = (cluster: Cluster, image: string): Probes => {
  const over = new AbortController();
  const seen: Outcome[] = [];
  let count = 0;
  const run = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const next = await outcome(cluster, image);
      if (seen.at(-1) !== next) seen.push(next);
      count += 1;
    }
  };
  const running = run();
  return {
    async stop() {
      over.abort();
      await running;
      return { seen, count };
    },
  };
};

/** Writes the release's manifest to a file, and resolves with its path. */
export const renderedManifest = async (cluster: Cluster): Promise<string> => {
  const path = join(await mkdtemp(join(tmpdir(), 'sailmark-manifest-')), 'manifest.yaml');
  await writeFile(path, await cluster.helm('get', 'manifest', 'sailmark', '--namespace', NAMESPACE));
  return path;
};

/** The ways in which a manifest is applied: `kubectl apply`, Argo CD's two ways, Flux. */
export const APPLIES: readonly { readonly name: string; readonly flags: readonly string[] }[] = [
  { name: 'client-side', flags: [] },
  {
    name: 'server-side, as a manager that owns what it applies',
    flags: ['--server-side', '--force-conflicts', '--field-manager=gitops'],
  },
];

/** Applies a manifest every second until it is stopped, as self-heal does. Rejects if one of them fails. */
export const startSelfHeal = (cluster: Cluster, manifest: string, flags: readonly string[]) => {
  const over = new AbortController();
  let rounds = 0;
  const run = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const { code, stderr } = await cluster.kubectl('apply', ...flags, '--filename', manifest);
      if (code !== 0) throw new Error(`kubectl apply ended with ${code}: ${stderr}`);
      rounds += 1;
      await delay(1000, undefined, { signal: over.signal }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    /** Waits until it applied so many times more. */
    untilApplied: (times: number) => {
      const from = rounds;
      return until(`${times} applies`, async () => rounds >= from + times, { seconds: 60 });
    },
    async stop() {
      over.abort();
      await running;
    },
  };
};
