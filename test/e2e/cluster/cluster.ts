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
import { bundleImage } from '../control-plane/kubelet/container.ts';
import { type Kubelet, startKubelet } from '../control-plane/kubelet/kubelet.ts';
import type { PullImage } from '../control-plane/kubelet/pod-runner.ts';
import type { Release } from '../control-plane/programs.ts';

/*
 * A cluster for sailmark: the control plane, a kubelet for the release's namespace, and a registry that is configured
 * as the endpoint of every hub. Images have the names that Istio gives them.
 */

export const NAMESPACE = 'sailmark';
export const CHART = 'charts/sailmark';
/** The chart names no image of its own, and the kubelet is told what this one is. */
export const IMAGE = 'registry.corp.example/sailmark';
const BUNDLE = new URL('../../../dist', import.meta.url).pathname;
const HUBS = ['docker.io', 'gcr.io', 'registry.istio.io'];

export interface ClusterOptions {
  readonly release?: Release;
  /** Resolves the chart's image; by default to the bundle. */
  readonly image?: PullImage;
}

export interface Cluster extends ControlPlane {
  readonly kubelet: Kubelet;
  /** The endpoint of every hub; over TLS with a CA of its own. */
  readonly registry: TestRegistry;
  /** Signs the images that Istio publishes. */
  readonly signer: Signer;
  /**
   * Publishes an image as `docker.io/istio/NAME:TAG` and returns that reference. It is signed unless `signed` is false;
   * another `seed` is another image.
   */
  publish(name: string, tag: string, options?: PublishOptions): string;
  /** The chart values of every test: keys, and the registry as the endpoint of hubs. */
  readonly values: object;
  /** Writes chart values to a file and resolves with its path, for `--values`. */
  writeValues(values: object): Promise<string>;
  /** Writes a configuration file for the command line, with the cluster's keys and registry and these keys of it. */
  writeConfiguration(more?: object): Promise<string>;
  /** Runs `helm install` with the cluster's values and these, and waits for the pods. */
  install(values?: object, ...flags: readonly string[]): Promise<string>;
  /** Runs `helm upgrade` with the cluster's values and these, and waits for the pods. */
  upgrade(values?: object, ...flags: readonly string[]): Promise<string>;
  /** Creates a namespace with these labels. */
  createNamespace(name: string, labels?: Readonly<Record<string, string>>): Promise<void>;
}

export interface PublishOptions {
  readonly signed?: boolean;
  readonly seed?: string;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Merges values as Helm does: objects by key, everything else is replaced. */
const merge = (below: object, above: object): object => {
  const merged: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const old = merged[key];
    merged[key] = isObject(old) && isObject(value) ? merge(old, value) : value;
  }
  return merged;
};

/** The keys of a configuration: the release key, and the registry as the endpoint of the hubs. */
const configurationFor = (registry: TestRegistry, signer: Signer, caFile: string): object => ({
  keys: [{ inline: signer.publicPem }],
  registries: [...HUBS.map((host) => ({ host, endpoint: registry.host })), { host: registry.host, caFile }],
});

const valuesFor = (registry: TestRegistry, signer: Signer): object => ({
  image: { repository: IMAGE },
  config: configurationFor(registry, signer, '/etc/sailmark/registry/ca.pem'),
  files: { registry: { configMap: { name: 'registry-ca' } } },
});

/** Creates the namespace, and in it the ConfigMap with the registry's CA. */
const prepare = async ({ api }: ControlPlane, tls: Tls): Promise<void> => {
  await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  const metadata = { name: 'registry-ca', namespace: NAMESPACE };
  await api.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'ca.pem': tls.ca } });
};

/** Starts everything except the release itself. */
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
  const writeConfiguration = async (more: object = {}): Promise<string> => {
    const caFile = join(directory, 'registry-ca.pem');
    await writeFile(caFile, tls.ca);
    const head = { apiVersion: 'sailmark.dev/v1alpha1', kind: 'Configuration' };
    // YAML is a superset of JSON.
    return writeValues({ ...head, ...configurationFor(registry, signer, caFile), ...more });
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
    writeConfiguration,
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
