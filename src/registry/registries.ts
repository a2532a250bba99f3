import type { LookUp } from './addresses.ts';
import { createRegistry, type Registry } from './registry.ts';
import type { RegistryLimits, RegistrySettings } from './settings.ts';
import { type OpenSource, SourceFault } from './source.ts';
import { createTransport } from './transport.ts';

export interface RegistriesOptions {
  readonly settings: readonly RegistrySettings[];
  /** For hosts that `settings` does not name, and for what it leaves out. */
  readonly defaults?: { readonly ca?: string; readonly dockerConfig?: string };
  readonly limits: RegistryLimits;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Resolves host names where the system's resolver is not to be asked. */
  readonly lookUp?: LookUp;
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
}: RegistriesOptions): Registries => {
  const registries = new Map<string, Registry>();
  const seams = { now, lookUp };

  const registryOf = (host: string): Registry => {
    const known = registries.get(host);
    if (known !== undefined) return known;
    const named = settings.find((one) => one.host === host);
    const made = createRegistry({ ...defaults, ...named, host }, limits, seams);
    registries.set(host, made);
    return made;
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
    const ca = settings.find(({ host }) => host === name)?.ca ?? defaults.ca;
    const transport = createTransport({
      name,
      ca,
      plainHttpHost: undefined,
      redirects,
      requestTimeout,
      lookUp,
    });
    try {
      const question = { method: 'GET', url, limit: bytes, reach: 'registry' } as const;
      const answer = await transport.ask(question, { signal, onRequest: () => {} });
      if (answer.status !== 200)
        throw new SourceFault('unavailable', `${name} answers ${answer.status}`, { asked: true });
      return answer.body;
    } finally {
      await transport.close();
    }
  };

  return {
    open: ({ registry, path }, onRequest) => registryOf(registry).open(path, onRequest),
    fetchDocument,
    close: async () => void (await Promise.all([...registries.values()].map((registry) => registry.close()))),
  };
};
