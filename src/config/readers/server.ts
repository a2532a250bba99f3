import { formatAddress, parseAddress } from '../address.ts';
import type { Address, ServerSettings } from '../config.ts';
import { defaultConfig } from '../default-config.ts';
import type { Note } from '../problem.ts';
import type { ReadContext } from './read-context.ts';

const readAddress = (text: string | undefined, path: string, fallback: Address, note: Note): Address => {
  const address = text === undefined ? fallback : parseAddress(text);
  if (address === undefined) note(path, 'must be host:port, such as 0.0.0.0:8443 or [::]:8443');
  return address ?? fallback;
};

/** Where the server listens, and what it writes. */
export const readServer = ({ part, note }: ReadContext): ServerSettings => {
  const { listen, probes, certificate, log = {} } = part('server') ?? {};
  const defaults = defaultConfig.server;
  const server = {
    listen: readAddress(listen, 'server.listen', defaults.listen, note),
    probes: readAddress(probes, 'server.probes', defaults.probes, note),
    certificate: certificate ?? defaults.certificate,
    log: { ...defaults.log, ...log },
  };
  if (server.listen.port !== 0 && formatAddress(server.listen) === formatAddress(server.probes))
    note('server.probes', 'must not be the address of server.listen');
  return server;
};
