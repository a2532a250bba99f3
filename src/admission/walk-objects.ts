import { isJsonObject, type JsonObject } from '../base/index.ts';

/** The member `name` at `path`, as JSONPath writes it. */
const pathTo = (path: string, name: string): string => {
  if (!/^[A-Za-z_][\w-]*$/.test(name)) return `${path}["${name}"]`;
  return path === '' ? name : `${path}.${name}`;
};

/**
 * Calls `visit` with every object in a value, its path, and the object or list that it is in. What Kubernetes itself
 * writes about an object starts nothing.
 */
export const walkObjects = (
  value: unknown,
  path: string,
  visit: (object: JsonObject, path: string, parent: unknown) => void,
  parent?: unknown,
): void => {
  if (Array.isArray(value))
    for (const [index, item] of value.entries()) walkObjects(item, `${path}[${index}]`, visit, value);
  if (!isJsonObject(value)) return;
  visit(value, path, parent);
  for (const [name, member] of Object.entries(value))
    if (path !== '' || name !== 'status') walkObjects(member, pathTo(path, name), visit, value);
};
