import { repositoryFromName } from '../image/index.ts';
import { createFindCredentials } from './credentials/find-credentials.ts';
import type { PullSecrets } from './credentials/pull-secrets.ts';
import type { Environment } from './credentials/run-program.ts';
import type { LookUp } from './http/addresses.ts';
import { createTransport } from './http/transport.ts';
import { createProxyFor, type Proxy } from './proxy/proxy.ts';
import { createRegistry, type Registry } from './registry.ts';
import type { RegistryLimits, RegistrySettings } from './settings.ts';
import { type OpenSource, SourceFault } from './source.ts';

export interface RegistriesOptions {
  readonly settings: readonly RegistrySettings[];
  /** For hosts that `settings` does not name, and for what it leaves out. */
  readonly defaults?: { readonly ca?: string; readonly dockerConfig?: string };
  readonly limits: RegistryLimits;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Resolves host names where the system's resolver is not to be asked. */
  readonly lookUp?: LookUp;
  /** What is asked through which proxy; undefined: nothing through any. */
  readonly proxy?: Proxy;
  /** Undefined: there is no cluster, and credentials that it keeps are a fault that says so. */
  readonly pullSecrets?: PullSecrets;
  /** Whether the credential helpers that a docker config names are run, as Docker does, or only named (the default). */
  readonly helpers?: 'run' | 'named';
  /** Of this process: providers are given `PATH` and `HOME` of it, helpers all. */
  readonly environment?: Environment;
}

/** Fetches a document over https, with the rules for redirects and addresses of registries and no credentials. */
export type FetchDocument = (
  url: string,
  options: { readonly bytes: number; readonly signal: AbortSignal },
) => Promise<Uint8Array>;

export interface Registries {
  readonly open: OpenSource;
  readonly fetchDocument: FetchDocument;
  close(): Promise<void>;
}

/**
 * All registries of a process. Contacts none before it is asked for something of it. It keeps state for each registry
 * that was opened: those are the hosts of the configuration and of the command line, and no others.
 */
export const createRegistries = ({
  settings,
  defaults = {},
  limits,
  now,
  lookUp,
  proxy = {},
  pullSecrets,
  helpers = 'named',
  environment = {},
}: RegistriesOptions): Registries => {
  const registries = new Map<string, Registry>();
  const seams = { now, lookUp, proxyFor: createProxyFor(proxy) };
  const settingsOf = (host: string): RegistrySettings => ({
    ...defaults,
    ...settings.find((one) => one.host === host),
    host,
  });

  const registryOf = (host: string): Registry => {
    const known = registries.get(host);
    if (known !== undefined) return known;
    const own = settingsOf(host);
    const findCredentials = createFindCredentials(own, { pullSecrets, helpers, environment, now });
    const made = createRegistry(own, limits, { ...seams, findCredentials });
    registries.set(host, made);
    return made;
  };

  const open: OpenSource = (repository, onRequest) => {
    const { endpoint } = settingsOf(repository.registry);
    const contacted =
      endpoint === undefined ? repository : repositoryFromName(`${endpoint}/${repository.path}`);
    return registryOf(contacted.registry).open(contacted.path, onRequest, repository.name);
  };

  const fetchDocument: FetchDocument = async (text, { bytes, signal }) => {
    const url = URL.parse(text);
    // Not the text itself: what follows a `?` may be a secret.
    if (url?.protocol !== 'https:')
      throw new SourceFault('refused', `${url?.host ?? 'a document'} is fetched by an https URL only`, {
        asked: false,
      });
    const { redirects, requestTimeout } = limits;
    const name = url.host;
    const { ca } = settingsOf(name);
    const times = { redirects, requestTimeout };
    const transport = createTransport({ name, ca, plainHttpHost: undefined, ...times, ...seams });
    try {
      const question = { method: 'GET', url, limit: bytes, namedBy: 'registry' } as const;
      const answer = await transport.send(question, { signal, onRequest: () => {} });
      if (answer.status !== 200)
        throw new SourceFault('unavailable', `${name} answers ${answer.status}`, { asked: true });
      return answer.body;
    } finally {
      await transport.close();
    }
  };

  return {
    open,
    fetchDocument,
    close: async () => void (await Promise.all([...registries.values()].map((registry) => registry.close()))),
  };
};
