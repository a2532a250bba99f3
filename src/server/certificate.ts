import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { messageOf, readTextFile, UserError } from '../base/index.ts';

/** Paths of PEM files: the certificate with its chain, and its private key. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** PEM: a certificate with its chain, and its private key. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** A certificate and the private key that belongs to it. */
export interface Certificate extends CertificatePair {
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

/** A certificate that the server cannot use; the message names the files and the problem. */
export class CertificateError extends UserError {
  override readonly name = 'CertificateError';
}

const readPem = async (path: string): Promise<string> => {
  try {
    return await readTextFile(path);
  } catch (error) {
    throw new CertificateError(`cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
};

const parseCertificate = (path: string, pem: string): X509Certificate => {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new CertificateError(`${path} does not contain a PEM certificate`, { cause });
  }
};

const parseKey = (path: string, pem: string): KeyObject => {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new CertificateError(`${path} does not contain a PEM private key without a passphrase`, { cause });
  }
};

/**
 * Parses a serving certificate and its key, which must belong together. `from` names their sources in error messages.
 * Throws `CertificateError`.
 */
export const parsePair = ({ cert, key }: CertificatePair, from: CertificateFiles): Certificate => {
  const parsed = parseCertificate(from.cert, cert);
  if (!parsed.checkPrivateKey(parseKey(from.key, key)))
    throw new CertificateError(`${from.key} is not the private key of the certificate in ${from.cert}`);
  return { cert, key, notAfter: parsed.validToDate.getTime() };
};

/** Reads a serving certificate and its key, and checks that they belong together. Rejects with `CertificateError`. */
export const readCertificate = async (files: CertificateFiles): Promise<Certificate> => {
  const cert = await readPem(files.cert);
  return parsePair({ cert, key: await readPem(files.key) }, files);
};
