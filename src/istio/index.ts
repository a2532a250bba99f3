export { type Classifier, createClassifier } from './classifier.ts';
export { isComponent } from './component.ts';
export { placeholderImage } from './components.ts';
export { findConfiguredImages, injectorRevision } from './configured-images.ts';
export {
  genericContainerNames,
  isIstiodPod,
  istioContainerNames,
  istiodAccount,
  istiodLabels,
  istiodNames,
} from './container-names.ts';
export {
  hubPattern,
  lookAlikePattern,
  MAX_PLAIN_LENGTH,
  plainPattern,
  samplePattern,
  vendorNamePattern,
  vendorPlacePattern,
} from './exact-patterns.ts';
export { builtInHubNames, builtInHubs } from './hubs.ts';
export type { ImageClass, Mirror, Places } from './image-class.ts';
export { basePattern, matchPattern, mentionsIstio } from './match-pattern.ts';
export {
  ignoringCase,
  type MatchPatterns,
  matchPatterns,
  priceOfLargePod,
} from './match-patterns.ts';
export { parsePlace } from './place.ts';
export { releaseKeys } from './release-keys.ts';
export {
  compareVersions,
  type IstioRelease,
  lastingHub,
  needsSecondKey,
  parseRelease,
  retiringHubs,
  type SupportState,
  secondKey,
  supportedVersions,
  supportOf,
} from './support.ts';
export { findUnmatchable } from './unmatchable.ts';
export type { VendorSigning } from './vendors.ts';
