import { DAY_MS, listWithin } from '../../base/index.ts';
import { compareVersions, supportedVersions, supportOf } from '../../istio/index.ts';
import type { Notice } from '../scan-result.ts';
import { byVersion, dayOf, listReferences, sumPods, type VersionedImage } from './versions.ts';

/** The end of a version's support is announced so long before. */
const SOON_MS = 90 * DAY_MS;

const upgradeTo = (version: string, today: string): string => {
  const newer = supportedVersions(today).filter((each) => compareVersions(each, version) > 0);
  return newer.length === 0 ? 'a version that Istio supports' : listWithin(newer, 100, ' or ');
};

type Text = Pick<Notice, 'kind' | 'severity' | 'message' | 'date'>;

const textFor = (version: string, now: number): Text | undefined => {
  const today = dayOf(now);
  const { ends, supported, expected } = supportOf(version, today);
  const upgrade = `upgrade to ${upgradeTo(version, today)}`;
  if (supported === false) {
    const since = ends === null ? 'no support any more' : `had no support since ${ends}`;
    const message = `Istio ${version} has ${since}: ${upgrade}`;
    return { kind: 'version-unsupported', severity: 'warning', message, date: ends };
  }
  const soon = dayOf(now + SOON_MS);
  if (ends !== null && ends <= soon) {
    const message = `The support of Istio ${version} ends on ${ends}: ${upgrade} before`;
    return { kind: 'version-support-ends', severity: 'warning', message, date: ends };
  }
  if (expected === null || expected > soon) return undefined;
  const message = `Istio expects to end the support of ${version} in ${expected}, on a day that is not announced: plan the upgrade to ${upgradeTo(version, today)}`;
  return { kind: 'version-support-ends', severity: 'info', message, date: null };
};

/** Finds the versions, of images that run or are configured, whose support has ended or ends soon. */
export const versionNotices = (images: readonly VersionedImage[], now: number): readonly Notice[] =>
  byVersion(images).flatMap(([version, uses]) => {
    const text = textFor(version, now);
    return text === undefined
      ? []
      : [{ ...text, subject: version, pods: sumPods(uses), images: listReferences(uses) }];
  });
