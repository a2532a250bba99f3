import { load } from 'js-yaml';

/*
 * The rules by which Artifact Hub reads the annotations of Chart.yaml (artifacthub.io/docs/topics/annotations/helm). It leaves out
 * what breaks them, with a warning that only the owner of the repository sees.
 */

type Annotations = Readonly<Record<string, string>>;

const CATEGORIES = [
  'ai-machine-learning',
  'database',
  'integration-delivery',
  'monitoring-logging',
  'networking',
  'security',
  'storage',
  'streaming-messaging',
  'skip-prediction',
];
const KINDS = ['added', 'changed', 'deprecated', 'removed', 'fixed', 'security'];

type Row = Readonly<Record<string, unknown>>;
type Check = (value: string) => boolean;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isUrl = (value: unknown): boolean =>
  isText(value) && value.startsWith('https://') && URL.canParse(value);
const isRow = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parse = (text: string): unknown => {
  try {
    return load(text);
  } catch {
    return undefined;
  }
};

/** A list in YAML, each element of which holds. */
const isListOf =
  (holds: (row: Row) => boolean): Check =>
  (text) => {
    const rows = parse(text);
    return Array.isArray(rows) && rows.length > 0 && rows.every((row) => isRow(row) && holds(row));
  };

const isBoolean: Check = (text) => text === 'true' || text === 'false';

const isChange = ({ kind, description, links = [] }: Row): boolean =>
  KINDS.includes(String(kind)) && isText(description) && Array.isArray(links);

const isImage = ({ name, image, platforms = [], whitelisted = false }: Row): boolean =>
  isText(name) &&
  isText(image) &&
  /[:@]/.test(image.replace(/^[^/]*\//, '')) &&
  Array.isArray(platforms) &&
  platforms.every((one) => /^linux\/\w+$/.test(String(one))) &&
  typeof whitelisted === 'boolean';

const isSignKey: Check = (text) => {
  const key = parse(text);
  return isRow(key) && isText(key['fingerprint']) && isUrl(key['url']);
};

const CHECKS: Readonly<Record<string, Check>> = {
  category: (text) => CATEGORIES.includes(text),
  changes: isListOf(isChange),
  containsSecurityUpdates: isBoolean,
  images: isListOf(isImage),
  license: (text) => /^[\w.-]+$/.test(text),
  links: isListOf(({ name, url }) => isText(name) && isUrl(url)),
  maintainers: isListOf(({ name, email }) => isText(name) && isText(email)),
  operator: isBoolean,
  prerelease: isBoolean,
  signKey: isSignKey,
};

/** Returns the annotations that Artifact Hub would not accept or does not know. */
export const unacceptable = (annotations: Annotations): readonly string[] =>
  Object.entries(annotations)
    .filter(([name]) => name.startsWith('artifacthub.io/'))
    .filter(([name, text]) => CHECKS[name.replace('artifacthub.io/', '')]?.(text) !== true)
    .map(([name]) => name);
