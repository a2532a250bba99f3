import { describe, expect, it } from 'vitest';
import { checkTrust, createFileCertificates } from '../../src/server/index.ts';
import { createTls } from '../support/tls.ts';
import { allowAll, certificateFiles, startServer } from './review-server.ts';

const HOST = 'sailmark.sailmark.svc';

/** Starts a server with a certificate for these hosts. Resolves with its address and its CA. */
const serve = async (...hosts: readonly string[]) => {
  const tls = createTls([...hosts]);
  const certificate = createFileCertificates(await certificateFiles(tls));
  const { port } = await startServer(allowAll, {}, { certificate });
  return { ca: tls.ca, at: (host: string) => ({ host, port }) };
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
});
