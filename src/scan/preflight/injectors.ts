import { isJsonObject, type JsonObject, listMemberOf, memberOf, textOf } from '../../base/index.ts';
import { type Labels, matchesSelector } from '../namespaces/selector.ts';

/*
 * Sources: istio/istio `manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml` and
 * `revision-tags-mwc.yaml`: the names of the webhooks, the labels of a revision and of a tag, and the selectors.
 */

/** The injector of one revision of one control plane. */
export interface Injector {
  /** `default` for the revision without a name. */
  readonly revision: string;
  /** The namespace of istiod; undefined: it is outside of the cluster. */
  readonly namespace: string | undefined;
  /** The MutatingWebhookConfigurations that send pods to it, those of its tags too. */
  readonly configurations: readonly string[];
  /** True if the pods of a namespace with these labels are sent to it, unless their own labels say otherwise. */
  readonly isFor: (namespace: Labels) => boolean;
}

/** Every webhook of an injector has this end; its beginning says by which labels it is chosen. */
const WEBHOOK_NAME = 'sidecar-injector.istio.io';

const textAt = (value: unknown, name: string): string => textOf(memberOf(value, name)) ?? '';

const serviceOf = (webhook: unknown): unknown => memberOf(memberOf(webhook, 'clientConfig'), 'service');

const isInjector = (webhook: unknown): boolean => {
  const service = serviceOf(webhook);
  return (
    textAt(webhook, 'name').endsWith(WEBHOOK_NAME) ||
    (textAt(service, 'name').startsWith('istiod') && textAt(service, 'path').startsWith('/inject'))
  );
};

/** The revision that a configuration names, by its label or else by the Service of istiod. */
const revisionOf = (configuration: JsonObject, service: unknown): string => {
  const labels = memberOf(memberOf(configuration, 'metadata'), 'labels');
  const label = textAt(labels, 'istio.io/rev');
  if (label !== '') return label;
  const name = textAt(service, 'name');
  return name.startsWith('istiod-') ? name.slice('istiod-'.length) : 'default';
};

/** A pod without labels is chosen by its namespace alone. */
const NO_LABELS: Labels = {};

interface Entry {
  readonly key: string;
  readonly injector: Injector;
}

const entriesOf = (configuration: JsonObject): readonly Entry[] => {
  const webhooks = (listMemberOf(configuration, 'webhooks') ?? []).filter(isInjector);
  return webhooks.map((webhook): Entry => {
    const service = serviceOf(webhook);
    const revision = revisionOf(configuration, service);
    const namespace = isJsonObject(service) ? textOf(memberOf(service, 'namespace')) : undefined;
    const [byNamespace, byPod] = [
      memberOf(webhook, 'namespaceSelector'),
      memberOf(webhook, 'objectSelector'),
    ];
    return {
      key: JSON.stringify([namespace ?? '', revision]),
      injector: {
        revision,
        namespace,
        configurations: [textAt(memberOf(configuration, 'metadata'), 'name')],
        isFor: (labels) => matchesSelector(byNamespace, labels) && matchesSelector(byPod, NO_LABELS),
      },
    };
  });
};

/** Finds the injectors of Istio among the MutatingWebhookConfigurations of a cluster. */
export const findInjectors = (configurations: readonly JsonObject[]): readonly Injector[] => {
  const found = new Map<string, Injector>();
  for (const { key, injector } of configurations.flatMap(entriesOf)) {
    const known = found.get(key);
    found.set(
      key,
      known === undefined
        ? injector
        : {
            ...known,
            configurations: [...new Set([...known.configurations, ...injector.configurations])],
            isFor: (labels) => known.isFor(labels) || injector.isFor(labels),
          },
    );
  }
  return [...found.values()];
};
