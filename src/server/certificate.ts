import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** Paths of PEM files: the certificate with its chain, and its private key. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** Milliseconds. */
  readonly notAfter: number;
}

/** A certificate that the server cannot use; the message names the files and what is wrong with them. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

const readPem = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CertificateError(`${path} cannot be read: ${why}`, { cause: error });
  }
};

const parseCertificate = (path: string, pem: string): X509Certificate => {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new CertificateError(`${path} holds no PEM certificate`, { cause });
  }
};

const parseKey = (path: string, pem: string): KeyObject => {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new CertificateError(`${path} holds no PEM private key that opens without a passphrase`, { cause });
  }
};

/** Reads a serving certificate and its key, and checks that they belong together. Rejects with `CertificateError`. */
export const readCertificate = async ({ cert, key }: CertificateFiles): Promise<Certificate> => {
  const certPem = await readPem(cert);
  const keyPem = await readPem(key);
  const parsed = parseCertificate(cert, certPem);
  if (!parsed.checkPrivateKey(parseKey(key, keyPem)))
    throw new CertificateError(`${key} is not the private key of the certificate in ${cert}`);
  return { cert: certPem, key: keyPem, notAfter: parsed.validToDate.getTime() };
};
