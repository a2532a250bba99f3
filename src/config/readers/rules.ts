import { DAY_MS } from '../../base/index.ts';
import { parseDigest } from '../../image/index.ts';
import { type Exemption, patternProblem, type Rules } from '../../policy/index.ts';
import { defaultConfig } from '../default-config.ts';
import type { Note } from '../problem.ts';
import { readDuration } from './limits.ts';
import type { ListItem, ReadContext } from './read-context.ts';

const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

const isDate = (text: string): boolean => {
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
};

const checkNamespaces = (namespaces: readonly string[], path: string, note: Note): void => {
  for (const [index, namespace] of namespaces.entries())
    if (namespace !== '*' && !NAMESPACE.test(namespace))
      note(
        `${path}[${index}]`,
        'must be the name of a namespace, or * for all: part of a name is not matched',
      );
  if (namespaces.includes('*') && namespaces.length > 1)
    note(path, 'must not list names beside *, which is all of them');
};

const readExemption = ({ item, path }: ListItem<Exemption>, note: Note): Exemption => {
  const { images = [], namespaces = [], reason = '', owner = '', expires } = item;
  for (const [index, pattern] of images.entries()) {
    const problem = patternProblem(pattern);
    if (problem !== undefined) note(`${path}.images[${index}]`, problem);
  }
  checkNamespaces(namespaces, `${path}.namespaces`, note);
  if (expires !== undefined && !isDate(expires))
    note(`${path}.expires`, 'must be a day that exists, such as 2027-03-01');
  return { images, namespaces, reason, owner, expires: expires ?? '' };
};

const readExemptions = ({ part, entries, note }: ReadContext): readonly Exemption[] =>
  entries(part('exemptions'), 'exemptions').map((entry) => readExemption(entry, note));

const readRevoked = ({ part, entries }: ReadContext): Rules['revoked'] =>
  entries(part('revoked'), 'revoked').flatMap(({ item: { digest = '', reason = '' } }) => {
    const parsed = parseDigest(digest);
    return parsed === undefined ? [] : [{ digest: parsed, reason }];
  });

const readUndetermined = ({ part, note }: ReadContext): Rules['undetermined'] => {
  const given = part('undetermined') ?? {};
  const defaults = defaultConfig.rules.undetermined;
  const bounds = { min: 0, max: 30 * DAY_MS, fallback: defaults.tagOutageWindow };
  return {
    enforce: given.enforce ?? defaults.enforce,
    critical: given.critical ?? defaults.critical,
    tagOutageWindow: readDuration(given.tagOutageWindow, 'undetermined.tagOutageWindow', bounds, note),
  };
};

/** The part of the configuration that decides. */
export const readRules = (reading: ReadContext): Rules => {
  const { part } = reading;
  const defaults = defaultConfig.rules;
  return {
    undetermined: readUndetermined(reading),
    lookAlikes: part('lookAlikes') ?? defaults.lookAlikes,
    unrecognised: part('unrecognised') ?? defaults.unrecognised,
    requireDigest: part('requireDigest') ?? defaults.requireDigest,
    revoked: readRevoked(reading),
    exemptions: readExemptions(reading),
  };
};
