import type { ReportError } from '../base/index.ts';
import { repositoryFromName } from '../image/index.ts';
import { createFindCredentials } from './credentials/find-credentials.ts';
import type { PullSecrets } from './credentials/pull-secrets.ts';
import type { Environment } from './credentials/run-program.ts';
import { createFetchDocument, type FetchDocument } from './fetch-document.ts';
import { type LookUp, resolveAll } from './http/addresses.ts';
import { createBoundedLookUp } from './http/bounded-lookup.ts';
import { type CreateTransport, createTransport as createHttpTransport } from './http/transport.ts';
import { createProxyFor, type Proxy } from './proxy/proxy.ts';
import { createRegistry, type Registry, type RegistryState } from './registry.ts';
import type { RegistryDefaults, RegistryLimits, RegistrySettings } from './settings.ts';
import type { OpenSource } from './source.ts';
import type { Authorities } from './tls/authority-file.ts';
import { createTrust, type FindSecureContext } from './tls/trust.ts';

export interface RegistriesOptions {
  readonly settings: readonly RegistrySettings[];
  /** Apply to hosts without settings, and to settings that leave them out. */
  readonly defaults?: RegistryDefaults;
  readonly limits: RegistryLimits;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Replaces the system's resolver. */
  readonly lookUp?: LookUp;
  /** Replaces the network: sockets, TLS, proxies and redirects. */
  readonly createTransport?: CreateTransport;
  /** Undefined: every connection is direct. */
  readonly proxy?: Proxy;
  /** Undefined: there is no cluster, and registries with pull secrets fail with a fault that says so. */
  readonly pullSecrets?: PullSecrets;
  /** `run`: the credential helpers of a docker config are run, as Docker does; `named`: only faults name them (default). */
  readonly helpers?: 'run' | 'named';
  /**
   * The environment of this process: providers get its `PATH` and `HOME`, helpers all of it; `SSL_CERT_FILE` and
   * `SSL_CERT_DIR` name the system's authorities.
   */
  readonly environment?: Environment;
  /** Told of a `caFile` that cannot be read again. */
  readonly report?: ReportError;
}

export interface Registries {
  readonly open: OpenSource;
  readonly fetchDocument: FetchDocument;
  /** The states of the registries that were opened. */
  state(): readonly RegistryState[];
  close(): Promise<void>;
}

const authoritiesOf = ({ ca, caFile }: RegistryDefaults): Authorities | undefined =>
  ca === undefined ? undefined : { ca, caFile };

/** A registry's own docker config replaces the default ones. Authorities add up: see `createTrust`. */
const withDefaults = (
  { dockerConfig, dockerAuthConfig }: RegistryDefaults,
  settings: RegistrySettings,
): RegistrySettings =>
  settings.dockerConfig === undefined
    ? {
        ...settings,
        ...(dockerConfig === undefined ? {} : { dockerConfig }),
        ...(dockerAuthConfig === undefined ? {} : { dockerAuthConfig }),
      }
    : settings;

/**
 * Creates the clients of all registries. None is contacted before something is read from it. State is stored for each
 * registry that was opened, which are the hosts of the configuration and of the command line only.
 */
export const createRegistries = ({
  settings,
  defaults = {},
  limits,
  now,
  lookUp,
  createTransport = createHttpTransport,
  proxy = {},
  pullSecrets,
  helpers = 'named',
  environment = {},
  report = () => '',
}: RegistriesOptions): Registries => {
  const registries = new Map<string, Registry>();
  // One for all registries: they share the threads of the system's resolver.
  const lookUpBackend = createBoundedLookUp(lookUp ?? resolveAll);
  const trust = createTrust({ environment, authorities: authoritiesOf(defaults), report });
  const network = {
    now,
    lookUp,
    lookUpBackend,
    createTransport,
    proxyFor: createProxyFor(proxy),
    proxySecureContext: trust.forAll,
  };
  const settingsOf = (host: string): RegistrySettings =>
    withDefaults(defaults, settings.find((entry) => entry.host === host) ?? { host });

  const secureContextOf = (host: string): FindSecureContext => {
    const own = authoritiesOf(settingsOf(host));
    return own === undefined ? trust.forAll : trust.with(own);
  };

  const registryOf = (host: string): Registry => {
    const existing = registries.get(host);
    if (existing !== undefined) return existing;
    const ownSettings = settingsOf(host);
    const findCredentials = createFindCredentials(ownSettings, { pullSecrets, helpers, environment, now });
    const registry = createRegistry(ownSettings, limits, {
      ...network,
      findCredentials,
      secureContext: secureContextOf(host),
    });
    registries.set(host, registry);
    return registry;
  };

  const open: OpenSource = (repository, caller) => {
    const { endpoint } = settingsOf(repository.registry);
    const contacted =
      endpoint === undefined ? repository : repositoryFromName(`${endpoint}/${repository.path}`);
    return registryOf(contacted.registry).open(contacted.path, caller, repository.name);
  };

  const { redirects, requestTimeout } = limits;
  const fetchDocument = createFetchDocument({ redirects, requestTimeout, ...network }, secureContextOf);

  return {
    open,
    fetchDocument,
    state: () => [...registries.values()].map((registry) => registry.state()),
    close: async () => void (await Promise.all([...registries.values()].map((registry) => registry.close()))),
  };
};
