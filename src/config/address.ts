import type { Address } from './config.ts';

/** `host:port` or `[v6]:port`; undefined where a text is neither. */
export const parseAddress = (text: string): Address | undefined => {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text);
  if (found === null) return undefined;
  const [, v6, name, port] = found;
  return Number(port) > 65_535 ? undefined : { host: v6 ?? name ?? '', port: Number(port) };
};

/** `host:port`, or `[v6]:port`. */
export const formatAddress = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
