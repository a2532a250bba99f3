/** Keys of the published interface that this version does not have yet. Refused by name, never quietly ignored. */
const LATER_KEYS: ReadonlyMap<string, string> = new Map([
  ['trustedRoot', 'the transparency log is not asked'],
  ['evidence', 'nothing is read from evidence or written to it'],
  ['registries[].endpoint', 'each registry is read where its name says'],
  ['registries[].credentials.providers', 'use credentials: {dockerConfig: FILE}'],
  ['registries[].credentials.pullSecrets', 'use credentials: {dockerConfig: FILE}'],
  ['mirrors[].components', 'a mirror has the names of its hub'],
]);

const LATER_VALUES: ReadonlyMap<string, { readonly is: RegExp; readonly now: string }> = new Map([
  ['transparencyLog', { is: /^require$/, now: 'ignore' }],
  ['mirrors[].signatures', { is: /^(hub|mirror-then-hub)$|\//, now: 'mirror' }],
]);

const anyItem = (path: string): string => path.replaceAll(/\[\d+\]/g, '[]');

/** What to say of a key that only a later version has. */
export const laterKey = (path: string): string | undefined => {
  const instead = LATER_KEYS.get(anyItem(path));
  return instead === undefined ? undefined : `is not available in this version: remove it (${instead})`;
};

/** What to say of a value that only a later version has. */
export const laterValue = (path: string, value: unknown): string | undefined => {
  const later = LATER_VALUES.get(anyItem(path));
  return later === undefined || typeof value !== 'string' || !later.is.test(value)
    ? undefined
    : `must be ${later.now}: ${value} is not available in this version`;
};
