const expression = (key: string, operator: string, ...values: readonly string[]) => ({
  key,
  operator,
  values,
});

/** A configuration as the chart of istiod renders it. */
export const injectorWebhooks = (revision: string, more: Readonly<Record<string, unknown>> = {}) => {
  const service = {
    name: revision === 'default' ? 'istiod' : `istiod-${revision}`,
    namespace: 'istio-system',
  };
  const clientConfig = { service: { ...service, path: '/inject' } };
  const notFalse = { matchExpressions: [expression('sidecar.istio.io/inject', 'NotIn', 'false')] };
  const byRevision = {
    matchExpressions: [
      expression('istio.io/rev', 'In', revision),
      expression('istio-injection', 'DoesNotExist'),
    ],
  };
  const unlabelled = {
    matchExpressions: [
      expression('istio.io/rev', 'DoesNotExist'),
      expression('istio-injection', 'DoesNotExist'),
    ],
  };
  const byPod = { matchExpressions: [expression('sidecar.istio.io/inject', 'In', 'true')] };
  const enabled = { matchExpressions: [expression('istio-injection', 'In', 'enabled')] };
  const entry = (prefix: string, namespaceSelector: object, objectSelector: object) => ({
    name: `${prefix}sidecar-injector.istio.io`,
    clientConfig,
    namespaceSelector,
    objectSelector,
  });
  return {
    metadata: {
      name: `istio-sidecar-injector${revision === 'default' ? '' : `-${revision}`}`,
      labels: { 'istio.io/rev': revision },
    },
    webhooks: [
      entry('rev.namespace.', byRevision, notFalse),
      entry('object.', unlabelled, byPod),
      ...(revision === 'default' ? [entry('namespace.', enabled, notFalse)] : []),
    ],
    ...more,
  };
};
