import { describe, expect, it } from 'vitest';
import { readCertificate } from '../../src/server/certificate.ts';
import { createTls } from '../support/tls.ts';
import { certificateFiles, tls } from './review-server.ts';

describe('a serving certificate', () => {
  it('is refused with both files named where the key is another one', async () => {
    const files = await certificateFiles({ cert: tls.cert, key: createTls().key });
    await expect(readCertificate(files)).rejects.toMatchObject({
      name: 'CertificateError',
      message: `${files.key} is not the private key of the certificate in ${files.cert}`,
    });
  });

  it('is refused where the file is not there', async () => {
    const { key } = await certificateFiles();
    await expect(readCertificate({ cert: '/nowhere/tls.crt', key })).rejects.toMatchObject({
      name: 'CertificateError',
      message: expect.stringMatching(/^cannot read \/nowhere\/tls\.crt: ENOENT/),
    });
  });

  it('is refused where a file holds something else', async () => {
    const noCert = await certificateFiles({ cert: tls.key, key: tls.key });
    await expect(readCertificate(noCert)).rejects.toThrow(
      `${noCert.cert} does not contain a PEM certificate`,
    );
    const noKey = await certificateFiles({ cert: tls.cert, key: tls.cert });
    await expect(readCertificate(noKey)).rejects.toThrow(`${noKey.key} does not contain a PEM private key`);
  });

  it('is read with its key and its end', async () => {
    const certificate = await readCertificate(await certificateFiles());
    expect(certificate).toEqual({
      cert: tls.cert,
      key: tls.key,
      notAfter: expect.any(Number),
    });
    expect(certificate.notAfter).toBeGreaterThan(Date.now());
  });
});
