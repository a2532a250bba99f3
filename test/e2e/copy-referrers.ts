import { request } from 'undici';

const send = async (url: string, options: Parameters<typeof request>[1] = {}): Promise<string> => {
  const { statusCode, body } = await request(url, options);
  const text = await body.text();
  if (statusCode >= 300) throw new Error(`${url}: ${statusCode} ${text}`);
  return text;
};

/**
 * Pushes everything that refers to one image of a repository again, as referring to another: what somebody does who has
 * no key. The registry at `host` is open and speaks plain HTTP.
 */
export const copyReferrers = async (host: string, name: string, from: string, to: string): Promise<void> => {
  const base = `http://${host}/v2/${name}`;
  const { manifests } = JSON.parse(await send(`${base}/referrers/${from}`)) as {
    readonly manifests: readonly { readonly digest: string; readonly mediaType: string }[];
  };
  for (const { digest, mediaType } of manifests) {
    const manifest = await send(`${base}/manifests/${digest}`);
    await send(`${base}/manifests/copy`, {
      method: 'PUT',
      headers: { 'content-type': mediaType },
      body: manifest.replaceAll(from, to),
    });
  }
};
