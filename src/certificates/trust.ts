import type { CertificateSettings } from '../config/index.ts';
import type { Cluster, SecretData } from '../kubernetes/index.ts';
import { bundleOf, readState, type State } from './state.ts';

export interface TrustOptions {
  readonly cluster: Pick<Cluster, 'readSecret' | 'replaceSecret' | 'setCaBundle'>;
  /** The namespace of the Secret. */
  readonly namespace: string;
  readonly settings: CertificateSettings;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The Secret as read last; exactly its CAs are in the webhook configuration. */
export interface TrustResult {
  readonly secret: SecretData;
  readonly state: State;
  /** The time since which they are there, as observed by this process; undefined if the Secret has no CA. */
  readonly trustedSince: number | undefined;
  /** True if the webhook configuration had another bundle. */
  readonly wasWritten: boolean;
}

/**
 * Creates the function that reads the Secret and makes its CAs trusted. The Secret is read between reading and
 * writing the webhook configuration, and the write fails if the configuration was changed in the meantime. So of
 * several replicas the last writer has read the newest Secret, and none removes a CA that another has added.
 */
export const createTrust = (options: TrustOptions): ((signal: AbortSignal) => Promise<TrustResult>) => {
  const { cluster, namespace, settings, now } = options;
  let since: { readonly bundle: string; readonly at: number } | undefined;

  const readSecret = async (signal: AbortSignal): Promise<SecretData> => {
    const secret = await cluster.readSecret(namespace, settings.secret, signal);
    if (secret !== undefined) return secret;
    throw new Error(
      `the Secret ${namespace}/${settings.secret} does not exist: install it, empty, with the chart; sailmark has no permission to create it`,
    );
  };

  /** Starts again if the bundle was changed or the clock was set back. */
  const trustedSince = (bundle: string, wasWritten: boolean): number => {
    const at = now();
    if (since === undefined || wasWritten || since.bundle !== bundle || since.at > at) since = { bundle, at };
    return since.at;
  };

  return async (signal) => {
    let secret = await readSecret(signal);
    let state = readState(secret.data);
    // With an empty bundle the API server would trust the CAs of its own system.
    if (state.trusted.length === 0) return { secret, state, trustedSince: undefined, wasWritten: false };
    const readBundle = async (): Promise<string> => {
      const newer = await readSecret(signal);
      const newerState = readState(newer.data);
      if (newerState.trusted.length > 0) [secret, state] = [newer, newerState];
      return bundleOf(state);
    };
    const outcome = await cluster.setCaBundle(settings.webhookConfiguration, readBundle, signal);
    const wasWritten = outcome === 'written';
    return { secret, state, trustedSince: trustedSince(bundleOf(state), wasWritten), wasWritten };
  };
};
