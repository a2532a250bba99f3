import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<'summary' | 'description' | 'runbook', string>>;
}

/** The file of rules, as people without the operator load it. */
export const RULES_FILE = new URL('../../charts/sailmark/files/alerts.yaml', import.meta.url).pathname;

/** The alert rules of the file. */
export const readRules = (): readonly AlertRule[] => {
  const { groups } = load(readFileSync(RULES_FILE, 'utf8')) as {
    readonly groups: readonly { readonly rules: readonly AlertRule[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
};

/** The first four significant digits, as Prometheus formats percentages. */
const percentageOf = (value: number): string => `${Number((value * 100).toPrecision(4))}%`;

/** Fills an annotation's template. It knows the forms that the rules use, and throws at any other. */
export const fill = (template: string, labels: Readonly<Record<string, string>>, value: number): string =>
  template.replaceAll(/\{\{ (.*?) \}\}/g, (_, code: string) => {
    const [, label] = /^\$labels\.([a-z_]+)$/.exec(code) ?? [];
    if (label !== undefined) return labels[label] ?? '';
    const [, digits] = /^\$value \| printf "%\.(\d)f"$/.exec(code) ?? [];
    if (digits !== undefined) return value.toFixed(Number(digits));
    if (code === '$value | humanizePercentage') return percentageOf(value);
    throw new Error(`unknown template: ${code}`);
  });
