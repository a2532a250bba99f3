export { type Digest, digestOf, parseDigest } from './digest.ts';
export {
  formatReference,
  type ImageReference,
  type ParsedReference,
  parseImageReference,
} from './reference.ts';
