import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { load } from 'js-yaml';
import {
  isJsonObject,
  type JsonObject,
  listMemberOf,
  memberOf,
  messageOf,
  oneLine,
  readTextFile,
  textOf,
  UserError,
} from '../../base/index.ts';

/** Characters of a text of a file, or its path, that a message quotes. */
export const MAX_QUOTED = 300;

/** The files of a kubeconfig, as kubectl finds them. */
export interface KubeconfigFiles {
  readonly paths: readonly string[];
  /** Files that may be absent, as those of `$KUBECONFIG`. */
  readonly mayBeAbsent: boolean;
}

/** The kubeconfig of several files as one, its paths absolute. */
export interface MergedKubeconfig {
  /** By name: the entry of the first file that has one. */
  readonly clusters: ReadonlyMap<string, JsonObject>;
  readonly users: ReadonlyMap<string, JsonObject>;
  readonly contexts: ReadonlyMap<string, JsonObject>;
  /** That of the first file that names one; empty: none does. */
  readonly currentContext: string;
  /** The files that were read. */
  readonly paths: readonly string[];
}

type Env = Readonly<Record<string, string | undefined>>;

/** Finds the files: `--kubeconfig`, or else those of `$KUBECONFIG`, or else `~/.kube/config`. */
export const findKubeconfigFiles = (file: string | undefined, env: Env, home: string): KubeconfigFiles => {
  if (file !== undefined) return { paths: [file], mayBeAbsent: false };
  const named = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return { paths: named.length > 0 ? named : [join(home, '.kube', 'config')], mayBeAbsent: true };
};

const readOne = async (path: string, mayBeAbsent: boolean): Promise<JsonObject | undefined> => {
  const name = oneLine(path, MAX_QUOTED);
  const text = await readTextFile(path, { fromShell: true }).catch((error: unknown) => {
    if (mayBeAbsent && memberOf(error, 'code') === 'ENOENT') return undefined;
    throw new UserError(`cannot read the kubeconfig ${name}: ${oneLine(messageOf(error), MAX_QUOTED)}`);
  });
  if (text === undefined) return undefined;
  try {
    const parsed = text.trim() === '' ? {} : (load(text) ?? {});
    if (isJsonObject(parsed)) return parsed;
  } catch (error) {
    // The first line: the others quote the file, which holds credentials.
    const [reason = ''] = messageOf(error).split('\n');
    throw new UserError(`the kubeconfig ${name} is not YAML: ${oneLine(reason, MAX_QUOTED)}`);
  }
  throw new UserError(`the kubeconfig ${name} is no kubeconfig: it must be an object`);
};

const PATHS: Readonly<Record<string, readonly string[]>> = {
  cluster: ['certificate-authority'],
  user: ['client-certificate', 'client-key', 'tokenFile'],
};

/** A program without a slash is found in the PATH; any other path is relative to the file that has it. */
const withAbsoluteCommand = (exec: JsonObject, folder: string): JsonObject => {
  const command = textOf(memberOf(exec, 'command')) ?? '';
  return command.includes('/') && !isAbsolute(command) ? { ...exec, command: join(folder, command) } : exec;
};

const withAbsolutePaths = (body: JsonObject, fields: readonly string[], folder: string): JsonObject => {
  const paths = fields.flatMap((field) => {
    const path = textOf(memberOf(body, field));
    return path === undefined || path === '' ? [] : [[field, resolve(folder, path)] as const];
  });
  const exec = memberOf(body, 'exec');
  return {
    ...body,
    ...Object.fromEntries(paths),
    ...(isJsonObject(exec) ? { exec: withAbsoluteCommand(exec, folder) } : {}),
  };
};

/** Returns the named bodies of a list: `{name: …, cluster: {…}}`. */
const entriesOf = (
  { file, folder }: { readonly file: JsonObject; readonly folder: string },
  list: string,
  field: string,
): readonly (readonly [string, JsonObject])[] =>
  (listMemberOf(file, list) ?? []).flatMap((entry) => {
    const [name, body] = [textOf(memberOf(entry, 'name')), memberOf(entry, field) ?? {}];
    if (name === undefined || !isJsonObject(body)) return [];
    return [[name, withAbsolutePaths(body, PATHS[field] ?? [], folder)] as const];
  });

/** Reads and merges the files as kubectl does: of two entries with one name, the first counts. Undefined: there is no file. */
export const readKubeconfigFiles = async ({
  paths,
  mayBeAbsent,
}: KubeconfigFiles): Promise<MergedKubeconfig | undefined> => {
  const found: { readonly file: JsonObject; readonly folder: string; readonly path: string }[] = [];
  for (const path of paths) {
    const file = await readOne(path, mayBeAbsent);
    if (file !== undefined) found.push({ file, folder: resolve(dirname(path)), path });
  }
  if (found.length === 0) return undefined;
  // The last entry of a map counts.
  const merge = (list: string, field: string): ReadonlyMap<string, JsonObject> =>
    new Map(found.toReversed().flatMap((one) => entriesOf(one, list, field).toReversed()));
  const named = found.map(({ file }) => textOf(memberOf(file, 'current-context')) ?? '');
  return {
    clusters: merge('clusters', 'cluster'),
    users: merge('users', 'user'),
    contexts: merge('contexts', 'context'),
    currentContext: named.find((name) => name !== '') ?? '',
    paths: found.map(({ path }) => path),
  };
};
