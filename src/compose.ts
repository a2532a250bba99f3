import { createReviewer, type Reviewer } from './admission/index.ts';
import { type ReportError } from './base/index.ts';
import type { Config } from './config/index.ts';
import { registryFromName } from './image/index.ts';
import { createClassifier } from './istio/index.ts';
import { type Metrics, measureOpen, measureVerifier } from './observability/index.ts';
import { createJudge, type Judge } from './policy/index.ts';
import {
  createLayoutWriter,
  createRegistries,
  createTagTable,
  type EvidenceEntry,
  type OpenSource,
  openLayout,
  type RegistriesOptions,
  signatureEntry,
} from './registry/index.ts';
import {
  createKeyRing,
  createVerifier,
  type KeyEvent,
  type KeyRing,
  loadProveLogged,
  type ProveLogged,
  runCanary,
  type VerifierDependencies,
} from './verification/index.ts';

/** What a process has besides its configuration. */
export interface CoreDependencies {
  readonly report: ReportError;
  readonly onKeyEvent: (event: KeyEvent) => void;
  /** Undefined: nothing is measured. */
  readonly metrics?: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The process's environment, as far as registries are concerned; undefined: no proxy, no program is run. */
  readonly network?: Pick<RegistriesOptions, 'proxy' | 'environment' | 'helpers' | 'pullSecrets'>;
  /** Resolves host names where the system's resolver is not to be asked. */
  readonly lookUp?: RegistriesOptions['lookUp'];
}

/** Everything both doors need, wired. */
export interface Core {
  readonly judge: Judge;
  readonly reviewer: Reviewer;
  readonly ring: () => KeyRing;
  /** Opens a repository beside the judge's own questions. */
  readonly openRepository: OpenSource;
  /** Keeps manifests where evidence is written. Rejects where they cannot be; nothing is done where none is. */
  readonly storeEvidence: (kept: readonly EvidenceEntry[]) => Promise<void>;
  /** Runs the canary and loads the keys. Rejects where the canary is wrong or keys of the configuration are bad. */
  load(): Promise<void>;
  /** Ends what runs beside the questions: key refresh and connections. */
  close(): Promise<void>;
}

/** Wires the rooms for one configuration. Contacts nobody before `load`. */
export const compose = (config: Config, surroundings: CoreDependencies): Core => {
  const { places, rules, limits, tagMemory } = config;
  const { report, onKeyEvent, metrics, now, lookUp, network } = surroundings;
  const registries = createRegistries({
    settings: config.registries,
    defaults: config.registryDefaults,
    limits,
    now,
    ...network,
    ...(lookUp === undefined ? {} : { lookUp }),
  });
  const keys = createKeyRing({
    specs: config.keys,
    requirePinned: config.requirePinnedKeys,
    fetchDocument: registries.fetchDocument,
    limits,
    onEvent: onKeyEvent,
  });
  const ring = (): KeyRing => keys.current();
  const open =
    metrics === undefined ? registries.open : measureOpen(registries.open, metrics, knownRegistries(config));
  let proveLogged: ProveLogged | undefined;
  const evidence = createEvidence(config, report);
  const createdVerifier = createVerifier({
    open,
    ring,
    limits,
    tagMemory,
    now,
    report,
    hubs: places.hubs,
    offline: config.offline,
    ...evidence.options,
    ...(config.transparencyLog === 'ignore'
      ? {}
      : { proveLogged: (logged) => proveLogged?.(logged) ?? { problem: 'the logs are not loaded yet' } }),
  });
  const verifier = metrics === undefined ? createdVerifier : measureVerifier(createdVerifier, metrics, now);
  const { classify, couldBeIstio } = createClassifier(places);
  const judge = createJudge({ classify, couldBeIstio, verifier, revoked: rules.revoked });
  metrics?.watchKeys(ring);
  return {
    judge,
    reviewer: createReviewer({ judge, rules, limits, now, report }),
    ring,
    openRepository: open,
    storeEvidence: evidence.add,
    async load() {
      await runCanary();
      if (config.transparencyLog === 'require') proveLogged = await loadProveLogged(config.trustedRoot?.logs);
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

const nothing = async (): Promise<void> => {};

/** Evidence as a configuration has it: the layouts that are asked, and the one in which what was verified is kept. */
const createEvidence = ({ evidence, limits }: Config, report: ReportError) => {
  const { read, write } = evidence;
  const layouts = [...read, ...(write === undefined ? [] : [write])].map((directory) =>
    openLayout(directory, limits),
  );
  const openEvidence: VerifierDependencies['openEvidence'] = (repository) =>
    layouts.map((layout) => layout.open(repository));
  if (write === undefined) return { options: { openEvidence }, add: nothing, load: nothing, close: nothing };
  const writer = createLayoutWriter(write);
  const tagTable = createTagTable(write, { most: limits.tagEntries, report });
  let writing: Promise<unknown> = Promise.resolve();
  const storeProofs: VerifierDependencies['storeProofs'] = (proofs) => {
    writing = writer.add(proofs.map(signatureEntry)).catch(report);
  };
  return {
    options: { openEvidence, storeProofs, tagTable },
    add: writer.add,
    load: tagTable.load,
    async close() {
      await writing;
      await tagTable.close();
    },
  };
};

/** The registries that the configuration's own names lead to: a closed set for metrics' labels. */
const knownRegistries = ({ places, registries }: Config): ReadonlySet<string> =>
  new Set([
    ...registries.map(({ host }) => host),
    ...[
      ...places.hubs,
      ...places.mirrors.flatMap(({ mirror, signatures = mirror }) => [mirror, signatures]),
    ].map(registryFromName),
  ]);
