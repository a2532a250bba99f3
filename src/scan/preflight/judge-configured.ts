import { findDocumentImages } from '../../admission/index.ts';
import { type JsonObject, memberOf, messageOf, oneLine, textOf } from '../../base/index.ts';
import type { ReasonCode } from '../../policy/index.ts';
import type { ConfiguredImage, ScanStatus } from '../scan-result.ts';

/** An image that an object names, and the answer of admission for it in one namespace. */
export interface JudgedConfigured {
  readonly image: string;
  readonly path: string;
  readonly status: ScanStatus;
  readonly reason: ReasonCode | null;
  /** One line; empty if it is verified. */
  readonly message: string;
}

/** Judges the images of an object as a whole, as admission would judge the pods that get them in each of these namespaces. */
export type JudgeConfigured = (
  object: JsonObject,
  namespaces: readonly string[],
) => Promise<readonly JudgedConfigured[]>;

/** An object that configures images, and the pods that get them. */
export interface Configuration {
  readonly object: JsonObject;
  /** `ConfigMap istio-system/istio-sidecar-injector`. */
  readonly source: string;
  /** The namespace in which to judge if no other is known. */
  readonly namespace: string;
  /** Namespaces whose pods get the images; null: not known. */
  readonly namespaces: readonly string[] | null;
  /** False: what the object leaves to others is known from them. */
  readonly namesUnknown?: boolean;
}

const MAX_TEXT = 500;

const SERIOUSNESS: readonly ScanStatus[] = ['refused', 'unknown', 'reported', 'exempt', 'verified'];

export const seriousnessOf = ({ status }: Pick<ConfiguredImage, 'status'>): number =>
  SERIOUSNESS.indexOf(status);

/** Returns the name of an object for people: `IstioOperator istio-system/installed-state`. */
export const nameOfObject = (object: JsonObject): string => {
  const metadata = memberOf(object, 'metadata');
  const [kind, namespace, name] = [
    memberOf(object, 'kind'),
    memberOf(metadata, 'namespace'),
    memberOf(metadata, 'name'),
  ].map((part) => textOf(part) ?? '');
  const place = namespace === '' ? name : `${namespace}/${name}`;
  return oneLine(`${kind} ${place}`, MAX_TEXT);
};

/** Creates the row of something whose images are not known. */
export const unknownRow = (
  { source, namespaces }: Pick<Configuration, 'source' | 'namespaces'>,
  path: string,
  message: string,
): ConfiguredImage => ({
  source: oneLine(source, MAX_TEXT),
  path,
  reference: '',
  status: 'unknown',
  reason: null,
  message: oneLine(message, MAX_TEXT),
  namespaces,
});

/** The most serious answer for each image at each path. */
const worstOf = (answers: readonly JudgedConfigured[]): readonly JudgedConfigured[] => {
  const worst = new Map<string, JudgedConfigured>();
  for (const answer of answers) {
    const key = JSON.stringify([answer.image, answer.path]);
    const known = worst.get(key);
    if (known === undefined || seriousnessOf(answer) < seriousnessOf(known)) worst.set(key, answer);
  }
  return [...worst.values()];
};

/** Judges the images that an object configures; of several namespaces the most serious answer counts. Nothing rejects. */
export const judgeConfiguration = async (
  configuration: Configuration,
  judge: JudgeConfigured,
): Promise<readonly ConfiguredImage[]> => {
  const { object, namespace, namespaces, namesUnknown = true } = configuration;
  const listed = namespaces ?? [];
  const unknown = namesUnknown
    ? findDocumentImages(object).unknown.map((sentence) => unknownRow(configuration, '', sentence))
    : [];
  let answers: readonly JudgedConfigured[];
  try {
    answers = await judge(object, listed.length === 0 ? [namespace] : listed);
  } catch (error) {
    const why = `its images could not be judged: ${messageOf(error)}`;
    return [unknownRow(configuration, '', why), ...unknown];
  }
  const rows = worstOf(answers).map(
    ({ image, path, status, reason, message }): ConfiguredImage => ({
      source: oneLine(configuration.source, MAX_TEXT),
      path: oneLine(path, MAX_TEXT),
      reference: oneLine(image, MAX_TEXT),
      status,
      reason,
      message: oneLine(message, MAX_TEXT * 2),
      namespaces,
    }),
  );
  return [...rows, ...unknown];
};
