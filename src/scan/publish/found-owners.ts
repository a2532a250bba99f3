import { isJsonObject, isKnownFormat, parseJson } from '../../base/index.ts';
import type { ScannedOwner, ScanResult } from '../scan-result.ts';
import { sawEverything } from './publish-port.ts';
import { takeTurns } from './take-turns.ts';

/** An owner that a scan found something of, as the kept result names it for the next scan. */
export type FoundOwner = Pick<ScannedOwner, 'apiVersion' | 'kind' | 'namespace' | 'name'> & {
  readonly uid: string;
};

/** The owners that the last scan found something of. */
export interface FoundOwners {
  readonly owners: readonly FoundOwner[];
  /** False: there were more, so an owner that is missing may have been found before. */
  readonly isWhole: boolean;
}

interface Changes {
  /** Owners that the scan before did not name. */
  readonly appeared: readonly ScannedOwner[];
  /** Owners whose images are verified now. */
  readonly resolved: readonly FoundOwner[];
  /** The state that the next scan compares with. */
  readonly next: FoundOwners;
}

/** A kept result has 1 MiB for everything. */
const MAX_OWNERS = 2_000;
/** The longest name of an object, and of a group with its version. */
const MAX_TEXT_LENGTH = 253;
const MAX_LENGTH = 4 * 1024 * 1024;

const RANKS = { refused: 0, reported: 1, unknown: 2, exempt: 2, verified: 2 } as const;

const keyOf = ({ namespace, kind, name, uid }: FoundOwner): string => [namespace, kind, name, uid].join('\n');

/** A registry that does not respond for an hour is no news of an owner: unknown ones are neither found nor resolved. */
const isFound = ({ status, uid }: ScannedOwner): boolean =>
  (status === 'refused' || status === 'reported') && uid !== null;

const toFound = ({ apiVersion, kind, namespace, name, uid }: ScannedOwner): FoundOwner => ({
  apiVersion,
  kind,
  namespace,
  name,
  uid: uid ?? '',
});

const isShortText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_TEXT_LENGTH;

const parseRow = (row: unknown): readonly FoundOwner[] => {
  if (!Array.isArray(row) || row.length !== 5 || !row.every(isShortText)) return [];
  const [apiVersion, kind, namespace, name, uid] = row as [string, string, string, string, string];
  return [{ apiVersion, kind, namespace, name, uid }];
};

/** Parses the owners of a kept result; undefined if they are malformed or of a format that this release does not know. */
export const parseFoundOwners = (text: string): FoundOwners | undefined => {
  const from = text.length > MAX_LENGTH ? undefined : parseJson(text);
  if (!isJsonObject(from) || !isKnownFormat(from)) return undefined;
  const { owners, isWhole } = from;
  if (!Array.isArray(owners) || owners.length > MAX_OWNERS) return undefined;
  return { owners: owners.flatMap(parseRow), isWhole: isWhole === true };
};

export const formatFoundOwners = ({ owners, isWhole }: FoundOwners): string =>
  JSON.stringify({
    owners: owners.map(({ apiVersion, kind, namespace, name, uid }) => [
      apiVersion,
      kind,
      namespace,
      name,
      uid,
    ]),
    isWhole,
  });

/** Keys of the owners of which the scan saw a verified image: it names those that are gone nowhere. */
const verifiedOwners = ({ images }: ScanResult): ReadonlySet<string> =>
  new Set(
    images
      .filter(({ status }) => status === 'verified')
      .flatMap(({ uses }) => uses.map(({ namespace, owner }) => `${namespace}/${owner}`)),
  );

/** Compares a result with the owners that the scan before found; `undefined`: there was none. */
export const findChanges = (
  previous: FoundOwners | undefined,
  result: ScanResult,
  limit: number = MAX_OWNERS,
): Changes => {
  const found = result.owners.filter(isFound);
  const now = found.map(toFound);
  const nowKeys = new Set(now.map(keyOf));
  const sawAll = sawEverything(result);
  const missing = (previous?.owners ?? []).filter((owner) => !nowKeys.has(keyOf(owner)));
  const named = new Set(
    result.owners
      .filter((owner) => !isFound(owner))
      .map((owner) => `${owner.namespace}/${owner.kind}/${owner.name}`),
  );
  const verified = verifiedOwners(result);
  const isResolved = ({ namespace, kind, name }: FoundOwner): boolean =>
    !named.has(`${namespace}/${kind}/${name}`) && verified.has(`${namespace}/${kind}/${name}`);
  const before = new Set((previous?.owners ?? []).map(keyOf));
  // An owner that is unknown now, or was not seen, is compared again by the next scan.
  const stillOpen = missing.filter(
    ({ namespace, kind, name }) => !sawAll || named.has(`${namespace}/${kind}/${name}`),
  );
  const ranked = [
    ...found.map((owner) => ({
      owner: toFound(owner),
      namespace: owner.namespace,
      rank: RANKS[owner.status],
    })),
    ...stillOpen.map((owner) => ({ owner, namespace: owner.namespace, rank: 3 })),
  ];
  const next = takeTurns(ranked, ({ rank }) => rank, limit);
  return {
    appeared: previous?.isWhole === true ? found.filter((owner) => !before.has(keyOf(toFound(owner)))) : [],
    resolved: sawAll ? missing.filter(isResolved) : [],
    next: {
      owners: next.map(({ owner }) => owner),
      isWhole: next.length === ranked.length,
    },
  };
};
