import { type CertificateEvent, CODES } from './certificate-event.ts';
import { perform } from './perform.ts';
import { plan } from './plan.ts';
import { type CertificateAuthority, writeState } from './state.ts';
import { createTrust, type TrustOptions, type TrustResult } from './trust.ts';

/** Bounds steps and conflicts with other replicas; a whole rotation takes fewer. */
const MAX_ROUNDS = 16;

export interface ReconcileOptions extends TrustOptions {
  readonly onEvent: (event: CertificateEvent) => void;
}

/**
 * Creates the function that performs all steps that are due, each written to the Secret before the next is planned. At
 * its end nothing is due and the Secret's CAs are trusted. A conflict means that another replica performed a step: the
 * Secret is read again, and the state made here is discarded.
 */
export const createReconcile = (
  options: ReconcileOptions,
): ((signal: AbortSignal) => Promise<TrustResult>) => {
  const { cluster, settings, namespace, now, onEvent } = options;
  const trust = createTrust(options);
  let lastTrusted: readonly CertificateAuthority[] = [];

  const trustAndReport = async (signal: AbortSignal): Promise<TrustResult> => {
    const trusted = await trust(signal);
    if (trusted.wasWritten)
      onEvent({ code: 'ca-bundle-written', detail: `trusted CAs: ${trusted.state.trusted.length}` });
    return trusted;
  };

  /** Returns false if nothing is due. */
  const performStep = async (
    { secret, state, trustedSince }: TrustResult,
    signal: AbortSignal,
  ): Promise<boolean> => {
    const time = now();
    const next = plan({ state, trustedSince, now: time, settings });
    if (next.do === 'nothing') return false;
    const after = await perform(next, state, { now: time, settings, lastTrusted });
    const newSecret = { version: secret.version, data: writeState(after, secret.data) };
    const outcome = await cluster.replaceSecret(namespace, settings.secret, newSecret, signal);
    if (outcome === 'written') onEvent({ code: CODES[next.do], detail: `in the Secret ${settings.secret}` });
    return true;
  };

  return async (signal) => {
    for (let rounds = 0; rounds < MAX_ROUNDS; rounds += 1) {
      const trusted = await trustAndReport(signal);
      if (await performStep(trusted, signal)) continue;
      lastTrusted = trusted.state.trusted;
      return trusted;
    }
    throw new Error(`the Secret ${namespace}/${settings.secret} keeps being changed by other clients`);
  };
};
