import { DAY_MS } from '../../base/index.ts';
import { patternProblem, type ReasonCode } from '../../policy/index.ts';
import type { Remedy } from '../scan-result.ts';
import { countOf, withLines } from './draft.ts';
import { isExemptible } from './remedy-key.ts';
import type { GroupedImage, RemedyGroup } from './remedy-tally.ts';
import { yamlText } from './yaml-text.ts';

/** Reasons that no exemption lifts, or that an exemption would only hide. */
const NOT_EXEMPTIBLE: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'image-revoked',
  'image-reference-invalid',
  'too-many-images',
  'image-not-found',
  'key-ring-incomplete',
  'request-budget-exceeded',
  'internal-error',
]);

const MAX_IMAGES = 40;
const MAX_NAMESPACES = 100;

/** An exemption that is not renewed ends before it is forgotten. */
const DAYS = 60;

/** The pattern that covers an image and no other, in normal form. */
const patternOf = ({ judgement }: GroupedImage): string | undefined => {
  const reference = judgement?.reference;
  if (reference === undefined) return undefined;
  const { repository, tag = 'latest', digest } = reference;
  const pattern = `${repository.name}${digest === undefined ? `:${tag}` : `@${digest}`}`;
  return patternProblem(pattern) === undefined ? pattern : undefined;
};

interface Entry {
  readonly patterns: Set<string>;
  readonly namespaces: readonly string[];
  readonly codes: Set<ReasonCode>;
}

/** Groups images by their namespaces: an exemption is for all its images in all its namespaces. */
const entriesOf = (images: readonly GroupedImage[]): readonly Entry[] => {
  const entries = new Map<string, Entry>();
  for (const image of images) {
    const pattern = patternOf(image);
    const namespaces = [...image.namespaces].toSorted();
    if (pattern === undefined || namespaces.length >= MAX_NAMESPACES) continue;
    const key = JSON.stringify(namespaces);
    const entry = entries.get(key) ?? { patterns: new Set(), namespaces, codes: new Set() };
    entries.set(key, entry);
    entry.patterns.add(pattern);
    entry.codes.add(image.reason.code);
  }
  return [...entries.values()];
};

const linesOf = ({ patterns, namespaces, codes }: Entry, expires: string): readonly string[] => {
  const images = [...patterns].flatMap((pattern) => yamlText(pattern) ?? []);
  const names = namespaces.flatMap((name) => yamlText(name) ?? []);
  if (images.length === 0 || names.length !== namespaces.length) return [];
  return [
    '- images:',
    ...images.map((image) => `  - ${image}`),
    `  namespaces: [${names.join(', ')}]`,
    `  reason: "WHY IT CANNOT BE REPLACED YET (${[...codes].join(', ')})"`,
    '  owner: "WHO ANSWERS FOR IT"',
    `  expires: "${expires}"`,
  ];
};

/** Returns the remedy that is the last resort, for so many pods; undefined if nothing can be exempted. */
export const exemptRemedy = (
  groups: readonly RemedyGroup[],
  pods: number,
  now: number,
): Remedy | undefined => {
  const exemptible = groups.filter(({ kind }) => isExemptible(kind));
  const images = exemptible
    .flatMap((group) => [...group.images.values()])
    .filter(({ reason }) => !NOT_EXEMPTIBLE.has(reason.code));
  if (images.length === 0) return undefined;
  const expires = new Date(now + DAYS * DAY_MS).toISOString().slice(0, 10);
  const lines = entriesOf(images.slice(0, MAX_IMAGES)).flatMap((entry) => linesOf(entry, expires));
  const title = `Exempt ${countOf(images.length, 'image')} until ${images.length === 1 ? 'it is' : 'they are'} replaced, with an owner and an end: the last resort`;
  const head = ['# in the configuration; in the values of the chart below `config:`'];
  return {
    kind: 'exempt',
    ...withLines(title, 'yaml', head, lines.length === 0 ? [] : ['exemptions:', ...lines]),
    images: images.map(({ reference }) => reference),
    owners: [...new Set(exemptible.flatMap(({ owners }) => [...owners]))],
    pods,
  };
};
