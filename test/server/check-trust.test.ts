import { describe, expect, it } from 'vitest';
import { checkTrust, createFileCertificates } from '../../src/server/index.ts';
import { createTls, type Tls } from '../support/tls.ts';
import { allowAll, certificateFiles, startServer } from './review-server.ts';

const HOST = 'sailmark.sailmark.svc';

/** Starts a server with a certificate for these hosts. Resolves with its address and its CA. */
const serve = (...hosts: readonly string[]) => serveWith(createTls(hosts));

const serveWith = async (tls: Tls) => {
  const certificate = createFileCertificates(await certificateFiles(tls));
  const { port } = await startServer(allowAll, {}, { certificate });
  return { ...tls, at: (host: string) => ({ host, port }) };
};

describe('the API server', () => {
  it('would not trust a certificate of another CA, or of none that is known', async () => {
    const { at } = await serve(HOST);
    const said = 'the API server would not trust the certificate for sailmark.sailmark.svc: ';
    expect(await checkTrust(at('127.0.0.1'), { caBundle: createTls([HOST]).ca, host: HOST })).toContain(said);
    expect(await checkTrust(at('127.0.0.1'), { caBundle: undefined, host: HOST })).toContain(said);
    expect(await checkTrust(at('127.0.0.1'), { caBundle: 'no PEM', host: HOST })).toContain(
      'would not trust',
    );
  });

  it('would not trust a certificate for another name or address', async () => {
    const { ca, at } = await serve(HOST, '127.0.0.1');
    expect(await checkTrust(at('127.0.0.1'), { caBundle: ca, host: 'other.sailmark.svc' })).toContain(
      'altnames',
    );
    expect(await checkTrust(at('127.0.0.1'), { caBundle: ca, host: '10.0.0.1' })).toContain('altnames');
  });

  it('would not trust a certificate that has the name as its common name alone, which Go does not read', async () => {
    const { ca, at } = await serveWith(createTls([HOST], { altNames: false }));
    expect(await checkTrust(at('127.0.0.1'), { caBundle: ca, host: HOST })).toContain('no alternative name');
  });

  it('reaches nobody where nothing listens', async () => {
    expect(await checkTrust({ host: '127.0.0.1', port: 1 }, { caBundle: undefined, host: HOST })).toContain(
      'ECONNREFUSED',
    );
  });

  it('would trust a certificate of its CA for the name, or for the address, also through an address that stands for all', async () => {
    const { ca, at } = await serve(HOST, '127.0.0.1');
    expect(await checkTrust(at('127.0.0.1'), { caBundle: ca, host: HOST })).toBeUndefined();
    expect(await checkTrust(at('0.0.0.0'), { caBundle: ca, host: '127.0.0.1' })).toBeUndefined();
  });

  it('would trust a certificate that its caBundle holds itself, without the authority that issued it, as Go does', async () => {
    const { cert, at } = await serve(HOST);
    expect(await checkTrust(at('127.0.0.1'), { caBundle: cert, host: HOST })).toBeUndefined();
  });

  it('is reached over IPv4 where an address that stands for all has no IPv6 behind it', async () => {
    const { ca, at } = await serve(HOST);
    expect(await checkTrust(at('::'), { caBundle: ca, host: HOST })).toBeUndefined();
  });
});
