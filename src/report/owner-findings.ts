import type { ScannedOwner, ScanResult } from '../scan/index.ts';

type Finding = ScannedOwner['findings'][number];

/** An owner, and those of its findings that no image tells. */
export interface OwnerFindings {
  readonly owner: ScannedOwner;
  readonly findings: readonly Finding[];
}

const keyOf = (...parts: readonly string[]): string => JSON.stringify(parts);

/**
 * Returns the owners that have findings which are listed for no image, such as a pod that is refused unread. An image that
 * has findings and more uses than it lists is taken to have them.
 */
export const findOwnerFindings = ({ images, owners }: ScanResult): readonly OwnerFindings[] => {
  const told = new Set<string>();
  const cut = new Set<string>();
  for (const { reference, status, uses, omittedUses } of images) {
    if (status !== 'verified' && omittedUses > 0) cut.add(reference);
    for (const { namespace, owner, reason } of uses)
      if (reason !== null) told.add(keyOf(reference, namespace, owner, reason));
  }
  return owners.flatMap((owner) => {
    const name = `${owner.kind}/${owner.name}`;
    const findings = owner.findings.filter(
      ({ image, code }) => !cut.has(image) && !told.has(keyOf(image, owner.namespace, name, code)),
    );
    return findings.length === 0 ? [] : [{ owner, findings }];
  });
};
