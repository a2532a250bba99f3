import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { digestOf } from '../../src/image/index.ts';
import { fixturePath, readFixture } from '../support/fixtures.ts';

/** A vector that real cosign made: `test/fixtures/cosign/<kind>/<name>/index.json`. */
interface Vector {
  readonly tags: Readonly<Record<string, string>>;
  readonly manifests: readonly {
    readonly digest: string;
    readonly mediaType: string;
    readonly file: string;
  }[];
  readonly blobs: readonly { readonly digest: string; readonly file: string }[];
}

/**
 * The only layer of the vectors' image, which the vectors leave out: an empty tar archive. A registry rejects a
 * manifest whose blobs it does not have.
 */
const LAYER = Buffer.from('1f8b080000000000000363601805a360148c5400002eafb5ef00040000', 'hex');

export interface Upload {
  /** `https://127.0.0.1:5000` */
  readonly origin: string;
  readonly ca: string;
  /** The `Authorization` header for a repository. */
  readonly authorizationFor: (repository: string) => string;
}

const expectStatus = async (
  response: Awaited<ReturnType<typeof request>>,
  wanted: number,
  what: string,
): Promise<void> => {
  if (response.statusCode !== wanted)
    throw new Error(`${what}: ${response.statusCode} ${await response.body.text()}`);
  await response.body.dump();
};

/** Pushes a vector into `repository` with the distribution API: blobs, then manifests, then tags. */
export const pushVector = async (upload: Upload, vector: string, repository: string): Promise<void> => {
  const { tags, manifests, blobs } = readFixture<Vector>('cosign', vector, 'index.json');
  const dispatcher = new Agent({ connect: { ca: upload.ca } });
  const headers = { authorization: upload.authorizationFor(repository) };
  const read = (file: string): Buffer => readFileSync(fixturePath('cosign', vector, file));
  const base = `${upload.origin}/v2/${repository}`;

  const putBlob = async (digest: string, body: Buffer): Promise<void> => {
    const session = await request(`${base}/blobs/uploads/`, { method: 'POST', dispatcher, headers });
    await session.body.dump();
    const location = new URL(String(session.headers['location']), upload.origin);
    location.searchParams.set('digest', digest);
    const type = { 'content-type': 'application/octet-stream' };
    const sent = await request(location, {
      method: 'PUT',
      dispatcher,
      headers: { ...headers, ...type },
      body,
    });
    await expectStatus(sent, 201, `blob ${digest}`);
  };
  await putBlob(digestOf(LAYER), LAYER);
  for (const { digest, file } of blobs) await putBlob(digest, read(file));
  const put = async (name: string, digest: string): Promise<void> => {
    const manifest = manifests.find((candidate) => candidate.digest === digest);
    if (manifest === undefined) throw new Error(`${vector} has no manifest ${digest}`);
    const sent = await request(`${base}/manifests/${name}`, {
      method: 'PUT',
      dispatcher,
      headers: { ...headers, 'content-type': manifest.mediaType },
      body: read(manifest.file),
    });
    await expectStatus(sent, 201, `manifest ${name}`);
  };
  const isIndex = ({ mediaType }: { readonly mediaType: string }): boolean => /index|list/.test(mediaType);
  for (const manifest of manifests.toSorted((a, b) => Number(isIndex(a)) - Number(isIndex(b))))
    await put(manifest.digest, manifest.digest);
  for (const [tag, digest] of Object.entries(tags)) await put(tag, digest);
  await dispatcher.close();
};
