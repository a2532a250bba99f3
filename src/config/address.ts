import type { Address } from './config.ts';

/** Parses `host:port` or `[v6]:port`; undefined if the text is neither. */
export const parseAddress = (text: string): Address | undefined => {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [, v6, name, port] = match;
  return Number(port) > 65_535 ? undefined : { host: v6 ?? name ?? '', port: Number(port) };
};

/** Returns `host:port`, or `[v6]:port`. */
export const formatAddress = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
