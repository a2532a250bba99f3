import { button, el, isShownWhole, say } from './dom.ts';

/** Pages that were opened from a file may lack the clipboard's API; the older command works there. */
const copyBySelection = (text: string): boolean => {
  const area = el('textarea', { class: 'unseen', 'aria-hidden': 'true', tabindex: '-1' });
  const focused = document.activeElement;
  area.value = text;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
};

const copyText = async (text: string): Promise<boolean> => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
};

const select = (element: Element): void => {
  const range = document.createRange();
  range.selectNodeContents(element);
  getSelection()?.removeAllRanges();
  getSelection()?.addRange(range);
};

/**
 * A text to be typed, with a button that copies it. A text whose characters cannot all be shown has no button: what a reader
 * pastes must be what was read.
 */
export const code = (text: string, name: string): HTMLElement => {
  const shownText = el('code', {}, text);
  const box = el('div', { class: 'code' }, el('pre', {}, shownText));
  if (!isShownWhole(text)) {
    box.append(
      el('p', { class: 'quiet' }, 'It contains characters that cannot be shown, or is too long: not copied.'),
    );
    return box;
  }
  const copy = button({ class: 'copy', 'aria-label': `Copy ${name}` }, () => void onCopy(), 'Copy');
  const onCopy = async (): Promise<void> => {
    const isCopied = await copyText(text);
    if (!isCopied) select(shownText);
    copy.textContent = isCopied ? 'Copied' : 'Press Ctrl+C';
    say(isCopied ? 'Copied' : 'Selected: press Ctrl+C to copy');
    setTimeout(() => {
      copy.textContent = 'Copy';
    }, 2_000);
  };
  box.append(copy);
  return box;
};
