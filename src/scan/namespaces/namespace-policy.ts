import type { JsonObject } from '../../base/index.ts';
import { type Mode, mustPin, type PinScope } from '../../policy/index.ts';
import type { ScannedPolicy } from '../scan-result.ts';
import { type InstalledWebhook, MODE_LABEL, MODES, NAME_LABEL } from './installed-webhook.ts';
import type { Labels } from './selector.ts';

/** How admission would treat the pods of a namespace in the mode that was asked for. */
export interface NamespaceRule {
  readonly mode: Mode;
  readonly critical: boolean;
  /** No pod of it is reviewed. */
  readonly excluded: boolean;
  /** Its pods' images are pinned. */
  readonly pinned: boolean;
}

export interface NamespacePolicy {
  readonly policy: ScannedPolicy;
  ruleFor(namespace: string): NamespaceRule;
  /** Undefined: the namespace was not read. */
  labelsOf(namespace: string): Labels | undefined;
  /** The namespaces that were read. */
  readonly namespaces: readonly string[];
  /** Where the installed webhook pins; undefined: none is installed, or it could not be read. */
  readonly installedPin: PinScope | undefined;
  /** The MutatingWebhookConfigurations of the cluster, if they were read. */
  readonly mutatingWebhooks?: readonly JsonObject[];
}

/** The chart's defaults (`charts/sailmark/values.yaml`), which a test compares. */
const DEFAULT_CRITICAL: readonly string[] = ['kube-system', 'istio-system', 'istio-cni'];
const DEFAULT_PIN: PinScope = 'enforce';

const isStronger = (mode: Mode, than: Mode): boolean => MODES.indexOf(mode) < MODES.indexOf(than);

/** The mode of a namespace whose label may choose it (`modes.allowWeakerLabels`). */
const modeByLabel = (asked: Mode, labels: Labels, allowsWeaker: boolean): Mode => {
  const chosen = MODES.find((mode) => mode === labels[MODE_LABEL]);
  return chosen !== undefined && (allowsWeaker || isStronger(chosen, asked)) ? chosen : asked;
};

/** Finds the mode without a webhook to read: the chart's defaults. */
const ruleByDefault = (asked: Mode, labels: Labels): Omit<NamespaceRule, 'pinned'> => {
  const critical = DEFAULT_CRITICAL.includes(labels[NAME_LABEL] ?? '');
  return { mode: critical ? asked : modeByLabel(asked, labels, false), critical, excluded: false };
};

const ruleByWebhook = (
  webhook: InstalledWebhook,
  asked: Mode,
  labels: Labels,
): Omit<NamespaceRule, 'pinned'> => {
  if (webhook.isCritical(labels)) return { mode: asked, critical: true, excluded: false };
  const entry = webhook.entryFor(labels);
  if (entry === undefined) return { mode: asked, critical: false, excluded: true };
  const mode = webhook.isByLabel(entry) ? modeByLabel(asked, labels, webhook.allowsWeaker ?? false) : entry;
  return { mode, critical: false, excluded: false };
};

/**
 * Creates the function that says how each namespace would be judged if the release's mode were `asked`: by the selectors of
 * the webhook that is installed, or else by the chart's defaults; `pin` of the configuration goes before both. A namespace that was not read has its name as its only
 * label.
 */
export const createNamespacePolicy = (
  { mode: asked, pin: configured }: { readonly mode: Mode; readonly pin?: PinScope | undefined },
  webhook: InstalledWebhook | undefined,
  labels: ReadonlyMap<string, Labels>,
): NamespacePolicy => {
  const pin = configured ?? webhook?.pin ?? DEFAULT_PIN;
  const ruleFor = (namespace: string): NamespaceRule => {
    const all = { ...labels.get(namespace), [NAME_LABEL]: namespace };
    const rule = webhook === undefined ? ruleByDefault(asked, all) : ruleByWebhook(webhook, asked, all);
    return { ...rule, pinned: !rule.excluded && mustPin({ pin }, rule.mode) };
  };
  const candidates = labels.size > 0 ? [...labels.keys()] : (webhook?.named ?? DEFAULT_CRITICAL);
  const rules = candidates.map((name) => ({ name, ...ruleFor(name) }));
  const namesOf = (wanted: (rule: NamespaceRule) => boolean): readonly string[] =>
    rules
      .filter(wanted)
      .map(({ name }) => name)
      .toSorted();
  return {
    policy: {
      mode: asked,
      webhook: webhook?.name ?? null,
      criticalNamespaces: namesOf(({ critical }) => critical),
      excludedNamespaces: namesOf(({ excluded }) => excluded),
      pin,
    },
    ruleFor,
    labelsOf: (namespace) => labels.get(namespace),
    namespaces: [...labels.keys()],
    installedPin: webhook?.pin,
  };
};
