import { isJsonObject, type JsonObject } from '../base/index.ts';

/*
 * Source: istio/istio `manifests/charts/istio-control/istio-discovery`, `files/injection-template.yaml` and
 * `templates/deployment.yaml`.
 */

/** Container names of Istio's injector and charts that nobody else gives. */
export const istioContainerNames: ReadonlySet<string> = new Set([
  'istio-proxy',
  'istio-init',
  'istio-validation',
]);

/**
 * Container names of Istio's charts that others give too: Eureka, Talos and Gloo have a `discovery`. They mean something
 * in a pod of istiod's, or beside an image with a word of Istio's.
 */
export const genericContainerNames: ReadonlySet<string> = new Set(['discovery']);

/** The labels of istiod's pods by which its Service and its charts select them, and their values, of any release. */
export const istiodLabels: readonly string[] = ['app', 'app.kubernetes.io/name', 'istio'];
export const istiodNames: ReadonlySet<string> = new Set(['istiod', 'pilot']);

/** The beginning of the names of istiod's service accounts, one for each revision: `istiod-canary`. */
export const istiodAccount = 'istiod';

/** True if a pod claims to be istiod's, by a label or by its service account; both arguments are of its template. */
export const isIstiodPod = (metadata: unknown, spec: JsonObject): boolean => {
  const labels = isJsonObject(metadata) ? metadata['labels'] : undefined;
  const account = spec['serviceAccountName'];
  return (
    (typeof account === 'string' && account.startsWith(istiodAccount)) ||
    (isJsonObject(labels) &&
      istiodLabels.some((label) => {
        const value = Object.hasOwn(labels, label) ? labels[label] : undefined;
        return typeof value === 'string' && istiodNames.has(value);
      }))
  );
};
