import { lastingHub, type Mirror, parsePlace } from '../../istio/index.ts';
import { remedyOf } from '../../policy/index.ts';
import type { RemedyKind } from '../scan-result.ts';
import { shellCommand } from '../shell.ts';
import { copyLines } from './copy-lines.ts';
import { countOf, type Draft, inTitle, titleAlone, withLines } from './draft.ts';
import type { HubCheck } from './hub-check.ts';
import type { GroupedImage, RemedyGroup } from './remedy-tally.ts';
import { yamlText } from './yaml-text.ts';

/** Lines of a snippet; what is beyond them is in the images of the remedy. */
const MAX_LINES = 40;

const COMMENT = '# in the configuration; in the values of the chart below `config:`';

const imagesOf = ({ images, omitted }: RemedyGroup): string => countOf(images.size + omitted, 'image');

const provenBy = ({ genuine, foreign }: HubCheck): string => {
  if (genuine === 0 && foreign === 0) return '';
  if (foreign === 0)
    return `: Istio signed ${genuine === 1 ? 'the digest' : `the ${genuine} digests`} compared`;
  return `, but look at it before: Istio did not sign ${foreign} of the ${countOf(genuine + foreign, 'digest')} compared`;
};

const draftMirror = (group: RemedyGroup, check: HubCheck): Draft => {
  const title = `Declare ${inTitle(group.subject)} as a mirror of ${lastingHub}${provenBy(check)}`;
  const place = yamlText(group.subject);
  if (place === undefined || !parsePlace(group.subject).ok) return titleAlone(title);
  // Where the hub has the signatures, nothing must be copied.
  const signatures = check.genuine > 0 ? ', signatures: mirror-then-hub' : '';
  return withLines(
    title,
    'yaml',
    [COMMENT],
    ['mirrors:', `- {mirror: ${place}, of: ${lastingHub}${signatures}}`],
  );
};

const draftCopy = (group: RemedyGroup, mirrors: readonly Mirror[], check: HubCheck): Draft => {
  const mirror = mirrors.find(({ mirror: name }) => name === group.subject);
  const title = `Copy the signatures of ${imagesOf(group)} to ${inTitle(group.subject)}${provenBy(check)}`;
  if (mirror === undefined) return titleAlone(title);
  const { lines, pulls } = copyLines([...group.images.values()].slice(0, MAX_LINES), mirror);
  const pull = shellCommand(['sailmark', 'evidence', 'pull', '-o', 'evidence'], ...pulls);
  const head =
    pull === undefined || pulls.length === 0
      ? []
      : ['# Or let sailmark read them from a directory, and leave the mirror as it is:', `# ${pull}`];
  return withLines(title, 'shell', head, lines);
};

/** The reference with the digest that it resolves to. */
const pinned = ({ reference, judgement }: GroupedImage): string | undefined => {
  const digest = judgement?.verification?.outcome === 'verified' ? judgement.verification.digest : undefined;
  const text = digest === undefined ? undefined : yamlText(`${reference}@${digest}`);
  return text === undefined ? undefined : `- image: ${text}`;
};

const draftPin = (group: RemedyGroup): Draft => {
  const title =
    group.subject === 'pin'
      ? `Let the webhook pin ${imagesOf(group)} (value pin of the chart), or name the digests`
      : `Name the digests of ${imagesOf(group)}: the configuration requires them`;
  return withLines(title, 'yaml', [], [...group.images.values()].slice(0, MAX_LINES).map(pinned));
};

const draftKey = (group: RemedyGroup, flags: readonly string[]): Draft => {
  if (group.subject === '')
    return withLines(
      'Let the missing keys of the configuration be loaded',
      'shell',
      [],
      [shellCommand(['sailmark', 'keys', ...flags])],
    );
  const title = `Add the key that signed ${imagesOf(group)} of ${inTitle(group.subject)}, if you trust its owner`;
  const place = yamlText(group.subject);
  if (place === undefined) return titleAlone(title);
  const key = `- {file: /etc/sailmark/keys/signer.pub, for: [${place}]}`;
  return withLines(
    title,
    'yaml',
    [COMMENT, '# beside the keys that are there'],
    ['keys:', '- {istio: release}', key],
  );
};

const REACH: Readonly<Record<string, readonly [title: string, isOfCredentials: boolean]>> = {
  'registry-refused': ['Let sailmark read', true],
  'registry-rate-limited': ['Give sailmark credentials, so that it is not limited by', true],
  'registry-unavailable': ['Let sailmark reach', false],
  'deadline-exceeded': ['Let sailmark reach, or give it more time for,', false],
};

const draftRegistry = (group: RemedyGroup, flags: readonly string[]): Draft => {
  const [registry = '', code = ''] = group.subject.split(' ');
  const [what, isOfCredentials] = REACH[code] ?? ['Check what stands in front of', false];
  const title = `${what} ${inTitle(registry)} (${code})`;
  const host = yamlText(registry);
  if (isOfCredentials && host !== undefined)
    return withLines(
      title,
      'yaml',
      [COMMENT],
      ['registries:', `- {host: ${host}, credentials: {dockerConfig: /etc/sailmark/registry/config.json}}`],
    );
  const [first] = group.images.keys();
  return withLines(
    title,
    'shell',
    [],
    [first === undefined ? undefined : shellCommand(['sailmark', 'verify', ...flags], first)],
  );
};

const capitalised = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

const draftOther = (group: RemedyGroup): Draft => {
  const [first] = group.images.values();
  if (group.subject === 'rest' || first === undefined)
    return titleAlone(`Look at ${imagesOf(group)} that fit in no other row`);
  return titleAlone(`${capitalised(remedyOf(first.reason))} (${first.reason.code})`);
};

export interface DraftContext {
  readonly mirrors: readonly Mirror[];
  /** The arguments of the scan that a verification takes too. */
  readonly flags: readonly string[];
  /** The answer of Istio's hub about the digests of a mirror, or of an unknown prefix. */
  readonly check: HubCheck;
}

const draftRelease = (group: RemedyGroup): Draft => {
  const why = group.subject === '' ? '' : `: ${group.subject}`;
  return titleAlone(`Use a signed release of Istio in place of ${imagesOf(group)} without a signature${why}`);
};

const draftReplacement = (group: RemedyGroup): Draft =>
  titleAlone(
    group.subject === ''
      ? `Use Istio's own image in ${countOf(group.owners.size, 'owner')} with a container of Istio's name, or rename the container`
      : `Use Istio's own images in place of ${imagesOf(group)} of ${inTitle(group.subject)}`,
  );

const DRAFTS: Partial<Record<RemedyKind, (group: RemedyGroup, context: DraftContext) => Draft>> = {
  'declare-mirror': (group, { check }) => draftMirror(group, check),
  'copy-signatures': (group, { mirrors, check }) => draftCopy(group, mirrors, check),
  pin: draftPin,
  'use-signed-release': draftRelease,
  'replace-image': draftReplacement,
  'add-key': (group, { flags }) => draftKey(group, flags),
  'reach-registry': (group, { flags }) => draftRegistry(group, flags),
};

/** Drafts the remedy of a group. */
export const draftFor = (group: RemedyGroup, context: DraftContext): Draft =>
  (DRAFTS[group.kind] ?? draftOther)(group, context);
