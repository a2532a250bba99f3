import { createHash } from 'node:crypto';
import { type Digest, digestOf, parseDigest } from '../../src/image/index.ts';
import {
  type FaultCode,
  type Manifest,
  type OpenSource,
  OversizedBody,
  type Referrer,
  type Referrers,
  type Source,
  type SourceCaller,
  SourceFault,
} from '../../src/registry/index.ts';
import type { PushTarget } from '../support/signing-kit.ts';

/** A store of repositories in memory that implements the source port, records its requests, and can be made to fail. */
export interface Store extends PushTarget {
  readonly open: OpenSource;
  /** Every request so far, as `docker.io/istio/pilot manifest sha256-….sig`. */
  readonly requests: readonly string[];
  /** Fails every later request with this code; undefined ends that. */
  failWith(code: FaultCode | undefined): void;
  /** Fails requests whose line matches. */
  failWhere(pattern: RegExp, code: FaultCode): void;
  /** Never responds to requests whose line matches. */
  hangWhere(pattern: RegExp): void;
  /** Delays every later request until the returned function is called. */
  hold(): () => void;
  untag(repository: string, tag: string): void;
  /** Replaces the list of referrers of a digest. */
  list(repository: string, digest: Digest, referrers: Referrers): void;
  /** Serves other bytes under a digest. */
  replaceBlob(repository: string, digest: string, bytes: Uint8Array): void;
}

interface Repository {
  readonly tags: Map<string, Digest>;
  readonly manifests: Map<string, Manifest>;
  readonly blobs: Map<string, Uint8Array>;
  readonly lists: Map<Digest, Referrers>;
}

/** The descriptor of a manifest if it refers to the digest. Tests push anything. */
const referrerTo = (digest: Digest, manifest: Manifest): readonly Referrer[] => {
  const text = Buffer.from(manifest.bytes).toString();
  if (!text.includes('"subject"')) return [];
  const { subject, artifactType } = JSON.parse(text) as {
    readonly subject?: { readonly digest: string };
    readonly artifactType?: string;
  };
  return subject?.digest === digest ? [{ digest: manifest.digest, artifactType }] : [];
};

const checkLength = (bytes: Uint8Array | undefined, limit = Number.POSITIVE_INFINITY): void => {
  if ((bytes?.length ?? 0) > limit) throw new OversizedBody(`longer than ${limit} bytes`);
};

export const createStore = (): Store => {
  const repositories = new Map<string, Repository>();
  const requests: string[] = [];
  const faults: { pattern: RegExp; code: FaultCode }[] = [];
  const hanging: RegExp[] = [];
  let failing: FaultCode | undefined;
  let barrier: Promise<void> | undefined;

  const repositoryOf = (name: string): Repository => {
    const known = repositories.get(name) ?? {
      tags: new Map(),
      manifests: new Map(),
      blobs: new Map(),
      lists: new Map(),
    };
    repositories.set(name, known);
    return known;
  };

  const serve = async (line: string, { onRequest, onWait }: SourceCaller, signal: AbortSignal) => {
    if (signal.aborted) throw new SourceFault('deadline', 'time was up', { asked: false });
    onRequest();
    requests.push(line);
    const wait = hanging.some((pattern) => pattern.test(line))
      ? new Promise<never>(() => undefined)
      : barrier;
    const endWait = onWait();
    if (wait !== undefined) {
      const ended = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () =>
          reject(new SourceFault('deadline', 'time is up', { asked: true })),
        );
      });
      await Promise.race([wait, ended]).finally(endWait);
    }
    endWait();
    const code = failing ?? faults.find(({ pattern }) => pattern.test(line))?.code;
    if (code !== undefined) throw new SourceFault(code, `${line}: ${code}`, { asked: true });
  };

  const open: OpenSource = ({ registry, path }, caller): Source => {
    const id = `${registry}/${path}`;
    const repository = repositoryOf(id);
    return {
      id,
      async resolve(tag, signal) {
        await serve(`${id} resolve ${tag}`, caller, signal);
        return repository.tags.get(tag);
      },
      async manifest(at, signal, limit) {
        const name = 'tag' in at ? at.tag : at.digest;
        await serve(`${id} manifest ${name}`, caller, signal);
        const digest = 'tag' in at ? (repository.tags.get(at.tag) ?? '') : at.digest;
        const manifest = repository.manifests.get(digest);
        checkLength(manifest?.bytes, limit);
        return manifest;
      },
      async blob(digest, signal, limit) {
        await serve(`${id} blob ${digest}`, caller, signal);
        const bytes = repository.blobs.get(digest);
        checkLength(bytes, limit);
        if (bytes !== undefined && digestOf(bytes) !== digest)
          throw new SourceFault('answer-invalid', `${id} served other bytes`, { asked: true });
        return bytes;
      },
      async referrers(digest, signal) {
        await serve(`${id} referrers ${digest}`, caller, signal);
        const list = repository.lists.get(digest);
        if (list !== undefined) return list;
        const descriptors = [...repository.manifests.values()].flatMap((manifest) =>
          referrerTo(digest, manifest),
        );
        return { descriptors, more: false };
      },
    };
  };

  return {
    open,
    requests,
    failWith: (code) => {
      failing = code;
    },
    failWhere: (pattern, code) => void faults.push({ pattern, code }),
    hangWhere: (pattern) => void hanging.push(pattern),
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      barrier = promise;
      return () => {
        barrier = undefined;
        resolve();
      };
    },
    untag: (repository, tag) => void repositoryOf(repository).tags.delete(tag),
    list: (repository, digest, referrers) => void repositoryOf(repository).lists.set(digest, referrers),
    replaceBlob: (repository, digest, bytes) => void repositoryOf(repository).blobs.set(digest, bytes),
    pushBlob: (repository, bytes) => void repositoryOf(repository).blobs.set(digestOf(bytes), bytes),
    pushManifest(repository, tag, bytes, mediaType) {
      const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`) as Digest;
      repositoryOf(repository).manifests.set(digest, { digest, mediaType, bytes });
      if (tag !== undefined) repositoryOf(repository).tags.set(tag, digest);
    },
  };
};
