import { Refusal, run, toolPath } from './command.ts';
import { INDEX_TYPE, type Index, sha256 } from './layout.ts';
import { isLoopback } from './release-context.ts';

/** An image that the Dockerfile begins with, pinned by the digest of its index. */
export interface BaseImage {
  /** Registry and path. */
  readonly repository: string;
  readonly digest: string;
}

export interface BaseImages {
  readonly build: BaseImage;
  readonly runtime: BaseImage;
}

const PINNED = /^(?<repository>[^@\s]+?)(?::[\w.-]+)?@(?<digest>sha256:[0-9a-f]{64})$/;

const parseBase = (name: string, reference: string): BaseImage => {
  const { repository, digest } = PINNED.exec(reference)?.groups ?? {};
  if (repository === undefined || digest === undefined)
    throw new Refusal(`${name} must be pinned by a digest (NAME@sha256:…), got ${JSON.stringify(reference)}`);
  return { repository, digest };
};

/** Returns the base images of a release: those of the environment (BUILD_IMAGE, RUNTIME_IMAGE), or else the Dockerfile's own. */
export const readBases = (dockerfile: string, env: NodeJS.ProcessEnv): BaseImages => {
  const base = (name: string): BaseImage => {
    const own = new RegExp(`^ARG ${name}=(\\S+)$`, 'm').exec(dockerfile)?.[1] ?? '';
    return parseBase(name, env[name] || own);
  };
  return { build: base('BUILD_IMAGE'), runtime: base('RUNTIME_IMAGE') };
};

const LIST_TYPE = 'application/vnd.docker.distribution.manifest.list.v2+json';

/** Resolves the image of one platform in an index that a registry holds: `REPOSITORY@DIGEST`. */
export const imageFor = ({ repository, digest }: BaseImage, architecture: string): string => {
  const insecure = isLoopback(repository) ? ['--tls-verify=false'] : [];
  const raw = run(toolPath('skopeo'), ['inspect', ...insecure, '--raw', `docker://${repository}@${digest}`]);
  if (`sha256:${sha256(raw)}` !== digest)
    throw new Error(`${repository}: the registry sent other bytes than those of ${digest}`);
  const { mediaType, manifests = [] } = JSON.parse(raw) as Partial<Index>;
  if (mediaType !== INDEX_TYPE && mediaType !== LIST_TYPE)
    throw new Error(`${repository}@${digest} is no index of several platforms`);
  const found = manifests.find(
    ({ platform }) => platform?.os === 'linux' && platform.architecture === architecture,
  );
  if (found === undefined) throw new Error(`${repository}@${digest} has no image for linux/${architecture}`);
  return `${repository}@${found.digest}`;
};
