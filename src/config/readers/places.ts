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
import type { AllRead, Entry, FileKeys, ListItem, ReadContext } from './read-context.ts';

/** Returns the name of a hub or mirror in normal form; notes a problem. */
const readPlace = (text: string | undefined, path: string, note: Note): string | undefined => {
  if (text === undefined) return undefined;
  const parsed = parsePlace(text);
  if (parsed.ok) return parsed.place;
  note(path, `must be a registry and a path, such as registry.corp.example/istio: ${parsed.problem}`);
  return undefined;
};

/** Every name of the hubs and mirrors: those configured, and the aliases of built-in hubs. */
const namesOf = (places: Places): readonly string[] => {
  const { classify } = createClassifier(places);
  const configured = [...places.hubs, ...places.mirrors.map(({ mirror }) => mirror)];
  const names = configured.flatMap((name) => {
    const image = parseImageReference(`${name}/pilot`);
    const imageClass = image.ok ? classify(image.reference) : undefined;
    return imageClass?.kind === 'istio' ? imageClass.places : [name];
  });
  return [...new Set(names)];
};

const readHubs = (
  { hubs, replaceHubs = false }: FileKeys<'hubs' | 'replaceHubs'>,
  { entries, note }: ReadContext,
): readonly string[] => {
  const listed = entries(hubs, 'hubs').map(({ item, path }) => readPlace(item, path, note));
  if (replaceHubs && (hubs ?? []).length === 0)
    note('replaceHubs', 'leaves no hub: list at least one in hubs');
  return [...new Set([...(replaceHubs ? [] : builtInHubs), ...listed.filter((hub) => hub !== undefined)])];
};

/** No component's name may be reused: a genuine image of that component would pass as another. */
const readComponents = (
  components: Mirror['components'],
  path: string,
  note: Note,
): Pick<Mirror, 'components'> => {
  for (const [name, component] of Object.entries(components ?? {})) {
    const at = pathTo(`${path}.components`, name);
    if (!isPathSegment(name))
      note(at, 'must be one lower-case path segment, the name of an image in the mirror');
    if (isComponent(name)) note(at, `must not be the name of a component itself, and ${name} is one`);
    if (!isComponent(component))
      note(at, 'must be a component of Istio, such as pilot, proxyv2, install-cni or ztunnel');
  }
  return components === undefined ? {} : { components };
};

const CHOICES: readonly string[] = ['mirror', 'hub', 'mirror-then-hub'];

/** Reads where a mirror's signatures are looked for, a repository in normal form. */
const readSignatures = (
  signatures: string | undefined,
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
  { item, path }: ListItem<Entry<'mirrors'>>,
  hubNames: readonly string[],
  before: readonly Mirror[],
  note: Note,
): readonly Mirror[] => {
  const { mirror: name, of: hub, components, signatures, ...unread } = item;
  unread satisfies AllRead;
  const mirror = readPlace(name, `${path}.mirror`, note);
  const of = readPlace(hub, `${path}.of`, note);
  if (of !== undefined && !hubNames.includes(of))
    note(
      `${path}.of`,
      `must be a hub of this configuration: one of ${hubNames.join(', ')}, or add it to hubs`,
    );
  if (mirror === undefined) return before;
  if (hubNames.includes(mirror)) note(`${path}.mirror`, `must not be a hub itself, and ${mirror} is one`);
  if (before.some((earlier) => earlier.mirror === mirror))
    note(`${path}.mirror`, `must be listed once, and ${mirror} already is`);
  return [
    ...before,
    {
      mirror,
      of: of ?? '',
      ...readComponents(components, path, note),
      ...readSignatures(signatures, path, note),
    },
  ];
};

/** Reads the hubs that count and their mirrors, in normal form. */
export const readPlaces = (
  { hubs: listed, replaceHubs, mirrors: listedMirrors }: FileKeys<'hubs' | 'replaceHubs' | 'mirrors'>,
  context: ReadContext,
): Places => {
  const hubs = readHubs({ hubs: listed, replaceHubs }, context);
  const hubNames = namesOf({ hubs, mirrors: [] });
  const mirrors = context
    .entries(listedMirrors, 'mirrors')
    .reduce<readonly Mirror[]>((before, entry) => readMirror(entry, hubNames, before, context.note), []);
  return { hubs, mirrors };
};

/** Reads the names in a key's `for`, in normal form; each must be a hub or a mirror of this configuration. */
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
