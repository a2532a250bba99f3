import { spawn } from 'node:child_process';
import {
  isJsonObject,
  type JsonObject,
  listMemberOf,
  memberOf,
  oneLine,
  parseJson,
  quoted,
  SECOND_MS,
  textOf,
} from '../../base/index.ts';

/** The credentials that a program returned (client.authentication.k8s.io, ExecCredential). */
export interface ExecCredential {
  readonly token?: string;
  /** PEM. */
  readonly certificate?: string;
  readonly key?: string;
}

/** Runs the credential program of a kubeconfig, as EKS, GKE and AKS have one. */
export interface ExecCredentials {
  /** Returns the credential, from the last run while that has not expired. Rejects with `CredentialProblem`. */
  get(signal: AbortSignal): Promise<ExecCredential>;
  /** The API server did not accept the credential: the next one is new. */
  forget(): void;
}

/** A credential program failed. The message names it and the remedy. */
export class CredentialProblem extends Error {
  override readonly name = 'CredentialProblem';
}

type Env = Readonly<Record<string, string | undefined>>;

/** A log-in in a browser takes this long. */
const MAX_RUN_MS = 60 * SECOND_MS;
const MAX_OUTPUT_BYTES = 1024 * 1024;
const MAX_QUOTED = 300;

const textIn = (value: unknown, name: string): string => textOf(memberOf(value, name)) ?? '';

/** The variable by which the program learns which version to speak, and of which cluster (client-go, exec plugins). */
const execInfo = (spec: JsonObject, cluster: JsonObject): string =>
  JSON.stringify({
    apiVersion: textIn(spec, 'apiVersion'),
    kind: 'ExecCredential',
    spec: { interactive: false, ...(memberOf(spec, 'provideClusterInfo') === true ? { cluster } : {}) },
  });

const environmentOf = (spec: JsonObject, cluster: JsonObject, env: Env): NodeJS.ProcessEnv => ({
  ...env,
  ...Object.fromEntries(
    (listMemberOf(spec, 'env') ?? []).map((entry) => [textIn(entry, 'name'), textIn(entry, 'value')]),
  ),
  KUBERNETES_EXEC_INFO: execInfo(spec, cluster),
});

interface Output {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program, without standard input: nobody could be asked. Ends it with the signal. */
const run = (spec: JsonObject, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Output> =>
  new Promise((resolve, reject) => {
    const args = (listMemberOf(spec, 'args') ?? []).filter((arg) => typeof arg === 'string');
    const child = spawn(textIn(spec, 'command'), args, { env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    const texts = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (chunk: string) => {
        if (texts[name].length < MAX_OUTPUT_BYTES) texts[name] += chunk;
      });
    child.once('error', reject);
    child.once('close', (code, ended) => resolve({ ...texts, code: code ?? ended ?? 'unknown' }));
  });

const problemOf = (spec: JsonObject, why: string): CredentialProblem => {
  const hint = textIn(spec, 'installHint').trim();
  const program = `the credential program ${quoted(textIn(spec, 'command'), MAX_QUOTED)} of the kubeconfig`;
  return new CredentialProblem(
    `${program} ${why}${hint === '' ? '' : ` (${oneLine(hint.replaceAll(/\s+/g, ' '), MAX_QUOTED)})`}`,
  );
};

const failureOf = (spec: JsonObject, error: unknown, caller: AbortSignal): CredentialProblem => {
  const code = memberOf(error, 'code') ?? (error as { readonly code?: unknown }).code;
  if (code === 'ENOENT') return problemOf(spec, 'was not found: install it');
  if (code === 'ABORT_ERR')
    return problemOf(
      spec,
      caller.aborted
        ? 'did not end in time: log in first, for example with `kubectl get namespaces`'
        : `did not end within ${MAX_RUN_MS / SECOND_MS} s: log in first, for example with \`kubectl get namespaces\``,
    );
  return problemOf(spec, `could not be started (${String(code)})`);
};

const readCredential = (spec: JsonObject, { code, stdout, stderr }: Output) => {
  if (code !== 0) {
    const said = oneLine(stderr.trim().replaceAll(/\s+/g, ' '), MAX_QUOTED);
    throw problemOf(spec, `failed with ${code}${said === '' ? '' : `: ${said}`}`);
  }
  const status = memberOf(parseJson(stdout), 'status');
  const [token, certificate, key] = ['token', 'clientCertificateData', 'clientKeyData'].map((name) =>
    textIn(status, name),
  );
  if (!isJsonObject(status) || (!token && !(certificate && key)))
    throw problemOf(spec, 'printed no credential: run it, and see what it prints');
  const credential: ExecCredential = {
    ...(token ? { token } : {}),
    ...(certificate && key ? { certificate, key } : {}),
  };
  return { credential, expires: Date.parse(textIn(status, 'expirationTimestamp')) };
};

/** Creates the function that gets credentials from the program of a kubeconfig's user (`exec`). */
export const createExecCredentials = (spec: JsonObject, cluster: JsonObject, env: Env): ExecCredentials => {
  let last: { readonly credential: ExecCredential; readonly expires: number } | undefined;
  let running: Promise<ExecCredential> | undefined;
  const renew = async (caller: AbortSignal): Promise<ExecCredential> => {
    const signal = AbortSignal.any([caller, AbortSignal.timeout(MAX_RUN_MS)]);
    const output = await run(spec, environmentOf(spec, cluster, env), signal).catch((error: unknown) => {
      throw failureOf(spec, error, caller);
    });
    last = readCredential(spec, output);
    return last.credential;
  };
  return {
    async get(signal) {
      // Without a time it lasts as long as this process, and until the API server refuses it.
      if (last !== undefined && !(last.expires <= Date.now())) return last.credential;
      running ??= renew(signal).finally(() => {
        running = undefined;
      });
      return running;
    },
    forget() {
      last = undefined;
    },
  };
};
