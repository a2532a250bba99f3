import type { ProveLogged } from './log-proof.ts';
import { publicLogs } from './public-logs.ts';
import type { TrustedLogs } from './trusted-log.ts';

/**
 * Creates the proof of signatures by these logs; by default, Sigstore's public ones. Loads `@sigstore/verify`: call it
 * only if the log is required.
 */
export const loadProveLogged = async (logs: TrustedLogs = publicLogs): Promise<ProveLogged> => {
  const { createProveLogged } = await import('./prove-logged.ts');
  return createProveLogged(logs);
};
