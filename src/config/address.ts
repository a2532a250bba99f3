import type { Address } from './config.ts';

/** Parses `host:port`, `[v6]:port` or `:port`, which has an empty host; undefined if the text is none of them. */
export const parseAddress = (text: string): Address | undefined => {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]*)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [, v6, name, port] = match;
  return Number(port) > 65_535 ? undefined : { host: v6 ?? name ?? '', port: Number(port) };
};

/** Returns `host:port`, `[v6]:port`, or `:port` for every address. */
export const formatAddress = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
