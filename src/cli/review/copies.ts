import { memberOf } from '../../base/index.ts';

/**
 * Fields that start nothing and only repeat what is, or was, elsewhere: those that Kubernetes writes about an object, and kubectl's
 * copy of what was applied.
 */
const COPIES: ReadonlySet<string> = new Set([
  'status',
  'metadata.managedFields',
  'metadata.annotations.kubectl.kubernetes.io/last-applied-configuration',
]);

/** The values that Istio's chart keeps for debugging (istio/istio, istiod chart, `configmap-values.yaml`). */
const CHART_VALUES: ReadonlySet<string> = new Set(['data.merged-values', 'data.original-values']);
const CHART_LABEL = 'operator.istio.io/component';

/** True for the ConfigMap of the chart: anybody's may have keys of the same names. */
const keepsChartValues = (document: unknown): boolean => {
  const metadata = memberOf(document, 'metadata');
  const name = memberOf(metadata, 'name');
  return (
    memberOf(document, 'kind') === 'ConfigMap' &&
    typeof name === 'string' &&
    /^values(?:-|$)/.test(name) &&
    memberOf(memberOf(metadata, 'labels'), CHART_LABEL) === 'Pilot'
  );
};

/** Creates a function that tells if the path of a value in `document` is a copy's. */
export const createCopyTest = (document: unknown): ((path: string) => boolean) => {
  const isOfChart = keepsChartValues(document);
  return (path) => COPIES.has(path) || (isOfChart && CHART_VALUES.has(path));
};
