import type { CreateTransport, TransportOptions } from './http/transport.ts';
import { createSourceCaller, SourceFault } from './source.ts';
import type { FindSecureContext } from './tls/trust.ts';

/** Fetches a document over https without credentials; redirects and addresses follow the rules for registries. */
export type FetchDocument = (
  url: string,
  options: { readonly bytes: number; readonly signal: AbortSignal },
) => Promise<Uint8Array>;

/** `secureContextOf` returns the authorities that a host is checked by. */
export const createFetchDocument =
  (
    {
      createTransport,
      ...options
    }: Omit<TransportOptions, 'name' | 'secureContext' | 'plainHttpHost'> & {
      readonly createTransport: CreateTransport;
    },
    secureContextOf: (host: string) => FindSecureContext,
  ): FetchDocument =>
  async (text, { bytes, signal }) => {
    const url = URL.parse(text);
    // The fault must not quote the text: its query may be a secret.
    if (url?.protocol !== 'https:')
      throw new SourceFault('refused', `${url?.host ?? 'a document'} is fetched from an https URL only`, {
        asked: false,
      });
    const name = url.host;
    const secureContext = secureContextOf(name);
    const transport = createTransport({ ...options, name, secureContext, plainHttpHost: undefined });
    try {
      const request = { method: 'GET', url, limit: bytes, namedBy: 'registry' } as const;
      const response = await transport.send(request, { ...createSourceCaller(), signal });
      if (response.status !== 200)
        throw new SourceFault('unavailable', `${name} responded ${response.status}`, { asked: true });
      return response.body;
    } finally {
      await transport.close();
    }
  };
