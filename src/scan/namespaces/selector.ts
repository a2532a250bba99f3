import { isAbsent, isJsonObject, listMemberOf, memberOf, textOf } from '../../base/index.ts';

/** The labels of an object. */
export type Labels = Readonly<Record<string, string>>;

/** A requirement of a label selector, as far as it is read here. */
export interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

const requirementOf = (expression: unknown): Requirement => ({
  key: textOf(memberOf(expression, 'key')) ?? '',
  operator: textOf(memberOf(expression, 'operator')) ?? '',
  values: (listMemberOf(expression, 'values') ?? []).filter((value) => typeof value === 'string'),
});

const isMet = ({ key, operator, values }: Requirement, labels: Labels): boolean => {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      // Also met without the label (apimachinery, labels.Requirement.Matches).
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
};

/** Returns the requirements of a LabelSelector (meta/v1), all of which must be met; undefined: it is malformed. */
export const requirementsOf = (selector: unknown): readonly Requirement[] | undefined => {
  if (isAbsent(selector)) return [];
  const expressions = listMemberOf(selector, 'matchExpressions');
  const matchLabels = memberOf(selector, 'matchLabels') ?? {};
  if (!isJsonObject(selector) || expressions === undefined || !isJsonObject(matchLabels)) return undefined;
  const equal = Object.entries(matchLabels).map(
    ([key, value]): Requirement => ({
      key,
      operator: 'In',
      values: typeof value === 'string' ? [value] : [],
    }),
  );
  return [...equal, ...expressions.map(requirementOf)];
};

/** True if labels match a LabelSelector, as the API server evaluates it. An empty one matches everything. */
export const matchesSelector = (selector: unknown, labels: Labels): boolean =>
  requirementsOf(selector)?.every((requirement) => isMet(requirement, labels)) ?? false;
