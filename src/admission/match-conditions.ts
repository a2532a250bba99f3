import {
  basePattern,
  genericContainerNames,
  hubPattern,
  ignoringCase,
  istioContainerNames,
  istiodAccount,
  istiodLabels,
  istiodNames,
  lookAlikePattern,
  MAX_PLAIN_LENGTH,
  type MatchPatterns,
  matchPatterns,
  type Places,
  placeholderImage,
  plainPattern,
  samplePattern,
  vendorNamePattern,
  vendorPlacePattern,
} from '../istio/index.ts';

/** A member of a webhook's `matchConditions` (admissionregistration.k8s.io/v1). */
export interface MatchCondition {
  readonly name: string;
  /** CEL over `object` and `oldObject`, plain maps as the API server writes a Pod in JSON. */
  readonly expression: string;
}

/** No name contains a quote that could end a string. */
const listOf = (names: Iterable<string>): string => `[${[...names].map((name) => `'${name}'`).join(', ')}]`;

const matches = (pattern: string): string => `image.matches(r'${ignoringCase(pattern)}')`;

/** As `isIstiodPod`. */
const isIstiod = (object: string): string => `\
(has(${object}.spec.serviceAccountName) && ${object}.spec.serviceAccountName.startsWith('${istiodAccount}') ||
        has(${object}.metadata.labels) && ${listOf(istiodLabels)}.exists(label,
          label in ${object}.metadata.labels && ${object}.metadata.labels[label] in ${listOf(istiodNames)}))`;

const isGeneric = `c.name in ${listOf(genericContainerNames)}`;

/*
 * True if the webhook may have a finding for an image that is new or changed (as in `changedUses`). The expression must
 * not fail: on an error the API server refuses the pod under failurePolicy Fail and skips the webhook under Ignore. So a
 * field that may be absent is tested with `has` first; the API server requires or sets `spec`, `metadata` and the `name`
 * in each list. The list of one image gives it a name. The cheap search comes first.
 */
const expressionFor = ({ wide, exact }: MatchPatterns): string => `\
['initContainers', 'containers', 'ephemeralContainers', 'volumes'].exists(list,
  list in object.spec && object.spec[list].exists(c, has(c.image) &&
    [list != 'volumes' ? c.image : has(c.image.reference) ? c.image.reference : ''].exists(image,
      (list != 'volumes' && (c.name in ${listOf(istioContainerNames)} || image == '${placeholderImage}' ||
        ${isGeneric} && (${matches(basePattern)} || ${isIstiod('object')})) ||
      ${matches(wide)} && (
        image.size() > ${MAX_PLAIN_LENGTH} ||
        !image.matches(r'${plainPattern}') ||
        ${matches(exact)} ||
        ${matches(hubPattern)} &&
          !${matches(samplePattern)} ||
        ${matches(vendorNamePattern)} &&
          ${matches(vendorPlacePattern)})) &&
      !(oldObject != null && list in oldObject.spec && oldObject.spec[list].exists(old,
        old.name == c.name && has(old.image) &&
        (list != 'volumes' ? old.image == image : has(old.image.reference) && old.image.reference == image) &&
        (list == 'volumes' || !(${isGeneric}) || !${isIstiod('object')} || ${isIstiod('oldObject')}))))))`;

const NAME = 'new-or-changed-istio-image';

/**
 * Returns the match conditions under which the API server sends pods to the webhook: images of the configured hubs and
 * mirrors (normal form), look-alikes, images in a container with a name of Istio's, and revoked digests. They match every
 * pod that a review would have a finding for. There is one condition, because Kubernetes joins several by *and*.
 */
export const matchConditions = (places: Places, revoked: readonly string[]): readonly MatchCondition[] => [
  { name: NAME, expression: expressionFor(matchPatterns(places, revoked)) },
];

/**
 * The expression for the chart, which replaces `<more>` and `<exactly>` by the patterns from its values, each after a
 * `|`.
 */
export const chartExpression: string = expressionFor({
  wide: `${basePattern}<more>`,
  exact: `${lookAlikePattern}<exactly>`,
});
