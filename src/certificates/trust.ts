import type { CertificateSettings } from '../config/index.ts';
import type { Cluster, SecretData } from '../kubernetes/index.ts';
import { bundleOf, readState, type State } from './state.ts';

export interface TrustOptions {
  readonly cluster: Pick<Cluster, 'readSecret' | 'replaceSecret' | 'setCaBundle'>;
  /** Of the Secret. */
  readonly namespace: string;
  readonly settings: CertificateSettings;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What the Secret said last, and that its CAs, no more and no fewer, are in the webhook configuration. */
export interface TrustResult {
  readonly secret: SecretData;
  readonly state: State;
  /** Since when, as far as this process saw it. Undefined: the Secret names no CA. */
  readonly trustedSince: number | undefined;
  /** Whether the webhook configuration had another bundle. */
  readonly wasWritten: boolean;
}

/**
 * Creates what reads the Secret and lets its CAs be trusted. The Secret is read between the reading and the writing of
 * the webhook configuration, and the writing fails where somebody else wrote that meanwhile. So of several replicas the
 * one that writes last has read the newest Secret, and none takes out what another has put in.
 */
export const createTrust = (options: TrustOptions): ((signal: AbortSignal) => Promise<TrustResult>) => {
  const { cluster, namespace, settings, now } = options;
  let since: { readonly bundle: string; readonly at: number } | undefined;

  const readSecret = async (signal: AbortSignal): Promise<SecretData> => {
    const secret = await cluster.readSecret(namespace, settings.secret, signal);
    if (secret !== undefined) return secret;
    throw new Error(
      `the Secret ${namespace}/${settings.secret} is not there; it comes with the installation, empty, and we may not create it`,
    );
  };

  /** A bundle that somebody changed, or a clock that was set back, begins the time anew. */
  const timeOf = (bundle: string, wasWritten: boolean): number => {
    const at = now();
    if (since === undefined || wasWritten || since.bundle !== bundle || since.at > at) since = { bundle, at };
    return since.at;
  };

  return async (signal) => {
    let secret = await readSecret(signal);
    let state = readState(secret.data);
    // An empty bundle would make the API server trust the authorities of its own system.
    if (state.trusted.length === 0) return { secret, state, trustedSince: undefined, wasWritten: false };
    const readBundle = async (): Promise<string> => {
      const newer = await readSecret(signal);
      const newerState = readState(newer.data);
      if (newerState.trusted.length > 0) [secret, state] = [newer, newerState];
      return bundleOf(state);
    };
    const outcome = await cluster.setCaBundle(settings.webhookConfiguration, readBundle, signal);
    const wasWritten = outcome === 'written';
    return { secret, state, trustedSince: timeOf(bundleOf(state), wasWritten), wasWritten };
  };
};
