import { isIP } from 'node:net';
import { checkServerIdentity, connect } from 'node:tls';
import type { Address } from '../config/index.ts';

/** A client, as the API server is one. */
export interface TrustingClient {
  /** PEM; undefined: the client trusts the CAs of its own system. */
  readonly caBundle: string | undefined;
  /** The host name or IP address that the client expects; undefined: any. */
  readonly host: string | undefined;
}

const TIMEOUT_MS = 5_000;

/** Returns an address of this machine to connect to, for one that stands for all of them. */
const reachable = ({ host, port }: Address): Address => ({
  host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host,
  port,
});

/**
 * Connects to our own server as a client that trusts these CAs and no others. Resolves with the reason why the client would
 * not accept the certificate; undefined if it does.
 */
export const checkTrust = (
  address: Address,
  { caBundle, host }: TrustingClient,
): Promise<string | undefined> =>
  new Promise((resolve) => {
    const servername = host !== undefined && isIP(host) === 0 ? host : undefined;
    const socket = connect({
      ...reachable(address),
      ...(caBundle === undefined ? {} : { ca: caBundle }),
      ...(servername === undefined ? {} : { servername }),
      checkServerIdentity: (_, certificate) =>
        host === undefined ? undefined : checkServerIdentity(host, certificate),
    });
    const end = (problem: string | undefined): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.setTimeout(TIMEOUT_MS, () => end('the own server does not respond'));
    socket.once('secureConnect', () => end(undefined));
    socket.once('error', (error) =>
      end(`the API server would not trust the certificate for ${host ?? 'this host'}: ${error.message}`),
    );
  });
