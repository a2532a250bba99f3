import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRegistry, type TestRegistry } from '../../support/registry-server.ts';
import {
  createSigner,
  imageIndex,
  push,
  pushSignatures,
  type Signer,
  sign,
} from '../../support/signing-kit.ts';
import { createTls, type Tls } from '../../support/tls.ts';
import { type ControlPlane, HOST, startControlPlane } from '../control-plane/control-plane.ts';
import { bundleImage, type Image } from '../control-plane/kubelet/container.ts';
import { type Kubelet, startKubelet } from '../control-plane/kubelet/kubelet.ts';
import type { Release } from '../control-plane/programs.ts';

/*
 * A cluster with sailmark in it: the control plane, a kubelet for the release's namespace, and the registry that stands
 * for the hubs, which is read in their place as a node's mirror is. Images have the names that Istio gives them.
 */

export const NAMESPACE = 'sailmark';
export const CHART = 'charts/sailmark';
const BUNDLE = new URL('../../../dist', import.meta.url).pathname;
const HUBS = ['docker.io', 'gcr.io', 'registry.istio.io'];

export interface ClusterOptions {
  readonly release?: Release;
  /** What runs for the chart's image; the bundle that was built, unless there is another. */
  readonly image?: (reference: string) => Image | undefined;
}

export interface Cluster extends ControlPlane {
  readonly kubelet: Kubelet;
  /** Read wherever a hub is named; over TLS with a CA of its own. */
  readonly registry: TestRegistry;
  /** Who signs what Istio publishes. */
  readonly signer: Signer;
  /**
   * Publishes an image as Istio does, as `docker.io/istio/NAME:TAG`, and gives that reference. Signed unless told
   * otherwise; `seed` makes it another image.
   */
  publish(name: string, tag: string, options?: PublishOptions): string;
  /** Values that are the same in every test: keys, where hubs are read, and what makes a test shorter than a day. */
  readonly values: object;
  /** A file with these values, which `--values` names. */
  writeValues(values: object): Promise<string>;
  /** `helm install`, as the README has it, with the cluster's values and these; then waits for its pods. */
  install(values?: object, ...flags: readonly string[]): Promise<string>;
  /** `helm upgrade` with the same. */
  upgrade(values?: object, ...flags: readonly string[]): Promise<string>;
  /** Makes a namespace, with these labels. */
  createNamespace(name: string, labels?: Readonly<Record<string, string>>): Promise<void>;
}

export interface PublishOptions {
  readonly signed?: boolean;
  readonly seed?: string;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** As Helm merges values: objects by key, everything else replaced. */
const merge = (below: object, above: object): object => {
  const merged: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const old = merged[key];
    merged[key] = isObject(old) && isObject(value) ? merge(old, value) : value;
  }
  return merged;
};

const valuesFor = (registry: TestRegistry, signer: Signer): object => ({
  config: {
    keys: [{ inline: signer.publicPem }],
    registries: [
      ...HUBS.map((host) => ({ host, endpoint: registry.host })),
      { host: registry.host, caFile: '/etc/sailmark/registry/ca.pem' },
    ],
  },
  files: { registry: { configMap: { name: 'registry-ca' } } },
});

/** What somebody has prepared who has a registry with a CA of its own. */
const prepare = async ({ api }: ControlPlane, tls: Tls): Promise<void> => {
  await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  const metadata = { name: 'registry-ca', namespace: NAMESPACE };
  await api.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'ca.pem': tls.ca } });
};

/** Starts everything but the release itself. */
export const startCluster = async ({ release = '1.36', image }: ClusterOptions = {}): Promise<Cluster> => {
  await using started = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'sailmark-cluster-'));
  started.defer(() => rm(directory, { recursive: true, force: true }));
  const tls = createTls([HOST]);
  const registry = await startRegistry({ address: HOST, tls });
  started.defer(() => registry.close());
  const signer = createSigner();
  const plane = await startControlPlane(release);
  started.defer(() => plane.stop());
  await prepare(plane, tls);
  const bundle = bundleImage(BUNDLE);
  const kubelet = await startKubelet(plane, { namespace: NAMESPACE, image: image ?? (() => bundle) });
  started.defer(() => kubelet.stop());
  const values = valuesFor(registry, signer);
  let written = 0;
  const writeValues = async (some: object): Promise<string> => {
    written += 1;
    const path = join(directory, `values-${written}.yaml`);
    await writeFile(path, JSON.stringify(some));
    return path;
  };
  const run = async (command: string, own: object, flags: readonly string[]): Promise<string> => {
    const file = await writeValues(merge(values, own));
    const argv = [command, 'sailmark', CHART, '--namespace', NAMESPACE, '--create-namespace'];
    const waiting = ['--wait', '--timeout', '90s', '--values', file];
    return plane.helm(...argv, ...waiting, ...flags).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${kubelet.describe()}`);
    });
  };
  const running = started.move();
  return {
    ...plane,
    kubelet,
    registry,
    signer,
    values,
    writeValues,
    publish(name, tag, { signed = true, seed = `${name} ${tag}` } = {}) {
      const repository = `istio/${name}`;
      const digest = push(registry, repository, imageIndex(seed), tag);
      if (signed)
        pushSignatures(registry, repository, digest, [sign(signer, `docker.io/${repository}`, digest)]);
      return `docker.io/${repository}:${tag}`;
    },
    install: (own = {}, ...flags) => run('install', own, flags),
    upgrade: (own = {}, ...flags) => run('upgrade', own, flags),
    async createNamespace(name, labels = {}) {
      await plane.api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    },
    stop: () => running.disposeAsync(),
  };
};
