import { DAY_MS } from '../../base/index.ts';
import { parseDigest } from '../../image/index.ts';
import { type Exemption, patternProblem, type Rules } from '../../policy/index.ts';
import { defaultConfig } from '../default-config.ts';
import type { Note } from '../problem.ts';
import { readDuration } from './limits.ts';
import type { AllRead, Entry, FileKeys, ListItem, ReadContext, SoundFile } from './read-context.ts';

const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

const defaults = defaultConfig.rules;
const OUTAGE_WINDOW = { min: 0, max: 30 * DAY_MS, fallback: defaults.undetermined.tagOutageWindow };

const isDate = (text: string): boolean => {
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
};

const checkNamespaces = (namespaces: readonly string[], path: string, note: Note): void => {
  for (const [index, namespace] of namespaces.entries())
    if (namespace !== '*' && !NAMESPACE.test(namespace))
      note(
        `${path}[${index}]`,
        'must be the whole name of a namespace, or * for all: parts of names are not matched',
      );
  if (namespaces.includes('*') && namespaces.length > 1)
    note(path, 'must not list names beside *, which is all namespaces: remove them or the *');
};

const readExemption = ({ item, path }: ListItem<Entry<'exemptions'>>, note: Note): Exemption => {
  const { images = [], namespaces = [], reason = '', owner = '', expires = '', ...unread } = item;
  unread satisfies AllRead;
  for (const [index, pattern] of images.entries()) {
    const problem = patternProblem(pattern);
    if (problem !== undefined) note(`${path}.images[${index}]`, problem);
  }
  checkNamespaces(namespaces, `${path}.namespaces`, note);
  if (expires !== '' && !isDate(expires))
    note(`${path}.expires`, 'must be a day of the calendar, such as 2027-03-01');
  return { images, namespaces, reason, owner, expires };
};

const readRevoked = ({ item }: ListItem<Entry<'revoked'>>): Rules['revoked'] => {
  const { digest = '', reason = '', ...unread } = item;
  unread satisfies AllRead;
  const parsed = parseDigest(digest);
  return parsed === undefined ? [] : [{ digest: parsed, reason }];
};

const readUndetermined = (file: SoundFile['undetermined'], note: Note): Rules['undetermined'] => {
  const { enforce, critical, tagOutageWindow, ...unread } = file ?? {};
  unread satisfies AllRead;
  return {
    enforce: enforce ?? defaults.undetermined.enforce,
    critical: critical ?? defaults.undetermined.critical,
    tagOutageWindow: readDuration(tagOutageWindow, 'undetermined.tagOutageWindow', OUTAGE_WINDOW, note),
  };
};

/** Reads the rules that the policy decides by. */
export const readRules = (
  file: FileKeys<
    'undetermined' | 'lookAlikes' | 'unrecognised' | 'requireDigest' | 'pin' | 'revoked' | 'exemptions'
  >,
  { entries, note }: ReadContext,
): Rules => ({
  undetermined: readUndetermined(file.undetermined, note),
  lookAlikes: file.lookAlikes ?? defaults.lookAlikes,
  unrecognised: file.unrecognised ?? defaults.unrecognised,
  requireDigest: file.requireDigest ?? defaults.requireDigest,
  pin: file.pin ?? defaults.pin,
  revoked: entries(file.revoked, 'revoked').flatMap(readRevoked),
  exemptions: entries(file.exemptions, 'exemptions').map((entry) => readExemption(entry, note)),
});
