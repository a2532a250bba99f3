// oxlint-disable-next-line import/no-unassigned-import -- the library below needs the global that it defines
import 'reflect-metadata';
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { SECOND_MS } from '../base/index.ts';
import type { CertificatePair } from './state.ts';
import { BACKDATE_MS } from './validity.ts';

/*
 * The only file that loads the library that writes X.509 (RFC 5280); it is loaded only to issue something.
 */

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' };

const createKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

/** Returns a serial number that is positive and random (RFC 5280 §4.1.2.2). */
const createSerial = (): string => {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return bytes.toString('hex');
};

const pemOf = async (key: webcrypto.CryptoKey): Promise<string> => {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    type: 'pkcs8',
    format: 'pem',
  });
};

const importKey = (pem: string): Promise<webcrypto.CryptoKey> => {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
};

/** X.509 has whole seconds: rounded so that no certificate is valid for less than intended. */
const validity = (now: number, until: number): { readonly notBefore: Date; readonly notAfter: Date } => ({
  notBefore: new Date(Math.floor((now - BACKDATE_MS) / SECOND_MS) * SECOND_MS),
  notAfter: new Date(Math.ceil(until / SECOND_MS) * SECOND_MS),
});

/** Issues a CA that may issue leaves and nothing else, for `lifetime` milliseconds from `now`. */
export const issueAuthority = async (now: number, lifetime: number): Promise<CertificatePair> => {
  const keys = await createKeys();
  const name = `CN=sailmark authority ${randomBytes(6).toString('hex')}`;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: createSerial(),
    subject: name,
    issuer: name,
    ...validity(now, now + lifetime),
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: SIGNING,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await pemOf(keys.privateKey) };
};

/** Issues a serving certificate for `names`, host names and addresses, valid until `until` but not longer than its CA. */
export const issueLeaf = async (
  authority: CertificatePair,
  names: readonly string[],
  { now, until }: { readonly now: number; readonly until: number },
): Promise<CertificatePair> => {
  const keys = await createKeys();
  const issuer = new X509Certificate(authority.cert);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: createSerial(),
    subject: 'CN=sailmark',
    issuer: issuer.subject,
    ...validity(now, Math.min(until, issuer.notAfter.getTime())),
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    signingAlgorithm: SIGNING,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const),
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await pemOf(keys.privateKey) };
};
