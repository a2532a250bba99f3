import { createServer } from 'node:net';

/** Listens on a port and stops at once. Resolves with the port; rejects if it is taken. */
const tryPort = (host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null
          ? resolve(address.port)
          : reject(new Error('no port')),
      );
    });
  });

/** Resolves with a port of loopback that was free a moment ago, for a program that must be given its port. */
export const freePort = (): Promise<number> => tryPort('127.0.0.1', 0);

const MAX_PORTS = 100;

/**
 * Resolves with the first free port from `from` on. Below the ephemeral range no outgoing connection can take it
 * before the program that gets it listens.
 */
export const freePortFrom = async (host: string, from: number): Promise<number> => {
  for (let port = from; port < from + MAX_PORTS; port += 1) {
    try {
      return await tryPort(host, port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  throw new Error(`no free port on ${host} from ${from} on`);
};
