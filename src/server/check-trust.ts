import { isIP } from 'node:net';
import { checkServerIdentity, connect, type PeerCertificate } from 'node:tls';
import type { Address } from '../config/index.ts';

/** A client, as the API server is one. */
export interface TrustingClient {
  /** PEM; undefined: the client trusts the CAs of its own system. */
  readonly caBundle: string | undefined;
  /** The host name or IP address that the client expects; undefined: any. */
  readonly host: string | undefined;
}

const TIMEOUT_MS = 5_000;

/** Returns the addresses of this machine to connect to, one after the other, for one that stands for all of them. */
const reachable = (host: string): readonly string[] => {
  if (host === '0.0.0.0') return ['127.0.0.1'];
  // Its sockets take IPv4 too, and a pod may have no address of IPv6 at all.
  return host === '::' ? ['::1', '127.0.0.1'] : [host];
};

/** Go ignores the common name, which Node reads where a certificate has no alternative name. */
const checkIdentity = (host: string, certificate: PeerCertificate): Error | undefined =>
  certificate.subjectaltname === undefined
    ? new Error('the certificate has no alternative name')
    : checkServerIdentity(host, certificate);

type Problem = { readonly text: string; readonly isUnreachable: boolean } | undefined;

const tryAddress = (address: Address, { caBundle, host }: TrustingClient): Promise<Problem> =>
  new Promise((resolve) => {
    const servername = host !== undefined && isIP(host) === 0 ? host : undefined;
    const socket = connect({
      ...address,
      ...(caBundle === undefined ? {} : { ca: caBundle }),
      ...(servername === undefined ? {} : { servername }),
      // As Go does: an intermediate authority, or the certificate itself, may stand in the caBundle alone.
      allowPartialTrustChain: true,
      checkServerIdentity: (_, certificate) =>
        host === undefined ? undefined : checkIdentity(host, certificate),
    });
    let isConnected = false;
    const end = (problem: Problem): void => {
      socket.destroy();
      resolve(problem);
    };
    const fail = (text: string): void => end({ text, isUnreachable: !isConnected });
    socket.setTimeout(TIMEOUT_MS, () => fail('the own server does not respond'));
    socket.once('connect', () => {
      isConnected = true;
    });
    socket.once('secureConnect', () => end(undefined));
    socket.once('error', (error) =>
      fail(`the API server would not trust the certificate for ${host ?? 'this host'}: ${error.message}`),
    );
  });

/**
 * Connects to our own server as a client that trusts these CAs and no others. Resolves with the reason why the client would
 * not accept the certificate; undefined if it does.
 */
export const checkTrust = async (
  { host, port }: Address,
  client: TrustingClient,
): Promise<string | undefined> => {
  let problem: Problem;
  for (const each of reachable(host)) {
    problem = await tryAddress({ host: each, port }, client);
    if (problem?.isUnreachable !== true) break;
  }
  return problem?.text;
};
