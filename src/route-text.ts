/** Why a connection is routed as it is, as people read it. Pure. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { delegationText } from './delegation-text.ts';
import type { LimitExplained, LineOf, RouteExplained } from './explain-route.ts';

const indented = (text: string): readonly string[] => text.split('\n').map((line) => `  ${line}`);

const limitLine = ({ key, value, place, line }: LimitExplained): string =>
  `  ${key}: ${JSON.stringify(value)}   ${place === undefined ? 'default' : `${place} (line ${line})`}`;

/** Lines, from the server to the endpoint. */
export const routeText = (explained: RouteExplained, lineOf: LineOf): string => {
  const { server, router, isAllowed, rules, dst, operators, limits, delegation, notes } = explained;
  const at = (place: string): string => {
    const line = lineOf(place);
    return line === undefined ? place : `${place} (line ${line})`;
  };
  return [
    `server ${at(server)} of router ${router}`,
    ...(isAllowed ? [] : ['  its sources do not let the client in']),
    'rules:',
    ...rules.map(
      ({ place, isHeld, because }) => `  ${at(place)}: ${isHeld ? 'holds' : because.join('; ')}`,
    ),
    dst === undefined ? 'no rule holds: it is refused as unidentified' : `name: ${dst}`,
    ...(operators.length === 0 ? [] : ['operators, which may change that or refuse it:']),
    ...operators.map(({ kind, place }) => `  ${at(place)}: ${kind}`),
    ...(delegation === undefined ? [] : ['delegation:']),
    ...(delegation === undefined
      ? []
      : indented(isLeft(delegation) ? delegation.left : delegationText(delegation.right))),
    ...notes.map((note) => `note: ${note}`),
    'limits:',
    ...limits.map(limitLine),
    ...(explained.whyNot === undefined
      ? []
      : ['why not:', ...explained.whyNot.map((line) => `  ${line}`)]),
  ].join('\n');
};
