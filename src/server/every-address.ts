import { createServer } from 'node:net';
import type { Address } from '../config/index.ts';

/** Opens a listener on any port of a host and closes it. Rejects with the error of the listener. */
export type TryHost = (host: string) => Promise<void>;

const tryHost: TryHost = (host) =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port: 0 }, () => server.close(() => resolve()));
  });

/**
 * The errors of a kernel without IPv6: no such family of sockets (`ipv6.disable=1`), or no such address. libuv makes the
 * former EINVAL where binding reports it.
 */
const NO_IPV6: ReadonlySet<unknown> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

/**
 * Returns the address to bind. One that names a host is returned as it is. Without a host it is `::`, a listener that also
 * accepts IPv4, or `0.0.0.0` if the kernel has no IPv6.
 */
export const bindable = async (address: Address, attempt: TryHost = tryHost): Promise<Address> => {
  if (address.host !== '') return address;
  try {
    await attempt('::');
    return { ...address, host: '::' };
  } catch (error) {
    if (!NO_IPV6.has((error as NodeJS.ErrnoException).code)) throw error;
    return { ...address, host: '0.0.0.0' };
  }
};
