import { basePattern, istioContainerNames, matchPattern, type Places } from '../istio/index.ts';

/** A member of a webhook's `matchConditions` (admissionregistration.k8s.io/v1). */
export interface MatchCondition {
  readonly name: string;
  /** CEL over `object` and `oldObject`, plain maps as the API server writes a Pod in JSON. */
  readonly expression: string;
}

const containerNames = [...istioContainerNames].map((name) => `'${name}'`).join(', ');

/*
 * True if an image that is new or changed (as in `changedUses`) may have to be reviewed. The expression must not fail: on
 * an error the API server refuses the pod under failurePolicy Fail and skips the webhook under Ignore. So a field that
 * may be absent is tested with `has` first; the API server requires or sets `spec`, the `name` in each list and the
 * `reference` of a volume image. No name contains a quote that could end the raw string.
 */
const expressionFor = (pattern: string): string => `\
['initContainers', 'containers', 'ephemeralContainers'].exists(list,
  list in object.spec && object.spec[list].exists(c,
    has(c.image) &&
    (c.name in [${containerNames}] ||
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
 * Returns the match conditions under which the API server sends pods to the webhook: images of the configured hubs and
 * mirrors (normal form), look-alikes, images in a container with a name of Istio's, and revoked digests. They match every
 * pod that a review would have a finding for. There is one condition, because Kubernetes joins several by *and*.
 */
export const matchConditions = (places: Places, revoked: readonly string[]): readonly MatchCondition[] => [
  { name: NAME, expression: expressionFor(matchPattern(places, revoked)) },
];

/** The expression for the chart, which replaces `<more>` by the patterns from its values, each after a `|`. */
export const chartExpression: string = expressionFor(`${basePattern}<more>`);
