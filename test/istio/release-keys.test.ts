import { createHash, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { releaseKeys } from '../../src/istio/index.ts';
import { fixturePath } from '../support/fixtures.ts';

const pem = readFileSync(fixturePath('istio', 'istio-key.pub'), 'utf8');

describe("Istio's release keys", () => {
  it('are the first, built in, and the second by its URL, without a pin', () => {
    expect(releaseKeys).toEqual([
      { location: { kind: 'built-in', name: 'istio-release-1', text: pem }, covers: '1.12–1.31.0' },
      {
        location: { kind: 'url', url: 'https://istio.io/misc/istio-key-v2.pub' },
        covers: '1.31.1 and later',
      },
    ]);
  });

  it('begin with a P-256 key of the published fingerprint', () => {
    const der = createPublicKey(pem).export({ type: 'spki', format: 'der' });
    expect([
      createPublicKey(pem).asymmetricKeyDetails,
      createHash('sha256').update(der).digest('hex'),
    ]).toEqual([
      { namedCurve: 'prime256v1' },
      '8e0dbb285a3dbfc2826c5e4c263bcfe4d93169e2207bfdd4235f5200fa5c6212',
    ]);
  });
});
