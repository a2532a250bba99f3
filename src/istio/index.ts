export { type Classifier, createClassifier } from './classifier.ts';
export { isComponent } from './component.ts';
export { istioContainerNames, placeholderImage } from './components.ts';
export { findConfiguredImages } from './configured-images.ts';
export { builtInHubs } from './hubs.ts';
export type { ImageClass, Mirror, Places } from './image-class.ts';
export { basePattern, findUnmatchable, matchPattern } from './match-pattern.ts';
export { parsePlace } from './place.ts';
export { releaseKeys } from './release-keys.ts';
