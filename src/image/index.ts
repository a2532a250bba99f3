export { type Digest, digestOf, parseDigest } from './digest.ts';
export { isPathSegment } from './grammar.ts';
export { droppedDigest, pinReference, unpinnedText } from './pin.ts';
export { type ImageReference, type ParsedReference, parseImageReference } from './reference.ts';
export { createRepository, type Repository, registryFromName, repositoryFromName } from './repository.ts';
