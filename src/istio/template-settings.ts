/** A setting `image` of a template, as it is written there. */
export interface TemplateSetting {
  /** May have expressions of Go's templates. */
  readonly image: string;
  /** The name of the container that it is in, which may have expressions too; undefined if it was not found. */
  readonly container: string | undefined;
}

/** The settings of a template, and the beginnings of those in a form that is not read. */
export interface TemplateSettings {
  readonly read: readonly TemplateSetting[];
  readonly unread: readonly string[];
}

/** Stands for each character of an expression, so that YAML's own characters inside one mean nothing. */
const MASK = '\uE000';

const EXPRESSIONS = /\{\{[\s\S]*?\}\}/g;
const COMMENT = /^\{\{-?\s*\/\*/;
const KEY = '(?<![\\w./-])(?:(["\'])NAME\\1[ \\t]*:|NAME[ \\t]*:(?=\\s|$|\uE000))';
const keyOf = (name: string): RegExp => new RegExp(KEY.replaceAll('NAME', name), 'g');

/** Lines and characters; bound the search for a name, which keeps the work proportional to the text. */
const MAX_LINES = 300;
const MAX_FLOW = 4096;
/** Characters of a setting that is not read, for a sentence about it. */
const MAX_EXCERPT = 80;

interface Line {
  /** Where the line begins in the text. */
  readonly start: number;
  readonly text: string;
  /** The column of the first character that is no blank; undefined for a line of blanks, comments or expressions. */
  readonly column: number | undefined;
  /** The column after the dashes of list items. */
  readonly keyColumn: number;
}

interface Template {
  /** The text as it is written, for what is taken from it. */
  readonly text: string;
  /** The text with its expressions masked, of the same length. */
  readonly masked: string;
  readonly lines: readonly Line[];
}

const parseLines = (masked: string): readonly Line[] => {
  let start = 0;
  return masked.split('\n').map((text): Line => {
    const line = {
      start,
      text,
      column: /^[\s\uE000]*(?:#|$)/.test(text) ? undefined : text.search(/\S/),
      keyColumn: /^[ \t]*(?:-[ \t]+)*/.exec(text)?.[0].length ?? 0,
    };
    start += text.length + 1;
    return line;
  });
};

const parseTemplate = (text: string): Template => {
  const masked = text.replace(EXPRESSIONS, (whole) => whole.replaceAll(/[^\n]/g, MASK));
  return { text, masked, lines: parseLines(masked) };
};

const SCALAR = /[ \t]*(?:"([^"\n]*)"|'([^'\n]*)'|([^\s,{}[\]"']+))[ \t]*(?=$|[\n,}\]]|#)/dy;

/** Reads the scalar at a position, without its quotes; undefined for any other value. */
const scalarFrom = ({ text, masked }: Template, at: number): string | undefined => {
  SCALAR.lastIndex = at;
  const indices = SCALAR.exec(masked)?.indices;
  const found = indices?.[1] ?? indices?.[2] ?? indices?.[3];
  return found === undefined ? undefined : text.slice(...found);
};

/** The lines that are deeper than a key, which are its value, without blank ones. */
const linesBelow = ({ lines }: Template, index: number, column: number): readonly Line[] => {
  const rest = lines.slice(index + 1, index + 1 + MAX_LINES);
  const end = rest.findIndex((line) => line.column !== undefined && line.column <= column);
  return rest.slice(0, end === -1 ? undefined : end).filter(({ text }) => text.trim() !== '');
};

/** True if nested settings, or nothing, stand below a key. */
const isMap = ([first]: readonly Line[]): boolean =>
  first === undefined || /^[ \t]*["']?[\w.-]+["']?[ \t]*:(?:\s|$)/.test(first.text);

const isNamed = (line: Line): boolean => /^(["']?)name\1[ \t]*:/.test(line.text.slice(line.keyColumn));

/** The settings of the list item of which the line at `index` has one at `column`: the lines on one side of it, nearest first. */
function* siblings({ lines }: Template, index: number, column: number, step: 1 | -1): Generator<Line> {
  for (let distance = 1; distance <= MAX_LINES; distance += 1) {
    const line = lines[index + step * distance];
    if (line === undefined) return;
    if (line.column === undefined || line.column > column) continue;
    // A line with the item's dash begins before the column of its key.
    const isStart = line.column < column;
    if (isStart && (step === 1 || line.keyColumn !== column)) return;
    if (line.keyColumn === column) yield line;
    if (isStart) return;
  }
}

const findNameLine = (template: Template, index: number, column: number): Line | undefined => {
  const isFirst = (template.lines[index]?.column ?? column) < column;
  const above = isFirst ? undefined : [...siblings(template, index, column, -1)].find(isNamed);
  return above ?? [...siblings(template, index, column, 1)].find(isNamed);
};

const blockName = (template: Template, index: number, column: number): string | undefined => {
  const line = findNameLine(template, index, column);
  if (line === undefined) return undefined;
  return scalarFrom(template, line.start + line.text.indexOf(':', line.keyColumn) + 1);
};

/** The brace that opens (-1) or closes (1) the flow mapping around a position. */
const findBrace = (masked: string, at: number, step: 1 | -1): number | undefined => {
  const [outer, inner] = step === 1 ? ['}', '{'] : ['{', '}'];
  let depth = 0;
  for (let distance = 0; distance <= MAX_FLOW; distance += 1) {
    const index = at + step * distance;
    if (masked[index] === inner) depth += 1;
    if (masked[index] === outer) {
      if (depth === 0) return index;
      depth -= 1;
    }
  }
  return undefined;
};

/** The name beside a setting in braces: `{name: istio-init, image: x}`. */
const flowName = (template: Template, at: number): string | undefined => {
  const { masked } = template;
  const [start, end] = [findBrace(masked, at, -1), findBrace(masked, at, 1)];
  if (start === undefined || end === undefined) return undefined;
  let depth = 0;
  const own = masked.slice(start + 1, end).replaceAll(/[^]/g, (character) => {
    if (character === '{' || character === '[') depth += 1;
    if (character === '}' || character === ']') depth -= 1;
    return depth === 0 ? character : ' ';
  });
  const [name] = own.matchAll(keyOf('name'));
  return name === undefined ? undefined : scalarFrom(template, start + 1 + name.index + name[0].length);
};

/** A setting; `none` for one that names no image; undefined if its form is not read. */
type Reading = TemplateSetting | 'none' | undefined;

/** Reads an image that stands in a block scalar or below its key; nothing if that holds settings of its own. */
const readBelow = (template: Template, index: number, column: number): Reading => {
  const below = linesBelow(template, index, column);
  if (isMap(below)) return 'none';
  const image = below.length === 1 ? scalarFrom(template, below[0]?.start ?? 0) : undefined;
  return image === undefined ? undefined : { image, container: blockName(template, index, column) };
};

/** Reads the setting whose key begins at `at` and whose value begins at `end`, on the line at `index`. */
const readSetting = (template: Template, index: number, at: number, end: number): Reading => {
  const { start = 0, text = '', keyColumn = 0 } = template.lines[index] ?? {};
  const column = at - start;
  const rest = text.slice(end - start);
  const isBlock = column === keyColumn && !/[,}\]][ \t]*$/.test(rest);
  if (isBlock && /^[ \t]*(?:[|>][-+\d]*[ \t]*)?(?:#.*)?$/.test(rest))
    return readBelow(template, index, column);
  const image = scalarFrom(template, end);
  if (image === undefined) return undefined;
  if (isBlock) return { image, container: blockName(template, index, column) };
  const isFlow = /[{,]\s*$/.test(template.masked.slice(Math.max(at - MAX_LINES, 0), at));
  return isFlow ? { image, container: flowName(template, at) } : undefined;
};

/** Finds every setting `image` in a template: YAML that Go's templates complete, in block or flow form. */
export const findTemplateSettings = (text: string): TemplateSettings => {
  const template = parseTemplate(text);
  const read: TemplateSetting[] = [];
  const unread = (text.match(EXPRESSIONS) ?? []).filter(
    (expression) => !COMMENT.test(expression) && /(?<![\w./-])image["']?\s*:/.test(expression),
  );
  let index = 0;
  for (const match of template.masked.matchAll(keyOf('image'))) {
    while ((template.lines[index + 1]?.start ?? Number.POSITIVE_INFINITY) <= match.index) index += 1;
    if (/^[ \t]*#/.test(template.lines[index]?.text ?? '')) continue;
    const setting = readSetting(template, index, match.index, match.index + match[0].length);
    if (setting === undefined) unread.push(text.slice(match.index).split('\n', 1)[0] ?? '');
    else if (setting !== 'none') read.push(setting);
  }
  return { read, unread: unread.map((one) => one.slice(0, MAX_EXCERPT)) };
};
