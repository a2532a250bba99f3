import { formatAddress, parseAddress } from '../address.ts';
import type { Address, ServerSettings } from '../config.ts';
import { defaultConfig } from '../default-config.ts';
import type { Note } from '../problem.ts';
import type { AllRead, ReadContext, SoundFile } from './read-context.ts';

type ServerFile = NonNullable<SoundFile['server']>;

const defaults = defaultConfig.server;

const readAddress = (text: string | undefined, path: string, fallback: Address, note: Note): Address => {
  const address = text === undefined ? fallback : parseAddress(text);
  if (address === undefined)
    note(path, 'must be host:port, such as 0.0.0.0:8443 or [::]:8443, or :8443 for every address');
  return address ?? fallback;
};

const readCertificate = (file: ServerFile['certificate']): ServerSettings['certificate'] => {
  if (file === undefined) return defaults.certificate;
  const { cert, key, ...unread } = file;
  unread satisfies AllRead;
  return { cert, key };
};

const readLog = (file: ServerFile['log']): ServerSettings['log'] => {
  const { level = defaults.log.level, format = defaults.log.format, ...unread } = file ?? {};
  unread satisfies AllRead;
  return { level, format };
};

/** Reads the addresses that the server listens on, its certificate and its log settings. */
export const readServer = (file: SoundFile['server'], { note }: ReadContext): ServerSettings => {
  const { listen, probes, certificate, log, ...unread } = file ?? {};
  unread satisfies AllRead;
  const server = {
    listen: readAddress(listen, 'server.listen', defaults.listen, note),
    probes: readAddress(probes, 'server.probes', defaults.probes, note),
    certificate: readCertificate(certificate),
    log: readLog(log),
  };
  if (server.listen.port !== 0 && formatAddress(server.listen) === formatAddress(server.probes))
    note('server.probes', 'must not be the address of server.listen');
  return server;
};
