import {
  createPinner,
  createReviewer,
  type Pinner,
  type Reviewer,
  type ReviewerDependencies,
} from './admission/index.ts';
import type { ReportError } from './base/index.ts';
import type { Config } from './config/index.ts';
import { parseDigest, registryFromName, repositoryFromName } from './image/index.ts';
import { createClassifier } from './istio/index.ts';
import { labelRegistries, type Metrics, measureOpen, measureVerifier } from './observability/index.ts';
import { createJudge, type Judge } from './policy/index.ts';
import {
  createLayoutWriter,
  createRegistries,
  createSharedEvidence,
  createTagTable,
  type EvidenceEntry,
  type OpenSource,
  openLayout,
  type Registries,
  type RegistriesOptions,
  type SharedEvidence,
  type SharedObjects,
} from './registry/index.ts';
import {
  createDiskStore,
  createKeyRing,
  createSharedStore,
  createVerifier,
  type EvidenceStore,
  type KeyEvent,
  type KeyRing,
  type KeyRingLoader,
  loadProveLogged,
  type ProveLogged,
  runCanary,
  storeEverywhere,
  type Verifier,
  type VerifierDependencies,
} from './verification/index.ts';

/** The parts of a process that the configuration does not describe. */
export interface CoreDependencies {
  readonly report: ReportError;
  readonly onKeyEvent: (event: KeyEvent) => void;
  /** Undefined: nothing is measured. */
  readonly metrics?: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The route to registries; undefined: no proxy, and no credential program runs. */
  readonly network?: Pick<RegistriesOptions, 'proxy' | 'environment' | 'helpers' | 'pullSecrets'>;
  /** The objects in which replicas share evidence; undefined: they share none. */
  readonly sharedEvidence?: SharedObjects;
  /** Resolves host names in place of the system's resolver. */
  readonly lookUp?: RegistriesOptions['lookUp'];
  /** Replaces the network that registries are reached by. */
  readonly createTransport?: RegistriesOptions['createTransport'];
}

/** The wired core, which the webhook and the command line share. */
export interface Core {
  readonly judge: Judge;
  readonly reviewer: Reviewer;
  readonly pinner: Pinner;
  /** The parts of both, for reviews by another judge. */
  readonly admission: ReviewerDependencies;
  readonly ring: () => KeyRing;
  /** Opens a repository for requests that the judge does not make. */
  readonly openRepository: OpenSource;
  /** Stores manifests where evidence is written; does nothing if that is nowhere. Rejects if they cannot be written. */
  readonly storeEvidence: (entries: readonly EvidenceEntry[]) => Promise<void>;
  /** Notes the use of a reference as written: evidence that is in use is kept. */
  readonly noteUse: (image: string) => void;
  /** Runs the canary and loads the keys. Rejects if the canary fails or a key of the configuration is invalid. */
  load(): Promise<void>;
  /** Stops the key refresh, writes pending evidence and closes connections. */
  close(): Promise<void>;
}

/** Wires the rooms for one configuration. Sends no request before `load`. */
export const compose = (config: Config, dependencies: CoreDependencies): Core => {
  const { rules, limits } = config;
  const { metrics, now, report } = dependencies;
  const registries = composeRegistries(config, dependencies);
  const keys = composeKeyRing(config, dependencies, registries);
  const ring = (): KeyRing => keys.current();
  const known = configuredRegistries(config);
  const openRepository = metrics ? measureOpen(registries.open, metrics, known) : registries.open;
  const log = composeTransparencyLog(config);
  const evidence = composeEvidence(config, dependencies);
  const verifier = composeVerifier(config, dependencies, {
    open: openRepository,
    ring,
    ...log.options,
    ...evidence.options,
  });
  const { signatureRepository } = config;
  const judge = createJudge({
    ...createClassifier(config.places),
    verifier,
    ...rules,
    signatureRepository:
      signatureRepository === undefined ? undefined : repositoryFromName(signatureRepository),
  });
  const admission = { judge, rules, limits, now, report };
  metrics?.watchKeys(ring, keys.health);
  metrics?.watchRegistries(() => labelRegistries(registries.state(), known));
  return {
    judge,
    reviewer: createReviewer(admission),
    pinner: createPinner(admission),
    admission,
    ring,
    openRepository,
    storeEvidence: evidence.add,
    noteUse: evidence.noteUse,
    async load() {
      await runCanary();
      await log.load();
      await evidence.load();
      await keys.load();
    },
    async close() {
      keys.stop();
      await evidence.close();
      await registries.close();
    },
  };
};

/**
 * Creates the clients of registries. A request that was given up before its registry counts as silent would count as a
 * failure of the registry, so none is.
 */
const composeRegistries = (
  { limits, ...config }: Config,
  { now, report, network, lookUp, createTransport }: CoreDependencies,
): Registries =>
  createRegistries({
    settings: config.registries,
    defaults: config.registryDefaults,
    limits: { ...limits, requestTimeout: Math.max(limits.requestTimeout, limits.registrySilence) },
    now,
    report,
    ...network,
    ...(lookUp && { lookUp }),
    ...(createTransport && { createTransport }),
  });

/** The registries that the configuration names: a closed set, because they become labels of metrics. */
const configuredRegistries = ({ places, registries }: Config): ReadonlySet<string> =>
  new Set([
    ...registries.flatMap(({ host, endpoint }) => [
      host,
      ...(endpoint === undefined ? [] : [registryFromName(endpoint)]),
    ]),
    ...[
      ...places.hubs,
      ...places.mirrors.flatMap(({ mirror, signatures = mirror }) => [mirror, signatures]),
    ].map(registryFromName),
  ]);

const composeKeyRing = (
  config: Config,
  { onKeyEvent, now }: CoreDependencies,
  { fetchDocument }: Registries,
): KeyRingLoader =>
  createKeyRing({
    specs: config.keys,
    requirePinned: config.requirePinnedKeys,
    fetchDocument,
    limits: config.limits,
    onEvent: onKeyEvent,
    now,
  });

/** The transparency log, if it is required: its trusted logs are loaded before the first verification. */
const composeTransparencyLog = ({ transparencyLog, trustedRoot }: Config) => {
  if (transparencyLog === 'ignore') return { options: {}, load: doNothing };
  let loaded: ProveLogged | undefined;
  const proveLogged: ProveLogged = (signature) =>
    loaded?.(signature) ?? { problem: 'the trusted logs are not loaded yet' };
  return {
    options: { proveLogged },
    async load() {
      loaded = await loadProveLogged(trustedRoot?.logs);
    },
  };
};

/** The evidence that replicas share, if they share any. */
const openSharedEvidence = (
  { sharedEvidenceBytes: maxBytes }: Config['limits'],
  { now, report, sharedEvidence, metrics }: CoreDependencies,
): SharedEvidence | undefined => {
  if (sharedEvidence === undefined) return undefined;
  const onWrite = metrics?.evidenceWrites('cluster', now);
  const shared = createSharedEvidence({ ...sharedEvidence, maxBytes, now, report, onWrite });
  metrics?.watchEvidence(shared.state);
  return shared;
};

/** The layouts that evidence is read from, and the places that new evidence is written to. */
const composeEvidence = ({ evidence, limits }: Config, dependencies: CoreDependencies) => {
  const { read, write } = evidence;
  const { now, report, metrics } = dependencies;
  const layouts = [...read, ...(write === undefined ? [] : [write])].map((directory) =>
    openLayout(directory, limits),
  );
  const shared = openSharedEvidence(limits, dependencies);
  const writer = write === undefined ? undefined : createLayoutWriter(write);
  const stores: readonly EvidenceStore[] = [
    ...(shared === undefined ? [] : [createSharedStore(shared)]),
    ...(write === undefined || writer === undefined
      ? []
      : [
          createDiskStore(
            writer,
            createTagTable(write, { maxTags: limits.tagEntries, now, report }),
            report,
            metrics?.evidenceWrites('directory', now),
          ),
        ]),
  ];
  const openEvidence: VerifierDependencies['openEvidence'] = (repository) => [
    ...(shared === undefined ? [] : [shared.open()]),
    ...layouts.map((layout) => layout.open(repository)),
  ];
  return {
    options: { openEvidence, ...(stores.length > 0 && storeEverywhere(stores)) },
    add: writer?.add ?? doNothing,
    noteUse(image: string) {
      const digest = shared && parseDigest(image.slice(image.lastIndexOf('@') + 1));
      if (digest !== undefined) shared?.touch(digest);
    },
    async load() {
      await Promise.all(stores.map((store) => store.load()));
    },
    async close() {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
};

const doNothing = async (): Promise<void> => {};

const composeVerifier = (
  { limits, tagMemory, componentProof, places, offline }: Config,
  { metrics, now, report }: CoreDependencies,
  sources: Pick<
    VerifierDependencies,
    'open' | 'ring' | 'openEvidence' | 'storeProofs' | 'tagTable' | 'proveLogged'
  >,
): Verifier => {
  const verifier = createVerifier({
    ...sources,
    limits,
    tagMemory,
    componentProof,
    now,
    report,
    hubs: places.hubs,
    offline,
  });
  metrics?.watchMemory(verifier.memoryState);
  return metrics ? measureVerifier(verifier, metrics, now) : verifier;
};
