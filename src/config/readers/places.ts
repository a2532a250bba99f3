import { isPathSegment, parseImageReference } from '../../image/index.ts';
import {
  builtInHubs,
  createClassifier,
  isComponent,
  type Mirror,
  type Places,
  parsePlace,
} from '../../istio/index.ts';
import { type Note, pathTo } from '../problem.ts';
import type { ListItem, ReadContext } from './read-context.ts';

/** A hub's or mirror's name in normal form; a problem is noted. */
const readPlace = (text: string | undefined, path: string, note: Note): string | undefined => {
  if (text === undefined) return undefined;
  const parsed = parsePlace(text);
  if (parsed.ok) return parsed.place;
  note(path, `must be a registry and a path, such as registry.corp.example/istio: ${parsed.problem}`);
  return undefined;
};

/** Every name of the places: what is configured, and the aliases that a built-in hub has. */
const namesOf = (places: Places): readonly string[] => {
  const { classify } = createClassifier(places);
  const configured = [...places.hubs, ...places.mirrors.map(({ mirror }) => mirror)];
  const names = configured.flatMap((name) => {
    const below = parseImageReference(`${name}/pilot`);
    const found = below.ok ? classify(below.reference) : undefined;
    return found?.kind === 'istio' ? found.places : [name];
  });
  return [...new Set(names)];
};

const readHubs = ({ part, entries, note }: ReadContext): readonly string[] => {
  const listed = part('hubs');
  const given = entries(listed, 'hubs').map(({ item, path }) => readPlace(item, path, note));
  const replace = part('replaceHubs') === true;
  if (replace && (listed ?? []).length === 0) note('replaceHubs', 'leaves no hub: list at least one in hubs');
  return [...new Set([...(replace ? [] : builtInHubs), ...given.filter((hub) => hub !== undefined)])];
};

/** A mirror's own names. None of a component's: a genuine image of that component would pass as another. */
const readNames = (
  { components }: ListItem<Mirror>['item'],
  path: string,
  note: Note,
): Pick<Mirror, 'components'> => {
  for (const [name, component] of Object.entries(components ?? {})) {
    const at = pathTo(`${path}.components`, name);
    if (!isPathSegment(name))
      note(at, 'must be one lower-case path segment, as an image is called in the mirror');
    if (isComponent(name)) note(at, `must not be the name of a component itself, and ${name} is one`);
    if (!isComponent(component))
      note(at, 'must be a component of Istio, such as pilot, proxyv2, install-cni or ztunnel');
  }
  return components === undefined ? {} : { components };
};

const CHOICES: readonly string[] = ['mirror', 'hub', 'mirror-then-hub'];

/** Where a mirror's signatures are looked for; a repository in normal form. */
const readSignatures = (
  { signatures }: ListItem<Mirror>['item'],
  path: string,
  note: Note,
): Pick<Mirror, 'signatures'> => {
  if (signatures === undefined || signatures === 'mirror') return {};
  if (CHOICES.includes(signatures)) return { signatures };
  const parsed = parsePlace(signatures);
  const problem = parsed.ok ? undefined : parsed.problem;
  if (!signatures.includes('/') || problem !== undefined)
    note(
      `${path}.signatures`,
      `must be ${CHOICES.join(', ')}, or a repository, such as registry.corp.example/signatures${problem === undefined ? '' : `: ${problem}`}`,
    );
  return { signatures: parsed.ok ? parsed.place : signatures };
};

const readMirror = (
  { item, path }: ListItem<Mirror>,
  hubNames: readonly string[],
  before: readonly Mirror[],
  note: Note,
): readonly Mirror[] => {
  const mirror = readPlace(item.mirror, `${path}.mirror`, note);
  const of = readPlace(item.of, `${path}.of`, note);
  if (of !== undefined && !hubNames.includes(of))
    note(
      `${path}.of`,
      `must be a hub of this configuration: one of ${hubNames.join(', ')}, or add it to hubs`,
    );
  if (mirror === undefined) return before;
  if (hubNames.includes(mirror)) note(`${path}.mirror`, `must not be a hub itself, and ${mirror} is one`);
  if (before.some((one) => one.mirror === mirror))
    note(`${path}.mirror`, `must be listed once, and ${mirror} already is`);
  return [
    ...before,
    { mirror, of: of ?? '', ...readNames(item, path, note), ...readSignatures(item, path, note) },
  ];
};

/** The hubs that count and the mirrors of them, in normal form. */
export const readPlaces = (reading: ReadContext): Places => {
  const hubs = readHubs(reading);
  const hubNames = namesOf({ hubs, mirrors: [] });
  const mirrors = reading
    .entries(reading.part('mirrors'), 'mirrors')
    .reduce<readonly Mirror[]>((before, entry) => readMirror(entry, hubNames, before, reading.note), []);
  return { hubs, mirrors };
};

/** The names a key's `for` lists, in normal form; each must be a hub or a mirror of this configuration. */
export const readFor = (
  names: readonly string[],
  path: string,
  places: Places,
  note: Note,
): readonly string[] => {
  const known = namesOf(places);
  return names.flatMap((name, index) => {
    const at = `${path}[${index}]`;
    const place = readPlace(name, at, note);
    if (place === undefined) return [];
    if (!known.includes(place))
      note(at, `must be a hub or mirror of this configuration: one of ${known.join(', ')}`);
    return [place];
  });
};
