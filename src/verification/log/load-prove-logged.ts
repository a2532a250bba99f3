import type { ProveLogged } from './log-proof.ts';
import { publicLogs } from './public-logs.ts';
import type { TrustedLogs } from './trusted-log.ts';

/**
 * Loads what proves that signatures are in one of these logs; by default, Sigstore's public ones. The libraries for it
 * are loaded here, and so only where the log is required.
 */
export const loadProveLogged = async (logs: TrustedLogs = publicLogs): Promise<ProveLogged> => {
  const { createProveLogged } = await import('./prove-logged.ts');
  return createProveLogged(logs);
};
