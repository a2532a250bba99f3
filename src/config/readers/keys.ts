import { type Places, releaseKeys } from '../../istio/index.ts';
import {
  findKeyReferenceProblem,
  findPastedKeyProblem,
  type KeyLocation,
  type KeySpec,
  parseKeys,
} from '../../verification/index.ts';
import type { Note } from '../problem.ts';
import { readFor } from './places.ts';
import type { AllRead, Entry, FileKeys, ListItem, ReadContext } from './read-context.ts';

type KeyEntry = ListItem<Entry<'keys'>>;

const readUrl = (url: string, pin: string | undefined, path: string, note: Note): KeyLocation => {
  const parsed = URL.parse(url);
  if (parsed === null) note(path, 'must be an https URL');
  else if (parsed.username !== '' || parsed.password !== '') note(path, 'must not contain credentials');
  else if (parsed.hash !== '') note(path, 'must not have a fragment: write the pin as sha256, beside url');
  return { kind: 'url', url, ...(pin === undefined ? {} : { spkiSha256: pin.toLowerCase() }) };
};

const readFileEntry = (file: string, path: string, note: Note): KeyLocation => {
  const pasted = findPastedKeyProblem(file);
  const problem = pasted ?? findKeyReferenceProblem(file);
  if (problem !== undefined)
    note(
      path,
      `must be the path of a key: it ${problem}${pasted === undefined ? '' : ', or give it as inline'}`,
    );
  return { kind: 'file', path: file };
};

const readInline = async (text: string, path: string, note: Note): Promise<KeyLocation> => {
  const parsed = await parseKeys(text);
  if (!parsed.ok) note(path, `must be a PEM public key, a JWK or a JWKS: it ${parsed.problem}`);
  return { kind: 'inline', name: path, text };
};

/** The keys of one entry, and its `for` as the file has it. */
const readEntry = async (
  { item, path }: KeyEntry,
  note: Note,
): Promise<{ readonly specs: readonly KeySpec[]; readonly names: readonly string[] | undefined }> => {
  const { istio, file, url, inline, sha256, for: names, ...unread } = item;
  unread satisfies AllRead;
  if (istio !== undefined) return { specs: releaseKeys, names };
  if (file !== undefined) return { specs: [{ location: readFileEntry(file, `${path}.file`, note) }], names };
  if (url !== undefined) return { specs: [{ location: readUrl(url, sha256, `${path}.url`, note) }], names };
  if (inline === undefined) return { specs: [], names };
  return { specs: [{ location: await readInline(inline, `${path}.inline`, note) }], names };
};

const pinRemedy = (isReleaseKey: boolean, url: string): string =>
  isReleaseKey
    ? `its key ${url} is known by that URL alone. List the keys separately, after checking each: {file: …}, or {url: ${url}, sha256: …}`
    : 'add the SHA-256 of its SubjectPublicKeyInfo as sha256';

const checkPins = ({ item, path }: KeyEntry, specs: readonly KeySpec[], note: Note): void => {
  for (const { location } of specs)
    if (location.kind === 'url' && location.spkiSha256 === undefined)
      note(
        path,
        `has no pin, which requirePinnedKeys requires: ${pinRemedy(item.istio !== undefined, location.url)}`,
      );
};

/** Reads where the keys are found. Opens no file and no URL: one that is missing later makes the ring incomplete. */
export const readKeys = async (
  { keys = [{ istio: 'release' }], requirePinnedKeys = false }: FileKeys<'keys' | 'requirePinnedKeys'>,
  places: Places,
  { entries, note }: ReadContext,
): Promise<readonly KeySpec[]> => {
  const readKey = async (entry: KeyEntry): Promise<readonly KeySpec[]> => {
    const { specs, names } = await readEntry(entry, note);
    if (requirePinnedKeys) checkPins(entry, specs, note);
    if (names === undefined) return specs;
    const limited = readFor(names, `${entry.path}.for`, places, note);
    return specs.map((spec) => ({ ...spec, for: limited }));
  };
  const specs = await Promise.all(entries(keys, 'keys').map(readKey));
  return specs.flat();
};
