import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { Validity } from './validity.ts';

/** PEM texts that belong together. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** A CA that is to be trusted. */
export interface CertificateAuthority extends Validity {
  /** SHA-256 of the certificate, hex. */
  readonly id: string;
  /** PEM. */
  readonly cert: string;
}

/** A CA whose key we hold. */
export type Issuer = CertificateAuthority & CertificatePair;

/** A serving certificate. */
export interface Leaf extends Validity, CertificatePair {
  /** The authority that issued it. */
  readonly issuer: string;
  /** Its subject alternative names: host names in small letters, addresses. */
  readonly names: readonly string[];
}

/**
 * What the Secret says, as far as it holds together; what does not is left out, and so made anew. No member is there
 * without its key, and no leaf without its authority.
 */
export interface State {
  /** The CA that issues. */
  readonly issuer?: Issuer | undefined;
  /** The CA that is trusted already and will issue next. */
  readonly next?: Issuer | undefined;
  /** Every CA that must be trusted now, the two above among them; in an order of its own, so that equal sets are equal. */
  readonly trusted: readonly CertificateAuthority[];
  readonly leaf?: Leaf | undefined;
  /** By authority: when the last leaf that it issued ends. Where it is not known, none ends after the authority. */
  readonly issuedUntil: ReadonlyMap<string, number>;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Undefined where `run` throws: bytes that somebody wrote. */
const attempt = <Value>(run: () => Value): Value | undefined => {
  try {
    return run();
  } catch {
    return undefined;
  }
};

const parseAll = (pem = ''): readonly X509Certificate[] =>
  (pem.match(BLOCK) ?? []).flatMap((block) => attempt(() => new X509Certificate(block)) ?? []);

const lifeOf = ({ validFromDate, validToDate }: X509Certificate): Validity => ({
  from: validFromDate.getTime(),
  until: validToDate.getTime(),
});

const idOf = ({ fingerprint256 }: X509Certificate): string =>
  fingerprint256.replaceAll(':', '').toLowerCase();

const authorityOf = (certificate: X509Certificate): CertificateAuthority => ({
  id: idOf(certificate),
  cert: certificate.toString(),
  ...lifeOf(certificate),
});

const parseKey = (pem = ''): KeyObject | undefined => attempt(() => createPrivateKey(pem));

const isOurKind = (key: KeyObject): boolean =>
  key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';

/** Of several CAs, the one whose key this is. */
const findIssuer = (
  authorities: readonly X509Certificate[],
  keyPem: string | undefined,
): Issuer | undefined => {
  const key = parseKey(keyPem);
  if (keyPem === undefined || key === undefined || !isOurKind(key)) return undefined;
  const found = authorities.find((certificate) => certificate.checkPrivateKey(key));
  return found && { ...authorityOf(found), key: keyPem };
};

/** The host names and addresses of a certificate, as Node writes its extension out. */
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
    ...lifeOf(certificate),
  };
};

/** The order of a bundle: which CA issues must not change its text. */
export const sortAuthorities = (
  authorities: readonly CertificateAuthority[],
): readonly CertificateAuthority[] =>
  [...new Map(authorities.map((authority) => [authority.id, authority])).values()].toSorted(
    (one, other) => one.from - other.from || (one.id < other.id ? -1 : 1),
  );

/** Lines of an authority's id and a time. */
const parseIssuedUntil = (text = ''): ReadonlyMap<string, number> =>
  new Map(
    text.split('\n').flatMap((line): [string, number][] => {
      const [, id, time] = /^([0-9a-f]{64}) (\S+)$/.exec(line) ?? [];
      const until = Date.parse(time ?? '');
      return id === undefined || Number.isNaN(until) ? [] : [[id, until]];
    }),
  );

/** Reads the data of a Secret. Never throws: half-filled and corrupt Secrets are states too. */
export const readState = (data: Readonly<Record<string, string>>): State => {
  const current = parseAll(data['ca.crt']).filter(({ ca }) => ca);
  const coming = parseAll(data['next-ca.crt']).filter(({ ca }) => ca);
  const issuing = findIssuer(current, data['ca.key']);
  const next = findIssuer(coming, data['next-ca.key']);
  const all = [...current, ...coming];
  return {
    issuer: issuing,
    next: next?.id === issuing?.id ? undefined : next,
    trusted: sortAuthorities(all.map(authorityOf)),
    leaf: attempt(() => findLeaf(data['tls.crt'], data['tls.key'], all)),
    issuedUntil: parseIssuedUntil(data['ca.issued-until']),
  };
};

/** The text of the caBundle. */
export const bundleOf = ({ trusted }: State): string => trusted.map(({ cert }) => cert).join('');

const formatIssuedUntil = ({ trusted, issuedUntil }: State): string =>
  trusted
    .flatMap(({ id }) => {
      const until = issuedUntil.get(id);
      return until === undefined ? [] : [`${id} ${new Date(until).toISOString()}\n`];
    })
    .join('');

const OURS = ['tls.crt', 'tls.key', 'ca.crt', 'ca.key', 'next-ca.crt', 'next-ca.key', 'ca.issued-until'];

/** The data of the Secret for a state; what else somebody keeps in it stays. */
export const writeState = (
  state: State,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> => {
  const { issuer: issuing, next, leaf } = state;
  const others = Object.entries(before).filter(([key]) => !OURS.includes(key));
  return {
    ...Object.fromEntries(others),
    'tls.crt': leaf?.cert ?? '',
    'tls.key': leaf?.key ?? '',
    'ca.crt': bundleOf(state),
    ...(issuing === undefined ? {} : { 'ca.key': issuing.key }),
    ...(next === undefined ? {} : { 'next-ca.crt': next.cert, 'next-ca.key': next.key }),
    'ca.issued-until': formatIssuedUntil(state),
  };
};

/** Reads a pair that we made as what it is now. Throws where it is none: then we made it wrong. */
export const readIssuer = ({ cert, key }: CertificatePair): Issuer => ({
  ...authorityOf(new X509Certificate(cert)),
  key,
});

export const readLeaf = ({ cert, key }: CertificatePair, { id }: CertificateAuthority): Leaf => {
  const certificate = new X509Certificate(cert);
  return { cert, key, issuer: id, names: namesOf(certificate), ...lifeOf(certificate) };
};
