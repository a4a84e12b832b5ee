/** Parameters of requests, in the query and in forms. Pure. Source: Finagle’s RequestParamMap. */
import { header, mediaType, type Request } from './reply.ts';

/** Parameters by name; of a repeated one the first. */
export type Params = ReadonlyMap<string, string>;

const decode = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));

/** What of a text is left when an escape in it is broken: nothing. */
const read = (text: string): Params => {
  const found = new Map<string, string>();
  try {
    for (const pair of text.split(/[&;]/)) {
      if (pair === '') continue;
      const at = pair.indexOf('=');
      const name = decode(at < 0 ? pair : pair.slice(0, at));
      const value = at < 0 ? '' : decode(pair.slice(at + 1));
      if (!found.has(name)) found.set(name, value);
    }
  } catch {
    return new Map();
  }
  return found;
};

/** Those of a form win over those of the query. */
export const paramsOf = (request: Request): Params => {
  const query = read(request.query);
  const type = mediaType(header(request, 'content-type') ?? '');
  if (type !== 'application/x-www-form-urlencoded' || request.method === 'TRACE') return query;
  return new Map([...query, ...read(request.body)]);
};

/** Whether a parameter says yes. */
export const isYes = (value: string | undefined): boolean =>
  value !== undefined && ['1', 't', 'true'].includes(value.toLowerCase());
