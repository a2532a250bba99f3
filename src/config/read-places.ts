import { parseImageReference } from '../image/index.ts';
import { builtInHubs, createClassifier, type Places, parsePlace } from '../istio/index.ts';
import type { Note } from './problem.ts';
import type { Entry, Reading } from './reading.ts';

type Mirror = Places['mirrors'][number];

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

const readHubs = ({ part, entries, note }: Reading): readonly string[] => {
  const listed = part('hubs');
  const given = entries(listed, 'hubs').map(({ item, path }) => readPlace(item, path, note));
  const replace = part('replaceHubs') === true;
  if (replace && (listed ?? []).length === 0) note('replaceHubs', 'leaves no hub: list at least one in hubs');
  return [...new Set([...(replace ? [] : builtInHubs), ...given.filter((hub) => hub !== undefined)])];
};

const readMirror = (
  { item, path }: Entry<Mirror>,
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
  return [...before, { mirror, of: of ?? '' }];
};

/** The hubs that count and the mirrors of them, in normal form. */
export const readPlaces = (reading: Reading): Places => {
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
