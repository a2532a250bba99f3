import { type CertificateEvent, CODES } from './certificate-event.ts';
import { perform } from './perform.ts';
import { plan } from './plan.ts';
import { type CertificateAuthority, writeState } from './state.ts';
import { createTrust, type TrustOptions, type TrustResult } from './trust.ts';

/** Steps, and conflicts with other replicas, until nothing is left to do. More than a whole rotation takes. */
const MOST_ROUNDS = 16;

export interface ReconcileOptions extends TrustOptions {
  readonly onEvent: (event: CertificateEvent) => void;
}

/**
 * Creates what does all that is due, step by step, each written to the Secret before the next is looked for. It ends
 * with nothing left to do and the Secret's CAs trusted. A conflict is a step that another replica did: its outcome is
 * read, and what was made here is thrown away.
 */
export const createReconcile = (
  options: ReconcileOptions,
): ((signal: AbortSignal) => Promise<TrustResult>) => {
  const { cluster, settings, namespace, now, onEvent } = options;
  const trust = createTrust(options);
  let known: readonly CertificateAuthority[] = [];

  const trustNow = async (signal: AbortSignal): Promise<TrustResult> => {
    const trusted = await trust(signal);
    if (trusted.wasWritten)
      onEvent({ code: 'ca-bundle-written', detail: `CAs that are trusted: ${trusted.state.trusted.length}` });
    return trusted;
  };

  /** False: there was nothing to do. */
  const step = async (
    { secret, state, trustedSince }: TrustResult,
    signal: AbortSignal,
  ): Promise<boolean> => {
    const time = now();
    const next = plan({ state, trustedSince, now: time, settings });
    if (next.do === 'nothing') return false;
    const after = await perform(next, state, { now: time, settings, lastTrusted: known });
    const replaced = { version: secret.version, data: writeState(after, secret.data) };
    const outcome = await cluster.replaceSecret(namespace, settings.secret, replaced, signal);
    if (outcome === 'written') onEvent({ code: CODES[next.do], detail: `in the Secret ${settings.secret}` });
    return true;
  };

  return async (signal) => {
    for (let rounds = 0; rounds < MOST_ROUNDS; rounds += 1) {
      const trusted = await trustNow(signal);
      if (await step(trusted, signal)) continue;
      known = trusted.state.trusted;
      return trusted;
    }
    throw new Error(`the Secret ${namespace}/${settings.secret} is written by somebody else all the time`);
  };
};
