import type { Notice, ScanResult } from '../../../scan/index.ts';
import { el, find } from './dom.ts';
import { listOf, nothing, podsOf } from './lists.ts';

const noticeItem = ({ severity, message, date, pods }: Notice): HTMLLIElement =>
  el(
    'li',
    {},
    el(
      'span',
      { class: `mark ${severity === 'warning' ? 'unknown' : 'other'}` },
      el('span', { class: 'glyph', 'aria-hidden': 'true' }, severity === 'warning' ? '!' : 'i'),
      severity === 'warning' ? 'warning' : 'info',
    ),
    el('span', { class: 'day' }, date ?? ''),
    el(
      'span',
      {},
      el('bdi', {}, message),
      pods === 0 ? '' : el('span', { class: 'quiet' }, ` (${podsOf(pods)})`),
    ),
  );

/** The notices: what is going to matter. */
export const showNotices = ({ notices }: ScanResult): void => {
  find('notices').append(
    notices.length === 0 ? nothing('None.') : listOf(notices, noticeItem, { class: 'notices' }),
  );
};
