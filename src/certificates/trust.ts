import type { CertificateSettings } from '../config/index.ts';
import type { Cluster, SecretData, WebhookConfiguration } from '../kubernetes/index.ts';
import { bundleOf, readState, type State } from './state.ts';

export interface TrustOptions {
  readonly cluster: Pick<Cluster, 'readSecret' | 'replaceSecret' | 'setCaBundle'>;
  /** The namespace of the Secret. */
  readonly namespace: string;
  readonly settings: CertificateSettings;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The Secret as read last; exactly its CAs are in the webhook configurations. */
export interface TrustResult {
  readonly secret: SecretData;
  readonly state: State;
  /** The time since which they are there, as observed by this process; undefined if the Secret has no CA. */
  readonly trustedSince: number | undefined;
  /** True if a webhook configuration had another bundle. */
  readonly wasWritten: boolean;
}

/** The number of times that the configurations are written before a Secret that keeps changing is an error. */
const MAX_TRIES = 4;

const configurationsOf = ({
  webhookConfiguration,
  mutatingWebhookConfiguration,
}: CertificateSettings): readonly WebhookConfiguration[] => [
  ...(mutatingWebhookConfiguration === undefined
    ? []
    : [{ kind: 'mutating', name: mutatingWebhookConfiguration } as const]),
  { kind: 'validating', name: webhookConfiguration },
];

/**
 * Creates the function that reads the Secret and makes its CAs trusted. The Secret is read between reading and
 * writing a webhook configuration, and the write fails if the configuration was changed in the meantime. So of several
 * replicas the last writer has read the newest Secret, and none removes a CA that another has added. If the Secret
 * changes between two configurations, both are written again.
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
    let wasWritten = false;
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      const bundles = new Set<string>();
      for (const configuration of configurationsOf(settings)) {
        const outcome = await cluster.setCaBundle(configuration, readBundle, signal);
        if (outcome !== 'absent') bundles.add(bundleOf(state));
        wasWritten ||= outcome === 'written';
      }
      if (bundles.size === 1)
        return { secret, state, trustedSince: trustedSince(bundleOf(state), wasWritten), wasWritten };
    }
    throw new Error(
      `the Secret ${namespace}/${settings.secret} changes faster than its CAs are made trusted`,
    );
  };
};
