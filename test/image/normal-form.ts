import type { ImageReference } from '../../src/image/index.ts';

/** The reference in normal form: `docker.io/istio/proxyv2:1.28.0@sha256:…`. */
export const normalFormOf = ({ repository, tag, digest }: ImageReference): string => {
  const tagged = tag === undefined ? repository.name : `${repository.name}:${tag}`;
  return digest === undefined ? tagged : `${tagged}@${digest}`;
};
