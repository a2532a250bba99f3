import { type JsonObject, listMemberOf, memberOf, textOf } from '../../base/index.ts';
import type { Mode, PinScope } from '../../policy/index.ts';
import { type Labels, matchesSelector, type Requirement, requirementsOf } from './selector.ts';

/** The label that may choose a namespace's mode. */
export const MODE_LABEL = 'sailmark.dev/mode';
/** The label that the API server sets on every namespace. */
export const NAME_LABEL = 'kubernetes.io/metadata.name';

/** From the strongest to the weakest. */
export const MODES: readonly Mode[] = ['enforce', 'warn', 'audit'];

/** The webhook configurations of one release, as far as they choose namespaces. */
export interface InstalledWebhook {
  readonly name: string;
  /** The mode of namespaces without a label that counts; undefined: the entries do not say. */
  readonly releaseMode: Mode | undefined;
  /** A label may choose a weaker mode than the release's; undefined: the entries do not say. */
  readonly allowsWeaker: boolean | undefined;
  isCritical(labels: Labels): boolean;
  /** The mode whose entry the namespace is in, the strongest; undefined: it is in none. */
  entryFor(labels: Labels): Mode | undefined;
  /** True if the label or the release's mode puts namespaces in the entry of this mode; false: another selector. */
  isByLabel(mode: Mode): boolean;
  /** Names of namespaces that the selectors contain. */
  readonly named: readonly string[];
  /** Undefined: the mutating configurations could not be read. */
  readonly pin: PinScope | undefined;
}

const SUFFIX = '.sailmark.dev';

const entriesOf = (configuration: JsonObject): ReadonlyMap<string, unknown> =>
  new Map(
    (listMemberOf(configuration, 'webhooks') ?? []).map((entry) => [
      textOf(memberOf(entry, 'name')) ?? '',
      memberOf(entry, 'namespaceSelector'),
    ]),
  );

export const nameOfConfiguration = (configuration: JsonObject): string =>
  textOf(memberOf(memberOf(configuration, 'metadata'), 'name')) ?? '';

/** True for the validating configuration of a release of sailmark. */
export const isOfSailmark = (configuration: JsonObject): boolean =>
  entriesOf(configuration).has(`enforce${SUFFIX}`);

const onLabel = (requirements: readonly Requirement[]): Requirement | undefined =>
  requirements.find(({ key }) => key === MODE_LABEL);

/** True for the selector of a mode that no namespace can have: each has the label with its name. */
const isEmpty = (requirements: readonly Requirement[]): boolean =>
  requirements.some(({ key, operator }) => key === NAME_LABEL && operator === 'DoesNotExist');

/** Which mode of entry is for namespaces without a label, and which for those with one (the chart's `namespacesOf`). */
const readModes = (selectors: ReadonlyMap<string, unknown>) => {
  const byMode = MODES.flatMap((mode) => {
    const entry = `${mode}${SUFFIX}`;
    const requirements = selectors.has(entry) ? requirementsOf(selectors.get(entry)) : undefined;
    return requirements === undefined || isEmpty(requirements) ? [] : [{ mode, requirements }];
  });
  const byLabel = byMode.filter(({ requirements }) => onLabel(requirements)?.operator === 'In');
  const [release, ...others] = byMode.filter((entry) => !byLabel.includes(entry));
  const releaseMode = others.length === 0 ? release?.mode : undefined;
  return { releaseMode, labelModes: byLabel.map(({ mode }) => mode) };
};

const isWeaker = (mode: Mode, than: Mode): boolean => MODES.indexOf(mode) > MODES.indexOf(than);

/** In a release that audits no label can be weaker, so its entries do not say if one might be. */
const readAllowsWeaker = (releaseMode: Mode | undefined, labelModes: readonly Mode[]): boolean | undefined =>
  releaseMode === undefined || releaseMode === 'audit'
    ? undefined
    : labelModes.some((mode) => isWeaker(mode, releaseMode));

/** Where a release enforces and no label counts, `always` and `enforce` are the same. */
const readPin = (
  mutating: JsonObject | undefined,
  { releaseMode, labelModes }: ReturnType<typeof readModes>,
): PinScope => {
  const selectors = mutating === undefined ? undefined : entriesOf(mutating);
  const entry = `pin${SUFFIX}`;
  if (selectors?.has(entry) !== true) return 'never';
  const requirements = requirementsOf(selectors.get(entry)) ?? [];
  const isAlways =
    (releaseMode !== 'enforce' || labelModes.length > 0) &&
    onLabel(requirements) === undefined &&
    !isEmpty(requirements);
  return isAlways ? 'always' : 'enforce';
};

/** Reads the configurations of a release: the validating one, and the mutating one if there is one and it could be read. */
export const readInstalledWebhook = (
  validating: JsonObject,
  mutating: JsonObject | 'unread' | undefined,
): InstalledWebhook => {
  const selectors = entriesOf(validating);
  const modes = readModes(selectors);
  const { releaseMode, labelModes } = modes;
  const isIn = (name: string, labels: Labels): boolean => {
    const entry = `${name}${SUFFIX}`;
    return selectors.has(entry) && matchesSelector(selectors.get(entry), labels);
  };
  const requirements = [...selectors.values()].flatMap((selector) => requirementsOf(selector) ?? []);
  const named = requirements.filter(({ key }) => key === NAME_LABEL).flatMap(({ values }) => values);
  return {
    name: nameOfConfiguration(validating),
    releaseMode,
    allowsWeaker: readAllowsWeaker(releaseMode, labelModes),
    isCritical: (labels) => isIn('critical', labels),
    entryFor: (labels) => MODES.find((mode) => isIn(mode, labels)),
    isByLabel: (mode) => mode === releaseMode || labelModes.includes(mode),
    named: [...new Set(named)],
    pin: mutating === 'unread' ? undefined : readPin(mutating, modes),
  };
};
