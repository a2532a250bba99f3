import type { ValidSignature } from '../verification.ts';

/**
 * The identity of a signature: its key and the bytes that it signs. ECDSA signs the same bytes in any number of ways, and
 * what comes with a signature is anyone's: neither makes another one.
 */
export const identityOf = ({ keyId, format, payload }: ValidSignature): string =>
  `${keyId}\n${format}\n${payload}`;

export const isProven = ({ logged }: ValidSignature): boolean => logged !== undefined && 'proof' in logged;

/** Returns each signature once, in the order of the first of its kind: the one that the log proves, or else the first. */
export const distinctSignatures = <T>(
  items: Iterable<T>,
  signatureOf: (item: T) => ValidSignature,
): readonly T[] => {
  const distinct = new Map<string, T>();
  for (const item of items) {
    const identity = identityOf(signatureOf(item));
    const known = distinct.get(identity);
    if (known === undefined || (!isProven(signatureOf(known)) && isProven(signatureOf(item))))
      distinct.set(identity, item);
  }
  return [...distinct.values()];
};

/** The name that a signature gives its image, which says the component. */
const nameOf = ({ signedReference = '' }: ValidSignature): string =>
  signedReference.slice(signedReference.lastIndexOf('/') + 1);

const keyIdOf = ({ keyId }: ValidSignature): string => keyId;

/** Orders signatures so that the first of each group come first, in the order of the groups. */
const firstOfEach = (
  signatures: readonly ValidSignature[],
  groupOf: (signature: ValidSignature) => string,
): readonly ValidSignature[] => {
  const groups = Map.groupBy(signatures, groupOf);
  const rounds = Math.max(0, ...[...groups.values()].map((group) => group.length));
  return Array.from({ length: rounds }, (_, round) =>
    [...groups.values()].flatMap((group) => group.slice(round, round + 1)),
  ).flat();
};

/**
 * Selects the few signatures of a digest to remember: of each key in turn, and of each key those with different names in
 * turn, the log's before others. Nobody pushes out the signatures of another key, nor those with another name by signatures
 * with his own. What was left out is read again when the others do not satisfy a use.
 */
export const selectFew = (signatures: readonly ValidSignature[], few: number): readonly ValidSignature[] => {
  if (signatures.length <= few) return signatures;
  const provenFirst = [...signatures.filter(isProven), ...signatures.filter((each) => !isProven(each))];
  return firstOfEach(firstOfEach(provenFirst, nameOf), keyIdOf).slice(0, few);
};
