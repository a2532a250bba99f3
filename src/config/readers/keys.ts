import { type Places, releaseKeys } from '../../istio/index.ts';
import { type KeyLocation, type KeySpec, parseKeys } from '../../verification/index.ts';
import type { Note } from '../problem.ts';
import type { ConfigurationFile } from '../schema/configuration-schema.ts';
import { readFor } from './places.ts';
import type { ListItem, ReadContext } from './read-context.ts';

type KeyEntry = NonNullable<ConfigurationFile['keys']>[number];

const readUrl = (url: string, pin: string | undefined, path: string, note: Note): KeyLocation => {
  const parsed = URL.parse(url);
  if (parsed === null) note(path, 'must be an https URL');
  else if (parsed.username !== '' || parsed.password !== '') note(path, 'must not hold credentials');
  else if (parsed.hash !== '') note(path, 'must not have a fragment: the pin stands in sha256, beside url');
  return { kind: 'url', url, ...(pin === undefined ? {} : { spkiSha256: pin.toLowerCase() }) };
};

const readInline = async (text: string, path: string, note: Note): Promise<KeyLocation> => {
  const parsed = await parseKeys(text);
  if (!parsed.ok) note(path, `must be a PEM public key, a JWK or a JWKS: it ${parsed.problem}`);
  return { kind: 'inline', name: path, text };
};

/** The keys that one entry stands for, before its `for`. */
const readKind = async ({ item, path }: ListItem<KeyEntry>, note: Note): Promise<readonly KeySpec[]> => {
  const { istio, file, url, inline, sha256 } = item;
  if (istio !== undefined) return releaseKeys;
  if (file !== undefined) return [{ location: { kind: 'file', path: file } }];
  if (url !== undefined) return [{ location: readUrl(url, sha256, `${path}.url`, note) }];
  return inline === undefined ? [] : [{ location: await readInline(inline, `${path}.inline`, note) }];
};

const remedyFor = (released: boolean, url: string): string =>
  released
    ? `its key ${url} is known by that URL alone. List the keys apart, each checked by you: {file: …}, or {url: ${url}, sha256: …}`
    : 'add the SHA-256 of its SubjectPublicKeyInfo as sha256';

const checkPins = ({ item, path }: ListItem<KeyEntry>, specs: readonly KeySpec[], note: Note): void => {
  for (const { location: place } of specs)
    if (place.kind === 'url' && place.spkiSha256 === undefined)
      note(
        path,
        `has no pin, and requirePinnedKeys asks for one: ${remedyFor(item.istio !== undefined, place.url)}`,
      );
};

const readKey = async (
  entry: ListItem<KeyEntry>,
  places: Places,
  { part, note }: ReadContext,
): Promise<readonly KeySpec[]> => {
  const specs = await readKind(entry, note);
  if (part('requirePinnedKeys') === true) checkPins(entry, specs, note);
  const names = entry.item.for;
  if (names === undefined) return specs;
  const limited = readFor(names, `${entry.path}.for`, places, note);
  return specs.map((spec) => ({ ...spec, for: limited }));
};

/** Where the keys are read from. Files and URLs are not opened here: one that is not there is an incomplete ring. */
export const readKeys = async (reading: ReadContext, places: Places): Promise<readonly KeySpec[]> => {
  const given = reading.part('keys') ?? [{ istio: 'release' }];
  const specs = await Promise.all(
    reading.entries(given, 'keys').map((entry) => readKey(entry, places, reading)),
  );
  return specs.flat();
};
