import { generateKeyPairSync, type KeyObject, randomBytes, sign as signWith } from 'node:crypto';

/** A certificate authority, and a server's certificate and key; all PEM. */
export interface Tls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/*
 * Just enough DER (X.690) to write an X.509 certificate (RFC 5280 §4.1): write-only, and only for tests.
 */
const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const set = (...parts: readonly Uint8Array[]): Buffer => der(0x31, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const octets = (content: Uint8Array): Buffer => der(0x04, content);
const bits = (content: Uint8Array): Buffer => der(0x03, Buffer.of(0), content);
const yes = der(0x01, Buffer.of(0xff));
const utcTime = (date: Date): Buffer =>
  der(
    0x17,
    Buffer.from(
      `${date
        .toISOString()
        .replaceAll(/[-:T]|\..*/g, '')
        .slice(2)}Z`,
    ),
  );

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
const DAY = 86_400_000;

const nameOf = (text: string): Buffer => sequence(set(sequence(oid('550403'), der(0x0c, Buffer.from(text)))));
const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(oid(id), ...(critical ? [yes] : []), octets(value));

const isAddress = (host: string): boolean => /^\d+(\.\d+){3}$/.test(host);
const generalName = (host: string): Buffer =>
  isAddress(host) ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host));

const pem = (label: string, bytes: Buffer): string =>
  `-----BEGIN ${label}-----\n${bytes.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END ${label}-----\n`;

interface Subject {
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

const certificate = (
  subject: Subject,
  issuer: { readonly name: string; readonly privateKey: KeyObject },
): string => {
  const now = Date.now();
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    nameOf(issuer.name),
    sequence(utcTime(new Date(now - DAY)), utcTime(new Date(now + 30 * DAY))),
    nameOf(subject.name),
    subject.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...subject.extensions)),
  );
  const signature = signWith('sha256', body, issuer.privateKey);
  return pem('CERTIFICATE', sequence(body, ECDSA_WITH_SHA256, bits(signature)));
};

/**
 * A P-256 authority and a server certificate for `hosts` (DNS names and IPv4 addresses), the first of which is its common
 * name too. Without `altNames` that is the only one.
 */
export const createTls = (
  hosts: readonly string[] = ['127.0.0.1', 'localhost'],
  { altNames = true }: { readonly altNames?: boolean } = {},
): Tls => {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = {
    name: `test authority ${randomBytes(4).toString('hex')}`,
    privateKey: authority.privateKey,
  };
  const ca = certificate(
    {
      name: issuer.name,
      publicKey: authority.publicKey,
      extensions: [
        extension('551d13', true, sequence(yes)),
        extension('551d0f', true, der(0x03, Buffer.of(1, 0x06))),
      ],
    },
    issuer,
  );
  const names = extension('551d11', false, sequence(...hosts.map(generalName)));
  const usage = extension('551d25', false, sequence(oid('2b06010505070301')));
  const cert = certificate(
    {
      name: hosts[0] ?? 'server',
      publicKey: server.publicKey,
      extensions: altNames ? [names, usage] : [usage],
    },
    issuer,
  );
  return { ca, cert, key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }) };
};
