import { type JsonObject, memberOf, textOf } from '../base/index.ts';
import type { Judgement } from '../policy/index.ts';
import type { KeyRing } from '../verification/index.ts';
import type { CoverageRecorder } from './collect/index.ts';
import { judgeObject, type ReviewableObject } from './judge/judge-object.ts';
import type { ScanJudge } from './judge/scan-judge.ts';
import type { JudgedCluster } from './judge-cluster.ts';
import type { NamespacePolicy } from './namespaces/index.ts';
import type { Labels } from './namespaces/selector.ts';
import { findNotices } from './notices/find-notices.ts';
import { findPreflight } from './preflight/find-preflight.ts';
import type { JudgeConfigured, JudgedConfigured } from './preflight/judge-configured.ts';
import type { ScanOptions } from './scan-options.ts';
import type { ConfiguredImage, Notice, ScannedImage } from './scan-result.ts';

/** The look ahead: what is going to run, and what is going to matter. */
interface Ahead {
  readonly preflight: readonly ConfiguredImage[];
  readonly notices: readonly Notice[];
}

export interface LookAheadTools {
  readonly judge: ScanJudge;
  readonly coverage: CoverageRecorder;
  readonly judged: JudgedCluster;
  /** Every image of the scan. */
  readonly images: readonly ScannedImage[];
}

/** The object as admission would be asked about it in a namespace. Only workloads are known by their plural. */
const reviewableOf = (object: JsonObject, namespace: string): ReviewableObject => {
  const textAt = (from: unknown, name: string): string => textOf(memberOf(from, name)) ?? '';
  const [group = ''] = textAt(object, 'apiVersion').split('/').slice(0, -1);
  const plural = `${textAt(object, 'kind').toLowerCase()}s`;
  return {
    object,
    group,
    plural,
    isPod: false,
    namespace,
    name: textAt(memberOf(object, 'metadata'), 'name'),
  };
};

/** The keys that signed a verified image, as its row names them. */
const signersOf = (judgement: Judgement | undefined, { keys }: KeyRing): string => {
  const verification = judgement?.verification;
  if (verification?.outcome !== 'verified') return '';
  const signers = verification.signatures.map(({ keyId }) => keys.get(keyId)?.source || keyId);
  return `signed by ${[...new Set(signers)].join(', ')}`;
};

/** Bounds the work for one object. */
const MAX_PLACES = 50;

/** Returns one namespace of each kind: modes and exemptions are all in which the answers for namespaces differ. */
const createPlaces =
  ({ config }: ScanOptions, { judged, coverage }: LookAheadTools) =>
  (namespaces: readonly string[]): readonly string[] => {
    const kinds = new Map<string, string>();
    for (const namespace of namespaces) {
      const exempt = config.rules.exemptions.map((exemption) => exemption.namespaces.includes(namespace));
      const key = JSON.stringify([judged.policy.ruleFor(namespace), exempt]);
      if (!kinds.has(key)) kinds.set(key, namespace);
    }
    if (kinds.size > MAX_PLACES)
      coverage.addCut(
        `What Istio is configured to use was judged in ${MAX_PLACES} of ${kinds.size} namespaces that differ in mode or exemptions.`,
      );
    return [...kinds.values()].slice(0, MAX_PLACES);
  };

/** Judges configured images by the same function as pods and templates, in the mode of each namespace. */
const createJudgeConfigured = (options: ScanOptions, tools: LookAheadTools): JudgeConfigured => {
  const { core, signal } = options;
  const { judged } = tools;
  const placesOf = createPlaces(options, tools);
  const judgeIn = async (object: JsonObject, namespace: string) => {
    const rules = judged.policy.ruleFor(namespace);
    const answer = await judgeObject(judged.dependencies, reviewableOf(object, namespace), rules, signal);
    if (answer === undefined) throw new Error('it is malformed');
    return answer.uses.map(({ image, path, status, reason, message, judgement }) => ({
      image,
      path,
      status,
      reason: reason?.code ?? null,
      message: status === 'verified' ? signersOf(judgement, core.ring()) : message,
    }));
  };
  return async (object, namespaces) => {
    const answers: JudgedConfigured[] = [];
    for (const place of placesOf(namespaces)) answers.push(...(await judgeIn(object, place)));
    return answers;
  };
};

const labelsOf = ({
  namespaces,
  labelsOf: find,
}: NamespacePolicy): ReadonlyMap<string, Labels> | undefined =>
  namespaces.length === 0 ? undefined : new Map(namespaces.map((name) => [name, find(name) ?? {}]));

/** True if the account was let read the whole cluster, and nothing was cut: then what was not seen is not there. */
const sawEverything = (
  { namespaces, signal }: ScanOptions,
  { coverage, judge, judged }: LookAheadTools,
): boolean => {
  const { notSeen, cut } = coverage.result();
  const cuts = [...cut, ...judge.cut(), ...judged.tally.cut()];
  return namespaces === undefined && !signal.aborted && notSeen.length === 0 && cuts.length === 0;
};

/**
 * Finds what Istio is configured to inject and install from now on, each judged as admission would, and what is going to
 * matter. Nothing is read once the signal has ended. Nothing rejects.
 */
export const lookAhead = async (options: ScanOptions, tools: LookAheadTools): Promise<Ahead> => {
  const { core, cluster, config, signal, now } = options;
  const { coverage, judged, images } = tools;
  const { policy, served, daemonSets } = judged;
  const preflight =
    signal.aborted || served === undefined
      ? []
      : await findPreflight({
          cluster,
          served,
          coverage,
          signal,
          judge: createJudgeConfigured(options, tools),
          namespaces: labelsOf(policy),
          webhooks: policy.mutatingWebhooks,
          daemonSets,
        });
  const notices = findNotices({
    images,
    preflight,
    ring: core.ring(),
    exemptions: config.rules.exemptions,
    pins: { configured: options.pin, installed: policy.installedPin, webhook: policy.policy.webhook },
    sawEverything: sawEverything(options, tools),
    now: now(),
  });
  return { preflight, notices };
};
