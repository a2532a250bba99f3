import type { PinScope } from '../../policy/index.ts';
import type { Notice } from '../scan-result.ts';

/** Where the configuration of a scan pins, and where the installed webhook does. */
export interface Pins {
  /** Undefined: no configuration was given. */
  readonly configured: PinScope | undefined;
  /** Undefined: no webhook is installed. */
  readonly installed: PinScope | undefined;
  /** The name of the installed webhook. */
  readonly webhook: string | null;
}

/**
 * The notice on a configuration that does not agree with the installed webhook if anything is pinned: one of the two would
 * refuse what the other lets start. In which modes more than pods that enforce are pinned refuses nothing.
 */
export const pinNotices = ({ configured, installed, webhook }: Pins): readonly Notice[] =>
  configured === undefined || installed === undefined || (configured === 'never') === (installed === 'never')
    ? []
    : [
        {
          kind: 'pin-differs',
          severity: 'warning',
          message: `The configuration has pin: ${configured}, and the installed webhook ${webhook ?? ''} has pin: ${installed}: pods are judged by the configuration, so give the one that the release has, or is going to have`,
          subject: 'pin',
          date: null,
          pods: 0,
          images: [],
        },
      ];
