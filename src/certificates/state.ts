import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { Validity } from './validity.ts';

/** A certificate and its private key, PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** A CA to trust. */
export interface CertificateAuthority extends Validity {
  /** SHA-256 of the certificate, hex. */
  readonly id: string;
  /** PEM. */
  readonly cert: string;
}

/** A CA with its key. */
export type Issuer = CertificateAuthority & CertificatePair;

/** A serving certificate. */
export interface Leaf extends Validity, CertificatePair {
  /** The id of the CA that issued it. */
  readonly issuer: string;
  /** Its subject alternative names: host names in lower case, IP addresses. */
  readonly names: readonly string[];
}

/**
 * The consistent content of the Secret; the rest is left out, and so created again. No issuer or leaf is without its
 * key, and no leaf without its CA.
 */
export interface State {
  /** The CA that issues. */
  readonly issuer?: Issuer | undefined;
  /** The CA that is already trusted and will issue next. */
  readonly next?: Issuer | undefined;
  /** Every CA to trust now, the two above included; sorted, so that equal sets are equal. */
  readonly trusted: readonly CertificateAuthority[];
  readonly leaf?: Leaf | undefined;
  /** The end of the last leaf of each CA, by CA id. If it is not known, no leaf ends after its CA. */
  readonly issuedUntil: ReadonlyMap<string, number>;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Returns undefined if `run` throws: the bytes of the Secret are not trusted. */
const attempt = <Value>(run: () => Value): Value | undefined => {
  try {
    return run();
  } catch {
    return undefined;
  }
};

const parseAll = (pem = ''): readonly X509Certificate[] =>
  (pem.match(BLOCK) ?? []).flatMap((block) => attempt(() => new X509Certificate(block)) ?? []);

const validityOf = ({ validFromDate, validToDate }: X509Certificate): Validity => ({
  from: validFromDate.getTime(),
  until: validToDate.getTime(),
});

const idOf = ({ fingerprint256 }: X509Certificate): string =>
  fingerprint256.replaceAll(':', '').toLowerCase();

const authorityOf = (certificate: X509Certificate): CertificateAuthority => ({
  id: idOf(certificate),
  cert: certificate.toString(),
  ...validityOf(certificate),
});

const parseKey = (pem = ''): KeyObject | undefined => attempt(() => createPrivateKey(pem));

const isOurKind = (key: KeyObject): boolean =>
  key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';

/** Returns the CA that the key belongs to. */
const findIssuer = (
  authorities: readonly X509Certificate[],
  keyPem: string | undefined,
): Issuer | undefined => {
  const key = parseKey(keyPem);
  if (keyPem === undefined || key === undefined || !isOurKind(key)) return undefined;
  const owner = authorities.find((certificate) => certificate.checkPrivateKey(key));
  return owner && { ...authorityOf(owner), key: keyPem };
};

/** Returns the host names and IP addresses of a certificate, from Node's text of the extension. */
const namesOf = ({ subjectAltName = '' }: X509Certificate): readonly string[] =>
  subjectAltName.split(', ').flatMap((entry) => {
    const [, kind, name] = /^(DNS|IP Address):([^"]+)$/.exec(entry) ?? [];
    if (kind === undefined || name === undefined) return [];
    return kind === 'DNS' ? [name.toLowerCase()] : isIP(name) === 0 ? [] : [name];
  });

const findLeaf = (
  pem: string | undefined,
  keyPem: string | undefined,
  authorities: readonly X509Certificate[],
): Leaf | undefined => {
  const [certificate] = parseAll(pem);
  const key = parseKey(keyPem);
  if (certificate === undefined || keyPem === undefined || key === undefined || certificate.ca)
    return undefined;
  const issuer = authorities.find(
    (authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
  );
  if (issuer === undefined || !certificate.checkPrivateKey(key)) return undefined;
  return {
    cert: certificate.toString(),
    key: keyPem,
    names: namesOf(certificate),
    issuer: idOf(issuer),
    ...validityOf(certificate),
  };
};

/** Sorts a bundle and removes duplicates: which CA issues must not change the text of the bundle. */
export const sortAuthorities = (
  authorities: readonly CertificateAuthority[],
): readonly CertificateAuthority[] =>
  [...new Map(authorities.map((authority) => [authority.id, authority])).values()].toSorted(
    (a, b) => a.from - b.from || (a.id < b.id ? -1 : 1),
  );

/** Parses lines of a CA id and a time. */
const parseIssuedUntil = (text = ''): ReadonlyMap<string, number> =>
  new Map(
    text.split('\n').flatMap((line): [string, number][] => {
      const [, id, time] = /^([0-9a-f]{64}) (\S+)$/.exec(line) ?? [];
      const until = Date.parse(time ?? '');
      return id === undefined || Number.isNaN(until) ? [] : [[id, until]];
    }),
  );

/** Parses the data of a Secret. Never throws: incomplete and corrupt Secrets are states too. */
export const readState = (data: Readonly<Record<string, string>>): State => {
  const current = parseAll(data['ca.crt']).filter(({ ca }) => ca);
  const upcoming = parseAll(data['next-ca.crt']).filter(({ ca }) => ca);
  const issuer = findIssuer(current, data['ca.key']);
  const next = findIssuer(upcoming, data['next-ca.key']);
  const all = [...current, ...upcoming];
  return {
    issuer,
    next: next?.id === issuer?.id ? undefined : next,
    trusted: sortAuthorities(all.map(authorityOf)),
    leaf: attempt(() => findLeaf(data['tls.crt'], data['tls.key'], all)),
    issuedUntil: parseIssuedUntil(data['ca.issued-until']),
  };
};

/** Returns the text of the caBundle. */
export const bundleOf = ({ trusted }: State): string => trusted.map(({ cert }) => cert).join('');

const formatIssuedUntil = ({ trusted, issuedUntil }: State): string =>
  trusted
    .flatMap(({ id }) => {
      const until = issuedUntil.get(id);
      return until === undefined ? [] : [`${id} ${new Date(until).toISOString()}\n`];
    })
    .join('');

const STATE_KEYS = [
  'tls.crt',
  'tls.key',
  'ca.crt',
  'ca.key',
  'next-ca.crt',
  'next-ca.key',
  'ca.issued-until',
];

/** Returns the data of the Secret for a state; other keys of the Secret stay. */
export const writeState = (
  state: State,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> => {
  const { issuer, next, leaf } = state;
  const others = Object.entries(before).filter(([key]) => !STATE_KEYS.includes(key));
  return {
    ...Object.fromEntries(others),
    'tls.crt': leaf?.cert ?? '',
    'tls.key': leaf?.key ?? '',
    'ca.crt': bundleOf(state),
    ...(issuer === undefined ? {} : { 'ca.key': issuer.key }),
    ...(next === undefined ? {} : { 'next-ca.crt': next.cert, 'next-ca.key': next.key }),
    'ca.issued-until': formatIssuedUntil(state),
  };
};

/** Parses a pair that was issued here. Throws if it is malformed, which is a bug. */
export const readIssuer = ({ cert, key }: CertificatePair): Issuer => ({
  ...authorityOf(new X509Certificate(cert)),
  key,
});

export const readLeaf = ({ cert, key }: CertificatePair, { id }: CertificateAuthority): Leaf => {
  const certificate = new X509Certificate(cert);
  return { cert, key, issuer: id, names: namesOf(certificate), ...validityOf(certificate) };
};
