import { basePattern, istioContainerNames, matchPattern, type Places } from '../istio/index.ts';

/** A member of a webhook's `matchConditions` (admissionregistration.k8s.io/v1). */
export interface MatchCondition {
  readonly name: string;
  /** CEL over `object` and `oldObject`, plain maps as the API server writes a Pod in JSON. */
  readonly expression: string;
}

const names = [...istioContainerNames].map((name) => `'${name}'`).join(', ');

/*
 * Whether an image that is new or changed, as `changedUses` has it, could be of interest. Where an expression errs the
 * API server refuses under failurePolicy Fail and does not ask under Ignore, so it must not: a field that may be absent
 * is looked for first; `spec`, the lists' `name` and a volume image's `reference` the API server demands or writes
 * always. A name has no quote in it that could end the raw string.
 */
const expressionFor = (pattern: string): string => `\
['initContainers', 'containers', 'ephemeralContainers'].exists(list,
  list in object.spec && object.spec[list].exists(c,
    has(c.image) &&
    (c.name in [${names}] ||
      c.image.matches(r'(?i:${pattern})')) &&
    !(oldObject != null && list in oldObject.spec && oldObject.spec[list].exists(old,
      old.name == c.name && has(old.image) && old.image == c.image)))) ||
(has(object.spec.volumes) && object.spec.volumes.exists(v,
  has(v.image) && has(v.image.reference) &&
  v.image.reference.matches(r'(?i:${pattern})') &&
  !(oldObject != null && has(oldObject.spec.volumes) && oldObject.spec.volumes.exists(old,
    old.name == v.name && has(old.image) && has(old.image.reference) &&
    old.image.reference == v.image.reference))))`;

const NAME = 'new-or-changed-istio-image';

/**
 * When the API server has to ask us about a pod: the images of a configuration's hubs and mirrors (normal form), what
 * looks like Istio's, what stands in a container of Istio's, and the revoked digests. Never less than the matcher sees.
 * The list is one condition, for Kubernetes joins several by *and*.
 */
export const matchConditions = (places: Places, revoked: readonly string[]): readonly MatchCondition[] => [
  { name: NAME, expression: expressionFor(matchPattern(places, revoked)) },
];

/** The same expression for a chart, which writes what its values add, each after a `|`, in the place of `<more>`. */
export const chartExpression: string = expressionFor(`${basePattern}<more>`);
