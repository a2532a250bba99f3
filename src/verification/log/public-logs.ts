import { createPublicKey } from 'node:crypto';
import { idOfLog, type TrustedLog, type TrustedLogs } from './trusted-log.ts';

const publicLog = (host: string, spki: string, validFrom: string): TrustedLog => {
  const key = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' });
  return { host, id: idOfLog(host, key), key, validFrom: Date.parse(validFrom), validUntil: undefined };
};

/**
 * The logs of Sigstore's public-good instance, used if no trusted root is configured. Source: sigstore/root-signing,
 * targets/trusted_root.json at commit 60cf2ce (Apache-2.0).
 */
export const publicLogs: TrustedLogs = [
  publicLog(
    'rekor.sigstore.dev',
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2G2Y+2tabdTV5BcGiBIx0a9fAFwrkBbmLSGtks4L3qX6yYY0zufBnhC8Ur/iy55GhWP/9A/bY2LhC30M9+RYtw==',
    '2021-01-12T11:53:27Z',
  ),
  publicLog(
    'log2025-1.rekor.sigstore.dev',
    'MCowBQYDK2VwAyEAt8rlp1knGwjfbcXAYPYAkn0XiLz1x8O4t0YkEhie244=',
    '2025-09-23T00:00:00Z',
  ),
];
