import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { issueAuthority, issueLeaf } from '../../src/certificates/issue.ts';
import { readIssuer, readLeaf } from '../../src/certificates/state.ts';

const directory = mkdtempSync(join(tmpdir(), 'sailmark-issue-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const HOUR = 3_600_000;
const NAMES = ['sailmark.sailmark.svc', `${'long-'.repeat(12)}name.sailmark.svc`, '192.0.2.7', '2001:db8::7'];

const file = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const openssl = (...args: readonly string[]): string =>
  execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const verify = (ca: string, leaf: string, ...more: readonly string[]): string =>
  openssl(
    'verify',
    '-x509_strict',
    '-purpose',
    'sslserver',
    ...more,
    '-CAfile',
    file('ca', ca),
    file('leaf', leaf),
  );

const now = Date.now();
const authority = await issueAuthority(now, 100 * HOUR);
const leaf = await issueLeaf(authority, NAMES, { now, until: now + 10 * HOUR });

describe('a certificate that we issue', () => {
  it('is refused by openssl under another CA of ours, and for a name that it does not have', async () => {
    const other = await issueAuthority(now, HOUR);
    expect(() => verify(other.cert, leaf.cert)).toThrow('unable to get local issuer certificate');
    expect(() => verify(authority.cert, leaf.cert, '-verify_hostname', 'other.svc')).toThrow(
      'hostname mismatch',
    );
  });

  it('cannot issue another one, nor can one of its CA be a CA', async () => {
    const below = await issueLeaf(leaf, ['evil.svc'], { now, until: now + HOUR });
    const chain = ['-untrusted', file('middle', leaf.cert)];
    expect(() => verify(authority.cert, below.cert, ...chain)).toThrow(
      /invalid CA certificate|no keyCertSign/i,
    );
  });

  it.each(NAMES)('is taken by openssl at its strictest, for %s', (name) => {
    const option = /^[\d.]+$|:/.test(name) ? '-verify_ip' : '-verify_hostname';
    expect(verify(authority.cert, leaf.cert, option, name)).toMatch(/: OK\n$/);
  });

  it('is taken where several CAs of ours are trusted', async () => {
    const others = [await issueAuthority(now, HOUR), await issueAuthority(now, HOUR)];
    const bundle = others.map(({ cert }) => cert).join('') + authority.cert;
    expect(verify(bundle, leaf.cert)).toMatch(/: OK\n$/);
  });

  it('has what RFC 5280 and the API server want of it', () => {
    const text = openssl('x509', '-noout', '-text', '-in', file('leaf', leaf.cert));
    expect(text).toContain('Signature Algorithm: ecdsa-with-SHA256');
    expect(text).toContain('ASN1 OID: prime256v1');
    expect(text).toMatch(/Basic Constraints: critical\n\s+CA:FALSE/);
    expect(text).toMatch(/X509v3 Key Usage: critical\n\s+Digital Signature\n/);
    expect(text).toMatch(/Extended Key Usage: \n\s+TLS Web Server Authentication\n/);
    const ca = openssl('x509', '-noout', '-text', '-in', file('ca', authority.cert));
    expect(ca).toMatch(/Basic Constraints: critical\n\s+CA:TRUE, pathlen:0/);
    expect(ca).toMatch(/X509v3 Key Usage: critical\n\s+Certificate Sign, CRL Sign\n/);
    const keyId = /Subject Key Identifier: \n\s+(\S+)/.exec(ca)?.[1];
    expect(/Authority Key Identifier: \n\s+(\S+)/.exec(text)?.[1]).toBe(keyId);
  });

  it('is valid an hour before it is made, and no longer than its CA', async () => {
    const { validFromDate, validToDate } = new X509Certificate(leaf.cert);
    expect(now - validFromDate.getTime()).toBeGreaterThanOrEqual(HOUR);
    expect(now - validFromDate.getTime()).toBeLessThan(HOUR + 1000);
    expect(validToDate.getTime() - now).toBeGreaterThanOrEqual(10 * HOUR);
    const long = await issueLeaf(authority, NAMES, { now, until: now + 1000 * HOUR });
    expect(new X509Certificate(long.cert).validToDate).toEqual(
      new X509Certificate(authority.cert).validToDate,
    );
  });

  it('is read back as what it is', () => {
    const issuer = readIssuer(authority);
    expect(issuer).toEqual({
      ...authority,
      id: new X509Certificate(authority.cert).fingerprint256.replaceAll(':', '').toLowerCase(),
      from: expect.any(Number),
      until: expect.any(Number),
    });
    expect(readLeaf(leaf, issuer)).toMatchObject({
      issuer: issuer.id,
      names: [...NAMES.slice(0, 3), expect.any(String)],
    });
  });

  it('has another serial number, key and CA name each time', async () => {
    const again = await issueAuthority(now, 100 * HOUR);
    const [one, two] = [new X509Certificate(authority.cert), new X509Certificate(again.cert)];
    expect(one.serialNumber).not.toBe(two.serialNumber);
    expect(one.subject).not.toBe(two.subject);
    expect(authority.key).not.toBe(again.key);
  });
});
