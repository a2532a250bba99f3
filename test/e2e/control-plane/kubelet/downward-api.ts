import type { Metadata, Pod } from '../objects.ts';

/** A pod bound to a node, with its address, which the object does not have yet. */
export interface ScheduledPod {
  readonly pod: Pod;
  readonly address: string;
  readonly node: string;
}

const ENTRY = /^metadata\.(labels|annotations)\['(.+)'\]$/;

const listOf = (values: Metadata['labels'] = {}): string =>
  Object.entries(values)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');

/** Returns a field of the downward API (core/v1, ObjectFieldSelector). Throws if the harness does not support it. */
export const fieldOf = ({ pod, address, node }: ScheduledPod, path: string): string => {
  const { metadata, spec } = pod;
  const [, map, key] = ENTRY.exec(path) ?? [];
  if (map === 'labels' || map === 'annotations') return metadata[map]?.[key ?? ''] ?? '';
  const fields: Readonly<Record<string, string | undefined>> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'metadata.labels': listOf(metadata.labels),
    'metadata.annotations': listOf(metadata.annotations),
    'spec.nodeName': node,
    'spec.serviceAccountName': spec.serviceAccountName,
    'status.podIP': address,
    'status.podIPs': address,
    'status.hostIP': address,
  };
  const value = fields[path];
  if (value === undefined) throw new Error(`the simulated kubelet does not support the field ${path}`);
  return value;
};
