import { isJsonObject, type JsonObject } from '../../base/index.ts';
import type { Credentials, Password } from './credentials.ts';

/** Returns a member, whatever the capitals of its name: Go's encoding/json matches names so. `null` is absent. */
export const memberAt = (from: JsonObject, name: string): unknown => {
  const isNamed = (key: string): boolean => key === name || key.toLowerCase() === name.toLowerCase();
  const key = Object.hasOwn(from, name) ? name : Object.keys(from).find(isNamed);
  return key === undefined ? undefined : (from[key] ?? undefined);
};

/** Returns a text; undefined if it is absent, empty or no text. */
export const textAt = (from: JsonObject, name: string): string | undefined => {
  const value = memberAt(from, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
};

/** Removes every NUL at the end of a text. An unanchored `/\0+$/` takes the square of the length of a run. */
const withoutNuls = (text: string): string => {
  let end = text.length;
  while (end > 0 && text[end - 1] === '\0') end -= 1;
  return text.slice(0, end);
};

/** Decodes base64 of `user:password`, with padding or without; undefined if it is none. */
const decodeAuth = (auth: string): Password | undefined => {
  const [, username, password] = /^([^:]*):([\s\S]*)$/.exec(Buffer.from(auth, 'base64').toString()) ?? [];
  return username === undefined || password === undefined
    ? undefined
    : { username, password: withoutNuls(password) };
};

/** `auth` replaces a user name and password beside it, even if it is malformed. */
const parsePassword = (entry: JsonObject): Password | undefined => {
  const auth = textAt(entry, 'auth');
  if (auth !== undefined) return decodeAuth(auth);
  const [username, password] = [textAt(entry, 'username'), textAt(entry, 'password')];
  return username === undefined || password === undefined
    ? undefined
    : { username, password: withoutNuls(password) };
};

/**
 * Reads one entry of `auths` as its readers do: `registrytoken`, then `identitytoken`, then `auth`, then a user name and
 * password (go-containerregistry pkg/authn and pkg/v1/remote/transport, docker/cli cli/config/configfile, kubernetes
 * pkg/credentialprovider/config.go). Undefined: it holds none.
 */
export const parseEntry = (entry: unknown): Credentials | undefined => {
  if (!isJsonObject(entry)) return undefined;
  const registryToken = textAt(entry, 'registrytoken');
  // A token with a line break would add headers of its own.
  if (registryToken !== undefined && /^[\x21-\x7e]+$/.test(registryToken))
    return { kind: 'registry-token', token: registryToken };
  const login = parsePassword(entry);
  const token = textAt(entry, 'identitytoken');
  if (token !== undefined)
    return { kind: 'identity-token', token, ...(login === undefined ? {} : { login }) };
  return login === undefined ? undefined : { kind: 'password', ...login };
};
