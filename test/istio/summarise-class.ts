import { parseImageReference } from '../../src/image/index.ts';
import { builtInHubs, type Classifier, createClassifier } from '../../src/istio/index.ts';

export const builtIn = createClassifier({ hubs: builtInHubs, mirrors: [] });

/** A class on one line, without the list of names of a mirror or hub. */
export const summariseClass = (text: string, classifier: Classifier = builtIn): string => {
  const parsed = parseImageReference(text);
  if (!parsed.ok) return `no reference, ${classifier.couldBeIstio(text) ? "could be Istio's" : 'not ours'}`;
  const found = classifier.classify(parsed.reference);
  if (found.kind === 'other') return 'not ours';
  if (found.kind === 'look-alike')
    return `look-alike of ${found.component}${found.vendor === undefined ? '' : ` by ${found.vendor}`}`;
  const { place, component = 'no component', neverSigned } = found;
  return `${place}, ${component}${neverSigned === undefined ? '' : ', never signed'}`;
};
